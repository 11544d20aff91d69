package io.github.credentialmanager.infra;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * DynamoDB Local in a process of its own, one for all tests of a JVM, gone with it.
 *
 * <p>Each access key has tables of its own there. Its licence forbids building it into another
 * program: nothing of it is imported.
 */
final class DynamoDbLocal {
  private static final int ATTEMPTS = 600;

  private DynamoDbLocal() {}

  private static final class Holder {
    static final URI ENDPOINT = start();
  }

  /** Where it answers. Started by the first call. */
  static URI endpoint() {
    return requireNonNull(Holder.ENDPOINT);
  }

  private static URI start() {
    try {
      int port = freePort();
      Process process =
          new ProcessBuilder(
                  List.of(
                      Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                      "-Xmx256m",
                      "-cp",
                      System.getProperty("java.class.path"),
                      "software.amazon.dynamodb.services.local.main.ServerRunner",
                      "-inMemory",
                      "-disableTelemetry",
                      "-port",
                      Integer.toString(port)))
              .redirectErrorStream(true)
              .redirectOutput(Path.of("target/dynamodb-local.log").toFile())
              .start();
      Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
      for (int attempt = 0; attempt < ATTEMPTS && !answers(port); attempt++) {
        if (process.waitFor(50, TimeUnit.MILLISECONDS)) {
          break;
        }
      }
      if (!process.isAlive()) {
        throw new IllegalStateException("DynamoDB Local ended: see target/dynamodb-local.log");
      }
      return URI.create("http://127.0.0.1:" + port);
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException("DynamoDB Local does not start", e);
    }
  }

  /** It refuses port 0, so one is looked for. */
  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private static boolean answers(int port) {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return socket.isConnected();
    } catch (IOException notYet) {
      return false;
    }
  }
}
