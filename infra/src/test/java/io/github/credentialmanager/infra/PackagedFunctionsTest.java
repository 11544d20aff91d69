package io.github.credentialmanager.infra;

import static java.util.Objects.requireNonNull;
import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.toList;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The package that the template's functions have for their code, run as Lambda runs it. */
@RequiresJava25
class PackagedFunctionsTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private static Path taskRoot;

  /** Where the golden exchanges are at the moment. */
  private static @Nullable World world;

  private static @Nullable LambdaProcess function;

  @BeforeAll
  static void unpack() throws IOException {
    ServerPackage.unpackTo(taskRoot);
  }

  @ParameterizedTest
  @EnumSource
  void startAndAnswer(Operation operation) throws Exception {
    try (LambdaProcess function =
        start(operation, LambdaProcess.Initialization.ON_DEMAND, Map.of())) {
      JsonNode answer = function.invoke(eventForAnUnknownPath());
      assertThat(answer.path("statusCode").asInt()).isEqualTo(404);
      assertThat(answer.at("/headers/x-amzn-errortype").asText())
          .isEqualTo("UnknownOperationException");
    }
  }

  /** Exchanges of equal worlds share a process: what it remembers of one holds in the next. */
  @TestFactory
  Stream<DynamicTest> answerTheGoldenExchange() {
    Map<String, List<GoldenExchange>> byWorld =
        GoldenExchange.all().stream()
            .collect(
                groupingBy(
                    exchange -> exchange.operation() + exchange.world(),
                    LinkedHashMap::new,
                    toList()));
    return byWorld.values().stream()
        .flatMap(
            exchanges -> {
              GoldenExchange first = exchanges.get(0);
              return exchanges.stream()
                  .map(
                      exchange ->
                          dynamicTest(
                              exchange.toString(),
                              () -> {
                                if (exchange == first) {
                                  enter(first);
                                }
                                replay(exchange);
                              }));
            });
  }

  private static void enter(GoldenExchange first) throws Exception {
    leave();
    world = first.newWorld();
    function =
        LambdaProcess.start(
            RequiresJava25.Condition.java(),
            taskRoot,
            "io.github.credentialmanager.server." + handler(first.operation()),
            LambdaProcess.Initialization.ON_DEMAND,
            first.environment(world),
            // What it answers, not how soon, once it runs: the second compiler would only cost
            // time.
            List.of("-XX:TieredStopAtLevel=1"));
  }

  private static String handler(String operation) {
    return Arrays.stream(Operation.values())
        .filter(one -> one.constructId().equals(operation))
        .findAny()
        .orElseThrow()
        .handler();
  }

  private static void replay(GoldenExchange exchange) throws Exception {
    LambdaProcess process = requireNonNull(function);
    String nextToken = "";
    if (exchange.after().isPresent()) {
      JsonNode earlier = process.invoke(exchange.after().get().event(""));
      nextToken = JSON.readTree(earlier.path("body").asText()).path("nextToken").asText();
    }
    exchange.assertAnswer(process.invoke(exchange.event(nextToken)));
  }

  @AfterAll
  static void leave() throws IOException {
    if (function != null) {
      function.close();
      function = null;
    }
    if (world != null) {
      world.close();
      world = null;
    }
  }

  /** The order in which Lambda takes a snapshot: initialised, then asked what to do on restore. */
  @Test
  void startAndAnswerAfterASnapshot() throws Exception {
    try (LambdaProcess function =
        start(
            Operation.GET_INSTALLATION_TOKEN, LambdaProcess.Initialization.SNAP_START, Map.of())) {
      assertThat(function.invoke(eventForAnUnknownPath()).path("statusCode").asInt())
          .isEqualTo(404);
      assertThat(function.asked()).startsWith("/restore/next", "/invocation/next");
      assertThat(function.log()).doesNotContain("PrimingFailed");
    }
  }

  /** What is called before a snapshot is taken would be in every environment made from it. */
  @ParameterizedTest
  @EnumSource(
      value = Operation.class,
      names = {"GET_APP_TOKEN", "GET_INSTALLATION_TOKEN"})
  void callNobodyBeforeASnapshot(Operation operation) throws Exception {
    try (ServerSocket upstream = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      upstream.setSoTimeout(1);
      String url = "http://127.0.0.1:" + upstream.getLocalPort();
      try (LambdaProcess function =
          start(
              operation,
              LambdaProcess.Initialization.SNAP_START,
              Map.of("AWS_ENDPOINT_URL", url, "GITHUB_API_URL", url))) {
        function.invoke(eventForAnUnknownPath());
        assertThatThrownBy(upstream::accept).isInstanceOf(SocketTimeoutException.class);
      }
    }
  }

  /** The variable as the template has it, on a caller whom the policy does not name. */
  @Test
  void refuseWhomTheCallerPolicyDoesNotName() throws Exception {
    assumeTrue(RequiresNode.Condition.isPresent());
    SynthesizedStack stack =
        SynthesizedStack.of(
            CredentialManagerProps.builder()
                .callerPolicy(
                    """
                    {"statements": [
                      {"account": "%s", "role": "Deployer", "appIds": [1001]}]}
                    """
                        .formatted(SynthesizedStack.ACCOUNT))
                .build());
    String policy =
        stack
            .resource("AWS::Lambda::Function", "GetAppTokenFunction")
            .properties()
            .at("/Environment/Variables/CALLER_POLICY")
            .asText();
    ObjectNode event = FunctionUrlEvents.to("/tokens/app").put("body", "{\"appId\":1001}");
    try (World behind = new World().app(1001);
        LambdaProcess process =
            start(
                Operation.GET_APP_TOKEN,
                LambdaProcess.Initialization.ON_DEMAND,
                with(behind.environment(), "CALLER_POLICY", policy))) {
      behind.gitHub((method, path, appId, body) -> World.Answer.json(200, "{}"));
      assertThat(process.invoke(event).path("statusCode").asInt()).isEqualTo(403);
      assertThat(behind.calls()).isEmpty();
      event
          .withObject("/requestContext/authorizer/iam")
          .put("userArn", "arn:aws:sts::111111111111:assumed-role/Deployer/session");
      assertThat(process.invoke(event).path("statusCode").asInt()).isEqualTo(200);
    }
  }

  private static Map<String, String> with(
      Map<String, String> variables, String name, String value) {
    Map<String, String> all = new HashMap<>(variables);
    all.put(name, value);
    return all;
  }

  /** Metric filters and people read the log line by line. */
  @Test
  void logNothingButJson() throws Exception {
    try (LambdaProcess function =
        start(Operation.GET_APP_TOKEN, LambdaProcess.Initialization.ON_DEMAND, Map.of())) {
      function.invoke(eventForAnUnknownPath());
      List<String> lines = function.log().lines().toList();
      assertThat(lines).isNotEmpty();
      for (String line : lines) {
        assertThat(JSON.readTree(line).path("event").asText()).as(line).isEqualTo("RequestRefused");
      }
    }
  }

  private static LambdaProcess start(
      Operation operation,
      LambdaProcess.Initialization initialization,
      Map<String, String> environment) {
    Map<String, String> variables =
        new HashMap<>(
            Map.of(
                "APP_TABLE_NAME", "Apps",
                "INSTALLATION_TABLE_NAME", "Installations",
                "AWS_ACCESS_KEY_ID", "key",
                "AWS_SECRET_ACCESS_KEY", "secret"));
    variables.putAll(environment);
    return LambdaProcess.start(
        RequiresJava25.Condition.java(),
        taskRoot,
        "io.github.credentialmanager.server." + operation.handler(),
        initialization,
        variables);
  }

  private static JsonNode eventForAnUnknownPath() {
    return FunctionUrlEvents.to("/no/such/operation");
  }
}
