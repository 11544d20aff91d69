package io.github.credentialmanager.local;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * An HTTP server on 127.0.0.1 that hands every request to one handler, each on a thread of its own.
 *
 * <p>Its threads are daemons: they never keep a JVM alive.
 */
final class LoopbackServer implements AutoCloseable {
  static {
    // Read once by the JDK's server. Without it each answer waits 40 ms for an ACK (Nagle).
    if (System.getProperty("sun.net.httpserver.nodelay") == null) {
      System.setProperty("sun.net.httpserver.nodelay", "true");
    }
  }

  private final HttpServer server;
  private final ExecutorService executor;

  private LoopbackServer(HttpServer server, ExecutorService executor) {
    this.server = server;
    this.executor = executor;
  }

  /**
   * @param port 0 for any free one
   * @param name of the threads
   * @throws UncheckedIOException if the port is taken
   */
  static LoopbackServer start(int port, String name, HttpHandler handler) {
    HttpServer server;
    try {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot listen on 127.0.0.1:" + port + ".", e);
    }
    ExecutorService executor = Executors.newCachedThreadPool(daemons(name));
    server.createContext("/", handler);
    server.setExecutor(executor);
    server.start();
    return new LoopbackServer(server, executor);
  }

  private static ThreadFactory daemons(String name) {
    AtomicInteger count = new AtomicInteger();
    return task -> {
      Thread thread = new Thread(task, name + "-" + count.incrementAndGet());
      thread.setDaemon(true);
      return thread;
    };
  }

  URI endpoint() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
  }

  /** The request as signature verification wants it. */
  static SignedRequest signedRequest(HttpExchange exchange, byte[] body) {
    List<SignedRequest.Header> headers = new ArrayList<>();
    exchange
        .getRequestHeaders()
        .forEach(
            (name, values) ->
                values.forEach(value -> headers.add(new SignedRequest.Header(name, value))));
    URI uri = exchange.getRequestURI();
    String query = uri.getRawQuery() == null ? "" : "?" + uri.getRawQuery();
    return new SignedRequest(exchange.getRequestMethod(), uri.getRawPath() + query, headers, body);
  }

  /** Answers and closes the exchange. Headers are set before. */
  static void answer(HttpExchange exchange, int status, byte[] body) throws IOException {
    try (exchange) {
      exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
      exchange.getResponseBody().write(body);
    }
  }

  @Override
  public void close() {
    server.stop(0);
    executor.shutdownNow();
  }
}
