package io.github.credentialmanager.sdk;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A real HTTP server on a free loopback port that keeps what it receives and answers what the test
 * says.
 */
final class LoopbackServer implements AutoCloseable {
  /** A request as it came over the wire. Header names ignore case. */
  record Received(String method, URI uri, Map<String, String> headers, byte[] body) {
    String path() {
      return uri.getPath();
    }

    @Nullable String header(String name) {
      return headers.get(name);
    }

    String text() {
      return new String(body, StandardCharsets.UTF_8);
    }
  }

  record Reply(int status, Map<String, String> headers, byte[] body) {
    static Reply of(int status, String body) {
      return new Reply(
          status,
          Map.of("content-type", "application/json"),
          body.getBytes(StandardCharsets.UTF_8));
    }

    static Reply json(String body) {
      return of(200, body);
    }

    Reply with(String name, String value) {
      Map<String, String> more = new TreeMap<>(headers);
      more.put(name, value);
      return new Reply(status, more, body);
    }
  }

  /** Never answers; the connection stays open until the server is closed. */
  static final Reply SILENCE = new Reply(0, Map.of(), new byte[0]);

  /** Begins to answer and never ends. */
  static final Reply HALF_AN_ANSWER = Reply.json("[");

  private final HttpServer server;
  private final ExecutorService executor = Executors.newCachedThreadPool();
  private final CountDownLatch closing = new CountDownLatch(1);
  private final Queue<Reply> replies = new ConcurrentLinkedQueue<>();
  private final List<Received> received = new CopyOnWriteArrayList<>();
  private volatile Function<Received, Reply> otherwise = request -> Reply.of(500, "{}");

  LoopbackServer() {
    try {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    server.setExecutor(executor);
    server.createContext("/", this::handle);
    server.start();
  }

  /** Answers the next request that is not answered yet with this. */
  LoopbackServer next(Reply reply) {
    replies.add(reply);
    return this;
  }

  /** Answers requests for which nothing is queued. */
  LoopbackServer always(Function<Received, Reply> handler) {
    otherwise = handler;
    return this;
  }

  URI url() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
  }

  int port() {
    return server.getAddress().getPort();
  }

  List<Received> received() {
    return received;
  }

  Received only() {
    if (received.size() != 1) {
      throw new AssertionError("Expected one request, got " + received.size());
    }
    return received.get(0);
  }

  @Override
  public void close() {
    closing.countDown();
    server.stop(0);
    executor.shutdownNow();
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
      exchange
          .getRequestHeaders()
          .forEach((name, values) -> headers.put(name, String.join(",", values)));
      Received request =
          new Received(
              exchange.getRequestMethod(),
              exchange.getRequestURI(),
              headers,
              exchange.getRequestBody().readAllBytes());
      received.add(request);
      Reply queued = replies.poll();
      Reply reply = queued == null ? otherwise.apply(request) : queued;
      if (reply == SILENCE) {
        closing.await();
        return;
      }
      if (reply == HALF_AN_ANSWER) {
        exchange.sendResponseHeaders(reply.status(), 0);
        exchange.getResponseBody().write(reply.body());
        exchange.getResponseBody().flush();
        closing.await();
        return;
      }
      reply.headers().forEach(exchange.getResponseHeaders()::set);
      exchange.sendResponseHeaders(
          reply.status(), reply.body().length == 0 ? -1 : reply.body().length);
      exchange.getResponseBody().write(reply.body());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
