package io.github.credentialmanager.local;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * AWS's DynamoDB Local in a process of its own.
 *
 * <p>Its licence lets holders of an AWS account use it but not build it into another program, so no
 * class of it is ever loaded here: it is looked for where the build put it on the class path, and
 * started with {@code java}. It listens on all interfaces, which it offers no way to change; it
 * takes any credentials and sends no telemetry.
 *
 * <p>The process ends with {@link #close} and with this JVM, killed or not.
 */
final class DynamoDbLocal implements AutoCloseable {
  /** Names a file that holds a class path with DynamoDB Local on it. */
  static final String CLASS_PATH_FILE = "credential-manager.dynamodb-local.classpath";

  private static final String MAIN_CLASS =
      "software.amazon.dynamodb.services.local.main.ServerRunner";
  private static final Duration START_TIMEOUT = Duration.ofSeconds(60);
  private static final int ATTEMPTS = 3;

  private final Process process;
  private final URI endpoint;
  private final Output output;
  private final Thread shutdownHook = new Thread(this::stop, "dynamodb-local-stop");
  private volatile boolean closing;

  private DynamoDbLocal(Process process, URI endpoint, Output output) {
    this.process = process;
    this.endpoint = endpoint;
    this.output = output;
  }

  /**
   * Starts one and waits until it answers.
   *
   * @param data where tables are kept; null to keep them in memory
   * @param died run on a thread of its own if the process ends other than by {@link #close}, with
   *     what it said last
   * @throws IllegalStateException if it is not to be found or does not start, saying why
   */
  static DynamoDbLocal start(@Nullable Path data, Consumer<String> died) {
    String classPath = ownClasses() + File.pathSeparator + classPath();
    String failure = "";
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      // Port 0 is refused, and a free port may be taken by another before the process has it.
      int port = freePort();
      Output output = new Output();
      DynamoDbLocal started =
          new DynamoDbLocal(
              launch(classPath, port, data), URI.create("http://127.0.0.1:" + port), output);
      output.follow(started.process);
      if (started.awaitReady()) {
        Runtime.getRuntime().addShutdownHook(started.shutdownHook);
        started.process.onExit().thenRun(() -> started.exited(died));
        return started;
      }
      started.stop();
      failure = output.text();
    }
    throw new IllegalStateException("DynamoDB Local does not start. It says: " + failure);
  }

  URI endpoint() {
    return endpoint;
  }

  long pid() {
    return process.pid();
  }

  /** Stops the process and waits until it is gone. */
  @Override
  public void close() {
    stop();
    try {
      Runtime.getRuntime().removeShutdownHook(shutdownHook);
    } catch (IllegalStateException e) {
      // The JVM is going down already, and the hook with it.
    }
  }

  private void stop() {
    closing = true;
    process.destroy();
    try {
      if (!process.waitFor(5, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }

  private void exited(Consumer<String> died) {
    if (!closing) {
      died.accept(
          "DynamoDB Local has ended (exit code " + process.exitValue() + "). " + output.text());
    }
  }

  private static Process launch(String classPath, int port, @Nullable Path data) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    // It lives briefly: quick to start matters more than quick in the end.
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m"));
    command.add(StopsWithParent.class.getName());
    command.add(MAIN_CLASS);
    command.addAll(List.of("-port", Integer.toString(port), "-sharedDb", "-disableTelemetry"));
    command.addAll(data == null ? List.of("-inMemory") : List.of("-dbPath", data.toString()));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    // Not an argument: a class path is longer than some systems' command lines.
    builder.environment().put("CLASSPATH", classPath);
    builder.environment().put("DDB_LOCAL_TELEMETRY", "0");
    builder.environment().remove("JAVA_TOOL_OPTIONS");
    try {
      return builder.start();
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot start a Java process for DynamoDB Local.", e);
    }
  }

  private boolean awaitReady() {
    long deadline = System.nanoTime() + START_TIMEOUT.toNanos();
    while (process.isAlive() && System.nanoTime() - deadline < 0) {
      if (answers()) {
        return true;
      }
      try {
        Thread.sleep(20);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return false;
      }
    }
    return false;
  }

  private boolean answers() {
    try {
      HttpURLConnection connection = (HttpURLConnection) endpoint.toURL().openConnection();
      connection.setConnectTimeout(1_000);
      connection.setReadTimeout(1_000);
      return connection.getResponseCode() == 400
          && connection.getHeaderField("x-amzn-RequestId") != null;
    } catch (IOException e) {
      return false;
    }
  }

  private static int freePort() {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException("No free port.", e);
    }
  }

  private static String ownClasses() {
    try {
      return Path.of(
              StopsWithParent.class.getProtectionDomain().getCodeSource().getLocation().toURI())
          .toString();
    } catch (URISyntaxException e) {
      throw new IllegalStateException("Own classes are not in a file", e);
    }
  }

  private static String classPath() {
    String file = System.getProperty(CLASS_PATH_FILE);
    if (file != null) {
      return fromFile(Path.of(file));
    }
    return Stream.of(ClassLoader.getSystemClassLoader(), DynamoDbLocal.class.getClassLoader())
        .map(DynamoDbLocal::visibleTo)
        .flatMap(Optional::stream)
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalStateException(
                    "DynamoDB Local is not on the class path. Add"
                        + " software.amazon.dynamodb:DynamoDBLocal in test scope (the module"
                        + " credential-manager-local brings it unless it is excluded)."));
  }

  private static String fromFile(Path file) {
    String classPath;
    try {
      classPath = Files.readString(file).strip();
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read the class path of DynamoDB Local: " + file, e);
    }
    List<String> missing =
        Stream.of(classPath.split(File.pathSeparator, -1))
            .filter(entry -> !Files.exists(Path.of(entry)))
            .toList();
    if (!missing.isEmpty()) {
      throw new IllegalStateException(
          "Not there any more: " + missing + ". Build the local stack again: " + file);
    }
    return classPath;
  }

  private static Optional<String> visibleTo(ClassLoader loader) {
    if (loader.getResource(MAIN_CLASS.replace('.', '/') + ".class") == null) {
      return Optional.empty();
    }
    if (loader instanceof URLClassLoader urls) {
      return Optional.of(
          Stream.of(urls.getURLs())
              .map(DynamoDbLocal::path)
              .collect(Collectors.joining(File.pathSeparator)));
    }
    return Optional.of(System.getProperty("java.class.path"));
  }

  private static String path(URL url) {
    try {
      return Path.of(url.toURI()).toString();
    } catch (URISyntaxException e) {
      throw new IllegalStateException("Not a file: " + url, e);
    }
  }

  /** The last lines of a process. */
  private static final class Output {
    private static final int LINES = 30;
    private final Deque<String> lines = new ArrayDeque<>();

    void follow(Process process) {
      Thread reader =
          new Thread(
              () -> {
                try (BufferedReader in =
                    new BufferedReader(
                        new InputStreamReader(
                            process.getInputStream(), Charset.defaultCharset()))) {
                  String line;
                  while ((line = in.readLine()) != null) {
                    add(line);
                  }
                } catch (IOException e) {
                  // The process is gone.
                }
              },
              "dynamodb-local-output");
      reader.setDaemon(true);
      reader.start();
    }

    private synchronized void add(String line) {
      if (lines.size() == LINES) {
        lines.removeFirst();
      }
      lines.add(line);
    }

    synchronized String text() {
      return String.join("\n", lines);
    }
  }
}
