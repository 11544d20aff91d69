package io.github.credentialmanager.infra;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The package that the template's functions have for their code, run as Lambda runs it. */
@RequiresJava25
class PackagedFunctionsTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private static Path taskRoot;

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

  /** The order in which Lambda takes a snapshot: initialised, then asked what to do on restore. */
  @Test
  void startAndAnswerAfterASnapshot() throws Exception {
    try (LambdaProcess function =
        start(
            Operation.GET_INSTALLATION_TOKEN, LambdaProcess.Initialization.SNAP_START, Map.of())) {
      assertThat(function.invoke(eventForAnUnknownPath()).path("statusCode").asInt())
          .isEqualTo(404);
      assertThat(function.asked()).startsWith("/restore/next", "/invocation/next");
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

  private static JsonNode eventForAnUnknownPath() throws IOException {
    try (var in = PackagedFunctionsTest.class.getResourceAsStream("/function-url-event.json")) {
      return JSON.readTree(new String(in.readAllBytes(), UTF_8));
    }
  }
}
