package io.github.credentialmanager.server;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;

/** Answers every request alike, on the loopback interface, while it is open. */
final class LoopbackGitHub implements AutoCloseable {
  private static final String BODY =
      "{\"token\":\"none\",\"expires_at\":\"2000-01-01T00:00:00Z\","
          + "\"permissions\":{\"contents\":\"read\"},\"repositories\":[{\"id\":1,\"name\":\"none\"}]}";
  private static final String ANSWER =
      "HTTP/1.1 201 Created\r\nconnection: close\r\ncontent-type: application/json\r\n"
          + "content-length: "
          + BODY.length()
          + "\r\n\r\n"
          + BODY;

  private final ServerSocket socket;

  LoopbackGitHub() throws IOException {
    socket = new ServerSocket(0, 1, InetAddress.getByAddress(new byte[] {127, 0, 0, 1}));
    Thread thread = new Thread(this::serve, "credential-manager-priming");
    thread.setDaemon(true);
    thread.start();
  }

  URI url() {
    return URI.create("http://127.0.0.1:" + socket.getLocalPort());
  }

  private void serve() {
    while (!socket.isClosed()) {
      try (Socket connection = socket.accept()) {
        answer(connection);
      } catch (IOException e) {
        // Closed, or the caller has gone: then nobody waits for an answer.
      }
    }
  }

  private static void answer(Socket connection) throws IOException {
    BufferedReader request =
        new BufferedReader(new InputStreamReader(connection.getInputStream(), ISO_8859_1));
    int length = 0;
    for (String line = request.readLine();
        line != null && !line.isEmpty();
        line = request.readLine()) {
      if (line.regionMatches(true, 0, "content-length:", 0, 15)) {
        length = Integer.parseInt(line.substring(15).strip());
      }
    }
    for (int i = 0; i < length; i++) {
      request.read();
    }
    connection.getOutputStream().write(ANSWER.getBytes(US_ASCII));
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
