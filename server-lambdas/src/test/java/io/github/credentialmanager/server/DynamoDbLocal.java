package io.github.credentialmanager.server;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;

/**
 * DynamoDB Local in a process of its own, one for all tests of a JVM, gone with it.
 *
 * <p>Its licence forbids building it into another program: nothing of it is imported.
 */
public final class DynamoDbLocal {
  private static final Duration START_TIMEOUT = Duration.ofSeconds(30);

  private DynamoDbLocal() {}

  private static final class Holder {
    static final URI ENDPOINT = start();
  }

  /** Where it answers. Started by the first call. */
  public static URI endpoint() {
    return Holder.ENDPOINT;
  }

  /** A client with the SDK's own patience. */
  public static DynamoDbClient client() {
    return DynamoDbClient.builder()
        .endpointOverride(endpoint())
        .region(Region.US_EAST_1)
        .credentialsProvider(credentials())
        .httpClientBuilder(UrlConnectionHttpClient.builder())
        .build();
  }

  public static StaticCredentialsProvider credentials() {
    return StaticCredentialsProvider.create(AwsBasicCredentials.create("AKIATEST", "secret"));
  }

  private static URI start() {
    try {
      int port = freePort();
      Path output = Files.createTempFile("dynamodb-local", ".log");
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
              .redirectOutput(output.toFile())
              .start();
      Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
      await(port, process, output);
      return URI.create("http://127.0.0.1:" + port);
    } catch (IOException e) {
      throw new IllegalStateException("DynamoDB Local does not start", e);
    }
  }

  /** It refuses port 0, so one is looked for. */
  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private static void await(int port, Process process, Path output) throws IOException {
    Instant end = Instant.now().plus(START_TIMEOUT);
    while (Instant.now().isBefore(end) && process.isAlive()) {
      try (Socket socket = new Socket()) {
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 100);
        return;
      } catch (IOException notYet) {
        try {
          process.waitFor(50, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          break;
        }
      }
    }
    process.destroyForcibly();
    throw new IllegalStateException("DynamoDB Local said: " + Files.readString(output));
  }
}
