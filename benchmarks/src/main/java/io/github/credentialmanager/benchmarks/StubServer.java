package io.github.credentialmanager.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** GitHub and the Credential Manager on loopback, as far as one token needs them. */
final class StubServer implements AutoCloseable {
  static final long APP_ID = 1001;
  static final String NODE_ID = "O_kgDOBq3Xyz";
  static final String ORGANIZATION = "octo-org";

  static {
    // Else an answer on JDK 17 takes 45 ms more (Nagle's algorithm; measured).
    System.setProperty("sun.net.httpserver.nodelay", "true");
  }

  private final HttpServer server;
  private final ExecutorService executor = Executors.newCachedThreadPool();
  private final Upstream upstream;
  private final Duration life;

  /**
   * @param upstream who issues the tokens
   * @param life how long the answers say that a token lives
   */
  StubServer(Upstream upstream, Duration life) throws IOException {
    this.upstream = upstream;
    this.life = life;
    this.server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(executor);
    server.createContext("/", this::handle);
    server.start();
  }

  URI url() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
  }

  @Override
  public void close() {
    server.stop(0);
    executor.shutdownNow();
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      exchange.getRequestBody().readAllBytes();
      switch (exchange.getRequestURI().getPath()) {
        case "/app" -> answer(exchange, 200, "{'id':1001}");
        case "/orgs/octo-org/installation" -> answer(exchange, 200, "{'id':7,'app_id':1001}");
        case "/app/installations/7/access_tokens" ->
            answer(exchange, 201, "{'token':'%s','expires_at':'%s'}".formatted(token(), expiry()));
        case "/tokens/installation" ->
            answer(
                exchange,
                200,
                "{'appId':%d,'nodeId':'%s','installationToken':'%s','expirationTime':'%s'}"
                    .formatted(APP_ID, NODE_ID, token(), expiry()));
        default -> answer(exchange, 404, "{'message':'Not Found'}");
      }
    }
  }

  private String token() {
    return upstream.issue(APP_ID);
  }

  /** Whole seconds, as GitHub's are. */
  private Instant expiry() {
    return Instant.now().plus(life).truncatedTo(ChronoUnit.SECONDS);
  }

  private static void answer(HttpExchange exchange, int status, String json) throws IOException {
    byte[] body = json.replace('\'', '"').getBytes(UTF_8);
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    exchange.sendResponseHeaders(status, body.length);
    exchange.getResponseBody().write(body);
  }
}
