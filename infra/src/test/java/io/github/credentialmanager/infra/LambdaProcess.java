package io.github.credentialmanager.infra;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A function as Lambda runs it: the unpacked package under Lambda's own runtime interface client,
 * in a JVM of its own, fed by a Runtime API on loopback.
 *
 * <p>The runtime interface client's jars are all that is on the class path. It loads the function
 * from the working directory, so a jar that the package lacks is missed here, too.
 */
final class LambdaProcess implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Path RUNTIME = Path.of("target/runtime-interface-client").toAbsolutePath();
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Duration USUAL_TIMEOUT = Duration.ofSeconds(20);
  private static final String FUNCTION_ARN =
      SynthesizedStack.arn("lambda", "function:credential-manager:live");

  /** What an environment is like before its first event. */
  enum Initialization {
    ON_DEMAND("on-demand"),
    /** Lambda's client asks {@code /restore/next} where the snapshot would be taken. */
    SNAP_START("snap-start");

    private final String name;

    Initialization(String name) {
      this.name = name;
    }
  }

  private record Invocation(JsonNode event, Duration timeout) {}

  private final BlockingQueue<Invocation> invocations = new LinkedBlockingQueue<>();
  private final BlockingQueue<String> answers = new LinkedBlockingQueue<>();
  private final List<String> asked = new ArrayList<>();
  private final ExecutorService executor = Executors.newCachedThreadPool();
  private final HttpServer runtimeApi;
  private final Process process;
  private final Path log;
  private final long started;
  private volatile long restored;
  private volatile long answered;

  private LambdaProcess(
      Path java,
      Path taskRoot,
      String handler,
      Initialization initialization,
      Map<String, String> environment,
      List<String> options)
      throws IOException {
    runtimeApi = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    runtimeApi.setExecutor(executor);
    runtimeApi.createContext("/", this::serve);
    runtimeApi.start();

    log = Files.createTempFile("lambda-", ".log");
    List<String> command = new ArrayList<>();
    command.addAll(List.of(java.toString(), "--enable-native-access=ALL-UNNAMED"));
    command.addAll(options);
    if (!options.contains("-cp")) {
      command.addAll(List.of("-cp", jarsOf(RUNTIME)));
    }
    command.addAll(List.of("com.amazonaws.services.lambda.runtime.api.client.AWSLambda", handler));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().clear();
    builder
        .environment()
        .putAll(
            Map.of(
                "AWS_LAMBDA_RUNTIME_API",
                "127.0.0.1:" + runtimeApi.getAddress().getPort(),
                "AWS_LAMBDA_INITIALIZATION_TYPE",
                initialization.name,
                "AWS_LAMBDA_LOG_FORMAT",
                "JSON",
                "AWS_REGION",
                SynthesizedStack.REGION,
                "LAMBDA_TASK_ROOT",
                taskRoot.toString()));
    builder.environment().putAll(environment);
    builder.directory(taskRoot.toFile()).redirectErrorStream(true).redirectOutput(log.toFile());
    started = System.nanoTime();
    process = builder.start();
  }

  /** Starts a function of the unpacked package. */
  static LambdaProcess start(
      Path java,
      Path taskRoot,
      String handler,
      Initialization initialization,
      Map<String, String> environment) {
    return start(java, taskRoot, handler, initialization, environment, List.of());
  }

  /**
   * Starts a function of the unpacked package.
   *
   * @param options for the JVM; a {@code -cp} among them takes the place of the usual class path
   */
  static LambdaProcess start(
      Path java,
      Path taskRoot,
      String handler,
      Initialization initialization,
      Map<String, String> environment,
      List<String> options) {
    try {
      return new LambdaProcess(java, taskRoot, handler, initialization, environment, options);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The runtime interface client and the package on one class path, which Lambda does not have. */
  static String flatClassPath(Path taskRoot) throws IOException {
    return jarsOf(RUNTIME) + ":" + jarsOf(taskRoot.resolve("lib"));
  }

  private static String jarsOf(Path directory) throws IOException {
    try (Stream<Path> jars = Files.list(directory)) {
      return jars.map(Path::toString).sorted().collect(Collectors.joining(":"));
    }
  }

  /**
   * Hands the function an event and waits for its answer.
   *
   * @throws AssertionError if the function fails instead, or ends
   */
  JsonNode invoke(JsonNode event) throws Exception {
    return invoke(event, USUAL_TIMEOUT);
  }

  /**
   * Hands the function an event and waits for its answer.
   *
   * @param timeout what the function is told that it has
   * @throws AssertionError if the function fails instead, or ends
   */
  JsonNode invoke(JsonNode event, Duration timeout) throws Exception {
    invocations.add(new Invocation(event, timeout));
    for (long waited = 0; waited < PATIENCE.toMillis(); waited += 100) {
      String answer = answers.poll(100, TimeUnit.MILLISECONDS);
      if (answer != null) {
        assertThat(asked()).as("%s%n%s", answer, log()).noneMatch(path -> path.endsWith("/error"));
        return JSON.readTree(answer);
      }
      if (!process.isAlive()) {
        break;
      }
    }
    throw new AssertionError("No answer:\n" + log());
  }

  /** From the start of the JVM to the latest answer. */
  Duration sinceStart() {
    return Duration.ofNanos(answered - started);
  }

  /** From the moment a snapshot would be restored to the latest answer. */
  Duration sinceRestore() {
    return Duration.ofNanos(answered - restored);
  }

  /** The processor time of the JVM so far, which other load on the machine does not lengthen. */
  Duration processorTime() {
    return process.info().totalCpuDuration().orElseThrow();
  }

  /** Ends the JVM in an orderly way, which is when it writes archives. */
  void end() throws InterruptedException {
    process.destroy();
    process.waitFor();
  }

  /** What the process wrote to its standard output and error. */
  String log() throws IOException {
    return Files.readString(log);
  }

  /** The paths of the Runtime API that were asked for, in order. */
  List<String> asked() {
    synchronized (asked) {
      return List.copyOf(asked);
    }
  }

  private void serve(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    synchronized (asked) {
      asked.add(path.substring("/2018-06-01/runtime".length()));
    }
    byte[] body = {};
    try (exchange) {
      if (path.endsWith("/restore/next")) {
        restored = System.nanoTime();
      } else if (path.endsWith("/invocation/next")) {
        Invocation invocation = invocations.take();
        body = invocation.event().toString().getBytes(UTF_8);
        exchange.getResponseHeaders().set("Lambda-Runtime-Aws-Request-Id", UUID.randomUUID() + "");
        exchange
            .getResponseHeaders()
            .set(
                "Lambda-Runtime-Deadline-Ms",
                Long.toString(System.currentTimeMillis() + invocation.timeout().toMillis()));
        exchange.getResponseHeaders().set("Lambda-Runtime-Invoked-Function-Arn", FUNCTION_ARN);
      } else if (exchange.getRequestMethod().equals("POST")) {
        String answer = new String(exchange.getRequestBody().readAllBytes(), UTF_8);
        answered = System.nanoTime();
        answers.add(answer);
      }
      // The client's native part takes it for granted.
      exchange.getResponseHeaders().set("Content-Type", "application/json");
      exchange.sendResponseHeaders(200, body.length == 0 ? -1 : body.length);
      exchange.getResponseBody().write(body);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() throws IOException {
    process.destroyForcibly();
    runtimeApi.stop(0);
    executor.shutdownNow();
    Files.deleteIfExists(log);
  }
}
