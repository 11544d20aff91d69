package io.github.credentialmanager.infra;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.github.credentialmanager.infra.LambdaProcess.Initialization;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * How long is it from the start of a JVM to the first installation token, and what would an archive
 * of classes save?
 *
 * <p>The packaged GetInstallationToken function under Lambda's runtime interface client, JDK 25;
 * DynamoDB, KMS and GitHub are answered on loopback at once, so the figures are the function's own.
 * The token costs two reads, one signature and two calls of GitHub. Variants take turns, so that
 * what else the machine does hits all alike.
 *
 * <p>{@code infra/start-up} runs it; the last figures are in {@code benchmarks/README.md}.
 */
@RequiresJava25
class StartUpBenchmark {
  private static final int ROUNDS = 10;

  @TempDir private Path directory;

  private record Variant(
      Initialization initialization,
      List<String> options,
      Function<LambdaProcess, Duration> measure) {
    Variant(Initialization initialization, List<String> options) {
      this(initialization, options, LambdaProcess::sinceStart);
    }
  }

  private record Run(long elapsed, long processor) {}

  @Test
  void measure() throws Exception {
    Path taskRoot = directory.resolve("task");
    ServerPackage.unpackTo(taskRoot);
    String classPath = LambdaProcess.flatClassPath(taskRoot);
    Path appCds = directory.resolve("functions.jsa");
    Path aotCache = directory.resolve("functions.aot");
    HttpServer upstream = upstream();
    try {
      train(upstream, taskRoot, List.of("-cp", classPath, "-XX:ArchiveClassesAtExit=" + appCds));
      train(upstream, taskRoot, List.of("-cp", classPath, "-XX:AOTCacheOutput=" + aotCache));

      Map<String, Variant> variants = new LinkedHashMap<>();
      variants.put("as Lambda lays it out", new Variant(Initialization.ON_DEMAND, List.of()));
      variants.put(
          "all on one class path",
          new Variant(Initialization.ON_DEMAND, List.of("-cp", classPath)));
      variants.put(
          "one class path, AppCDS archive",
          new Variant(
              Initialization.ON_DEMAND,
              List.of("-cp", classPath, "-XX:SharedArchiveFile=" + appCds)));
      variants.put(
          "one class path, AOT cache",
          new Variant(
              Initialization.ON_DEMAND, List.of("-cp", classPath, "-XX:AOTCache=" + aotCache)));
      variants.put(
          "as Lambda lays it out, after a snapshot",
          new Variant(Initialization.SNAP_START, List.of(), LambdaProcess::sinceRestore));

      Map<String, List<Run>> figures = new LinkedHashMap<>();
      for (int round = 0; round < ROUNDS; round++) {
        for (Map.Entry<String, Variant> variant : variants.entrySet()) {
          figures
              .computeIfAbsent(variant.getKey(), name -> new ArrayList<>())
              .add(run(upstream, taskRoot, variant.getValue()));
        }
      }
      report(figures, Files.size(appCds), Files.size(aotCache));
    } finally {
      upstream.stop(0);
    }
  }

  private static void train(HttpServer upstream, Path taskRoot, List<String> options)
      throws Exception {
    try (LambdaProcess function =
        start(upstream, taskRoot, new Variant(Initialization.ON_DEMAND, options))) {
      vend(function);
      function.end();
    }
  }

  private static Run run(HttpServer upstream, Path taskRoot, Variant variant) throws Exception {
    try (LambdaProcess function = start(upstream, taskRoot, variant)) {
      vend(function);
      return new Run(
          variant.measure().apply(function).toMillis(), function.processorTime().toMillis());
    }
  }

