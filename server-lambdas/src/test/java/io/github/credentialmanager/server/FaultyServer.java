package io.github.credentialmanager.server;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** A server that fails below HTTP, or in ways no well-behaved server would. */
final class FaultyServer implements AutoCloseable {
  /** How it fails. */
  enum Fault {
    /** Nobody listens. */
    REFUSES,
    /** Takes the request and says nothing. */
    HANGS,
    /** Takes the request and resets the connection. */
    RESETS,
    /** Sends its headers letter by letter. */
    DRIPS_HEADERS,
    /** Sends its headers, then the body letter by letter. */
    DRIPS_BODY,
    /** Promises more than it sends. */
    ENDS_EARLY,
    /** Says 200, and nonsense. */
    ANSWERS_GARBAGE,
    /** Speaks no HTTP. */
    SPEAKS_NO_HTTP,
    /** Says 200, and 6 MB of JSON. */
    ANSWERS_SIX_MEGABYTES,
    /** Sends the client elsewhere. */
    REDIRECTS,
    /** Says 503. */
    IS_UNAVAILABLE
  }

  private static final int SIX_MEGABYTES = 6 * 1024 * 1024;

  private final ServerSocket server;
  private final Fault fault;
  private final URI elsewhere;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final CountDownLatch closed = new CountDownLatch(1);
  private final AtomicInteger connections = new AtomicInteger();

  /**
   * @param elsewhere where {@link Fault#REDIRECTS} points to
   */
  FaultyServer(Fault fault, URI elsewhere) {
    this.fault = fault;
    this.elsewhere = elsewhere;
    try {
      this.server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
      if (fault == Fault.REFUSES) {
        server.close();
      } else {
        threads.execute(this::accept);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  URI endpoint() {
    return URI.create("http://127.0.0.1:" + server.getLocalPort());
  }

  int connections() {
    return connections.get();
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket socket = server.accept();
        connections.incrementAndGet();
        threads.execute(() -> serve(socket));
      } catch (IOException e) {
        return;
      }
    }
  }

  private void serve(Socket socket) {
    try (socket) {
      readRequest(socket.getInputStream());
      answer(socket, socket.getOutputStream());
    } catch (IOException | InterruptedException e) {
      // The client has given up, or the test is over.
    }
  }

  /** One read is enough: the clients send their small requests at once. */
  private static void readRequest(InputStream in) throws IOException {
    if (in.read(new byte[65_536]) < 0) {
      throw new IOException("no request");
    }
  }

  private void answer(Socket socket, OutputStream out) throws IOException, InterruptedException {
    switch (fault) {
      case HANGS -> closed.await();
      case RESETS -> socket.setSoLinger(true, 0);
      case DRIPS_HEADERS -> drip(out, "HTTP/1.1 200 OK\r\nX: " + "x".repeat(10_000));
      case DRIPS_BODY -> {
        out.write(head("200 OK", 10_000));
        drip(out, "{\"a\":\"" + "x".repeat(9_000));
      }
      case ENDS_EARLY -> {
        out.write(head("200 OK", 1_000));
        out.write("{\"a\":".getBytes(US_ASCII));
      }
      case ANSWERS_GARBAGE -> {
        out.write(head("200 OK", 20));
        out.write("<html>Unicorn</html>".getBytes(US_ASCII));
      }
      case SPEAKS_NO_HTTP -> out.write("220 smtp ready\r\n".getBytes(US_ASCII));
      case ANSWERS_SIX_MEGABYTES -> {
        out.write(head("200 OK", SIX_MEGABYTES));
        out.write(("{\"a\":\"" + "x".repeat(SIX_MEGABYTES - 8) + "\"}").getBytes(US_ASCII));
      }
      case REDIRECTS ->
          out.write(
              ("HTTP/1.1 307 Temporary Redirect\r\nlocation: "
                      + elsewhere
                      + "/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                  .getBytes(US_ASCII));
      case IS_UNAVAILABLE -> out.write(head("503 Service Unavailable", 0));
      case REFUSES -> throw new AssertionError("nobody listens");
    }
    out.flush();
  }

  private static byte[] head(String status, int length) {
    return ("HTTP/1.1 "
            + status
            + "\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: "
            + length
            + "\r\n\r\n")
        .getBytes(US_ASCII);
  }

  private void drip(OutputStream out, String text) throws IOException, InterruptedException {
    for (byte letter : text.getBytes(US_ASCII)) {
      out.write(letter);
      out.flush();
      if (closed.await(100, TimeUnit.MILLISECONDS)) {
        return;
      }
    }
  }

  @Override
  public void close() {
    closed.countDown();
    try {
      server.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    threads.shutdownNow();
  }
}
