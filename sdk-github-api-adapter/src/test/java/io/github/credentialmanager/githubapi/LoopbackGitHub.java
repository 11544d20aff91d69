package io.github.credentialmanager.githubapi;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * GitHub's API on a loopback port, as far as tokens go: it knows which it issued, since when they
 * are known everywhere, and when they expire, and answers 401 to any other.
 */
final class LoopbackGitHub implements AutoCloseable {
  record Received(String method, String path, @Nullable String authorization, String body) {}

  record Answer(int status, Map<String, String> headers, String body) {
    static Answer of(int status, String body) {
      return new Answer(status, Map.of(), body);
    }

    static Answer redirect(int status, String location) {
      return new Answer(status, Map.of("Location", location), "");
    }
  }

  private record Life(Instant from, Instant until) {}

  private final HttpServer server;
  private final InstantSource clock;
  private final Map<String, Life> tokens = new ConcurrentHashMap<>();
  private final List<Received> received = new CopyOnWriteArrayList<>();
  private final Queue<Answer> scripted = new ConcurrentLinkedQueue<>();
  private final AtomicInteger issued = new AtomicInteger();
  private final AtomicInteger connectionsToDrop = new AtomicInteger();

  LoopbackGitHub(InstantSource clock) throws IOException {
    this.clock = clock;
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", this::handle);
    server.start();
  }

  URI url() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
  }

  int port() {
    return server.getAddress().getPort();
  }

  /** A token that this GitHub accepts after {@code replication} and for an hour from now. */
  String issueToken(Duration replication) {
    String token = "ghs_1001_" + issued.incrementAndGet() + ".opaque-token_string";
    Instant now = clock.instant();
    tokens.put(token, new Life(now.plus(replication), now.plus(Duration.ofHours(1))));
    return token;
  }

  void revoke(String token) {
    tokens.remove(token);
  }

  void revokeAll() {
    tokens.clear();
  }

  /** Answers the next requests so, in turn, whatever they carry. */
  void next(Answer... answers) {
    scripted.addAll(List.of(answers));
  }

  /** Closes the connection without an answer on the next so many requests. */
  void dropConnections(int count) {
    connectionsToDrop.set(count);
  }

  List<Received> received() {
    return received;
  }

  List<@Nullable String> authorizations() {
    return received.stream().<@Nullable String>map(Received::authorization).toList();
  }

  @Override
  public void close() {
    server.stop(0);
  }

  private void handle(HttpExchange exchange) throws IOException {
    String authorization = exchange.getRequestHeaders().getFirst("Authorization");
    String body = new String(exchange.getRequestBody().readAllBytes(), UTF_8);
    received.add(
        new Received(
            exchange.getRequestMethod(), exchange.getRequestURI().toString(), authorization, body));
    if (connectionsToDrop.getAndUpdate(n -> Math.max(0, n - 1)) > 0) {
      exchange.close();
      return;
    }
    Answer answer = scripted.poll();
    if (answer == null) {
      answer =
          isAccepted(authorization)
              ? answer(exchange.getRequestMethod(), exchange.getRequestURI())
              : Answer.of(401, "{\"message\":\"Bad credentials\"}");
    }
    byte[] bytes = answer.body().getBytes(UTF_8);
    String encodings = exchange.getRequestHeaders().getFirst("Accept-Encoding");
    if (bytes.length > 0 && encodings != null && encodings.contains("gzip")) {
      bytes = gzip(bytes);
      exchange.getResponseHeaders().set("Content-Encoding", "gzip");
    }
    exchange.getResponseHeaders().set("Content-Type", "application/json; charset=utf-8");
    answer.headers().forEach(exchange.getResponseHeaders()::set);
    exchange.sendResponseHeaders(answer.status(), bytes.length == 0 ? -1 : bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  private static byte[] gzip(byte[] bytes) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(bytes);
    }
    return out.toByteArray();
  }

  private boolean isAccepted(@Nullable String authorization) {
    if (authorization == null || !authorization.startsWith("Bearer ")) {
      return false;
    }
    Life life = tokens.get(authorization.substring("Bearer ".length()));
    Instant now = clock.instant();
    return life != null && !now.isBefore(life.from) && now.isBefore(life.until);
  }

  private Answer answer(String method, URI uri) {
    String path = uri.getPath();
    if (path.equals("/installation/repositories")) {
      return page(uri);
    }
    if (path.equals("/app")) {
      return Answer.of(200, "{\"id\":1001,\"slug\":\"octo-app\"}");
    }
    if (path.startsWith("/repos/octo-org/api/compare/")) {
      return Answer.of(
          200,
          """
          {"url":"%s%s","status":"ahead","ahead_by":2,"commits":[],"files":[],
          "base_commit":{"sha":"a"},"merge_base_commit":{"sha":"a"}}"""
              .formatted(url(), path));
    }
    if (path.equals("/repos/octo-org/api/issues") && method.equals("POST")) {
      return Answer.of(
          201, "{\"number\":7,\"title\":\"new\",\"url\":\"%s%s/7\"}".formatted(url(), path));
    }
    if (path.equals("/repos/octo-org/api/topics") && method.equals("PUT")) {
      return Answer.of(200, "{\"names\":[]}");
    }
    if (path.equals("/repos/octo-org/api")) {
      return Answer.of(200, repository("api"));
    }
    return Answer.of(404, "{\"message\":\"Not Found\"}");
  }

  /** Three pages of one repository each. */
  private Answer page(URI uri) {
    int page = 1;
    for (String parameter :
        uri.getQuery() == null ? new String[0] : uri.getQuery().split("&", -1)) {
      if (parameter.startsWith("page=")) {
        page = Integer.parseInt(parameter.substring("page=".length()));
      }
    }
    String body = "{\"total_count\":3,\"repositories\":[%s]}".formatted(repository("repo-" + page));
    return new Answer(
        200,
        page == 3
            ? Map.of()
            : Map.of(
                "Link",
                "<%s/installation/repositories?page=%d>; rel=\"next\"".formatted(url(), page + 1)),
        body);
  }

  private String repository(String name) {
    return """
        {"id":1300000001,"name":"%1$s","full_name":"octo-org/%1$s","owner":{"login":"octo-org","id":1},
        "url":"%2$s/repos/octo-org/%1$s"}"""
        .formatted(name, url());
  }
}