  private static LambdaProcess start(HttpServer upstream, Path taskRoot, Variant variant) {
    String url = "http://127.0.0.1:" + upstream.getAddress().getPort();
    return LambdaProcess.start(
        RequiresJava25.Condition.java(),
        taskRoot,
        "io.github.credentialmanager.server." + Operation.GET_INSTALLATION_TOKEN.handler(),
        variant.initialization(),
        Map.of(
            "APP_TABLE_NAME", "Apps",
            "INSTALLATION_TABLE_NAME", "Installations",
            "AWS_ACCESS_KEY_ID", "key",
            "AWS_SECRET_ACCESS_KEY", "secret",
            "AWS_ENDPOINT_URL", url,
            "GITHUB_API_URL", url),
        variant.options());
  }

  private static void vend(LambdaProcess function) throws Exception {
    JsonNode answer = function.invoke(FunctionUrlEvents.to("/tokens/installation"));
    assertThat(answer.path("statusCode").asInt())
        .as("%s %s", answer, function.log())
        .isEqualTo(200);
  }

  private static HttpServer upstream() throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(Executors.newCachedThreadPool());
    server.createContext("/", StartUpBenchmark::answer);
    server.start();
    return server;
  }

  private static void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      String request = new String(exchange.getRequestBody().readAllBytes(), UTF_8);
      String target = exchange.getRequestHeaders().getFirst("X-Amz-Target");
      boolean aws = target != null;
      String body;
      if (!aws && exchange.getRequestURI().getPath().endsWith("/access_tokens")) {
        body =
            """
            {"token": "ghs_1001_%s", "expires_at": "%s", "permissions": {"metadata": "read"},
             "repository_selection": "all"}
            """
                .formatted(
                    "x".repeat(500),
                    Instant.now().plus(1, ChronoUnit.HOURS).truncatedTo(ChronoUnit.SECONDS));
      } else if (!aws) {
        body = "{\"id\": 1001}";
      } else if (target.endsWith(".Sign")) {
        body =
            """
            {"KeyId": "key", "Signature": "%s", "SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256"}
            """
                .formatted(Base64.getEncoder().encodeToString(new byte[256]));
      } else if (request.contains("\"Apps\"")) {
        body =
            """
            {"Item": {"AppId": {"N": "1001"},
                      "KmsKeyArn": {"S": "arn:aws:kms:us-east-1:123456789012:key/1"}}}
            """;
      } else {
        body =
            """
            {"Item": {"AppId": {"N": "1001"}, "NodeId": {"S": "O_kgDO1001_0"},
                      "InstallationId": {"N": "7001"}}}
            """;
      }
      byte[] bytes = body.getBytes(UTF_8);
      exchange
          .getResponseHeaders()
          .set("Content-Type", aws ? "application/x-amz-json-1.0" : "application/json");
      exchange.sendResponseHeaders(
          exchange.getRequestURI().getPath().endsWith("/access_tokens") ? 201 : 200, bytes.length);
      exchange.getResponseBody().write(bytes);
    }
  }

  private static void report(Map<String, List<Run>> figures, long appCds, long aotCache)
      throws IOException {
    StringBuilder table =
        new StringBuilder(
            "| | median ms | least | most | processor time, median ms |\n|---|---|---|---|---|\n");
    figures.forEach(
        (name, runs) -> {
          List<Long> elapsed = runs.stream().map(Run::elapsed).sorted().toList();
          table.append(
              String.format(
                  Locale.ROOT,
                  "| %s | %d | %d | %d | %d |%n",
                  name,
                  median(elapsed),
                  elapsed.get(0),
                  elapsed.get(ROUNDS - 1),
                  median(runs.stream().map(Run::processor).sorted().toList())));
        });
    table.append(
        String.format(
            Locale.ROOT,
            "%nAppCDS archive %.0f MB, AOT cache %.0f MB, package %.1f MB.%n",
            appCds / 1e6,
            aotCache / 1e6,
            ServerPackage.read().size() / 1e6));
    System.out.println(table);
    Files.writeString(Path.of("target/start-up.md"), table);
  }

  private static long median(List<Long> sorted) {
    return (sorted.get((ROUNDS - 1) / 2) + sorted.get(ROUNDS / 2)) / 2;
  }
}
