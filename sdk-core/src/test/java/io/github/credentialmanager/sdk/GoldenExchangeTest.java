package io.github.credentialmanager.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.credentialmanager.sdk.LoopbackServer.Received;
import io.github.credentialmanager.sdk.LoopbackServer.Reply;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;

/**
 * Replays the contract's golden exchanges: the client against a server that answers as the files
 * say.
 */
class GoldenExchangeTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

  private final LoopbackServer server = new LoopbackServer();
  private final CredentialManagerClient client =
      CredentialManagerClient.builder()
          .endpoint(server.url())
          .region(Region.EU_WEST_1)
          .credentialsProvider(
              StaticCredentialsProvider.create(
                  AwsSessionCredentials.create("AKIDEXAMPLE", SECRET_KEY, "a/session+token==")))
          .sleeper(pause -> {})
          .build();

  @AfterEach
  void close() {
    client.close();
    server.close();
  }

  static Stream<String> exchanges() throws IOException {
    List<String> names = new ArrayList<>();
    for (JsonNode name : read("index.json")) {
      if (read(name.asText()).has("client")) {
        names.add(name.asText());
      }
    }
    return names.stream();
  }

  @Test
  void coversEveryOperation() throws IOException {
    List<String> operations = new ArrayList<>();
    for (String name : exchanges().toList()) {
      operations.add(read(name).get("operation").asText());
    }
    assertThat(operations)
        .contains(Stream.of(Operation.values()).map(Operation::wireName).toArray(String[]::new));
  }

  @ParameterizedTest
  @MethodSource("exchanges")
  void answersTheGoldenExchange(String name) throws IOException {
    JsonNode exchange = read(name);
    JsonNode response = exchange.get("response");
    server.always(request -> reply(response));
    JsonNode expected = exchange.get("client");
    String outcome = expected.get("outcome").asText();
    JsonNode call = expected.get("call");
    String operation = exchange.get("operation").asText();

    switch (outcome) {
      case "token" -> assertToken((AccessToken) invoke(operation, call), response.get("json"));
      case "result" -> assertResult(invoke(operation, call), response.get("json"));
      case "denied" -> {
        TokenDeniedException e =
            catchThrowableOfType(TokenDeniedException.class, () -> invoke(operation, call));
        assertFailure(e, expected, response);
      }
      case "unavailable" -> {
        TokenUnavailableException e =
            catchThrowableOfType(TokenUnavailableException.class, () -> invoke(operation, call));
        assertFailure(e, expected, response);
        JsonNode retryAfter = response.path("json").path("retryAfterSeconds");
        if (!retryAfter.isMissingNode()) {
          assertThat(e.retryAfter())
              .hasValueSatisfying(wait -> assertThat(wait).hasSeconds(retryAfter.asLong()));
        }
      }
      default -> throw new AssertionError("unknown outcome " + outcome);
    }

    assertThat(server.received()).isNotEmpty();
    for (Received request : server.received()) {
      assertRequest(request, exchange.get("request"));
    }
  }

  private Object invoke(String operation, JsonNode call) {
    String nodeId = call.path("nodeId").asText();
    return switch (operation) {
      case "GetAppToken" -> client.getAppToken(call.get("appId").asLong());
      case "GetInstallationToken" -> {
        Scope scope = scope(call.get("scopeDown"));
        yield scope == null
            ? client.getInstallationToken(call.get("appId").asLong(), nodeId)
            : client.getInstallationToken(call.get("appId").asLong(), nodeId, scope);
      }
      case "RefreshCachedData" -> client.refreshCachedData();
      case "GetInstallationData" -> client.getInstallationData(nodeId);
      case "GetInstallations" ->
          client.getInstallations(
              call.path("maxResults").asInt(),
              call.has("nextToken") ? call.get("nextToken").asText() : null);
      default -> throw new AssertionError("unknown operation " + operation);
    };
  }

  private static void assertRequest(Received request, JsonNode expected) throws IOException {
    assertThat(request.method()).isEqualTo(expected.get("method").asText());
    assertThat(request.path()).isEqualTo(expected.get("path").asText());
    for (Map.Entry<String, JsonNode> header : expected.get("headers").properties()) {
      assertThat(request.header(header.getKey())).isEqualTo(header.getValue().asText());
    }
    if (expected.has("body")) {
      assertThat(JSON.readTree(request.body()))
          .isEqualTo(JSON.readTree(expected.get("body").asText()));
    } else {
      assertThat(request.body()).isEmpty();
      assertThat(request.header("content-type")).isNull();
    }
    SigV4.Scope signed = SigV4.verify(request, SECRET_KEY);
    assertThat(signed.accessKeyId()).isEqualTo("AKIDEXAMPLE");
    assertThat(signed.region()).isEqualTo("eu-west-1");
    assertThat(signed.service()).isEqualTo("lambda");
    assertThat(request.header("x-amz-security-token")).isEqualTo("a/session+token==");
  }

  private static void assertToken(AccessToken token, JsonNode json) {
    JsonNode value = json.has("appToken") ? json.get("appToken") : json.get("installationToken");
    assertThat(token.secret().reveal()).isEqualTo(value.asText());
    assertThat(token.authorization()).isEqualTo("Bearer " + value.asText());
    assertThat(token.expirationTime())
        .isEqualTo(Instant.parse(json.get("expirationTime").asText()));
    assertThat(token.appId()).isEqualTo(json.get("appId").asLong());
    assertThat(token.nodeId().orElse(null))
        .isEqualTo(json.has("nodeId") ? json.get("nodeId").asText() : null);
    assertThat(token.grantedScope().orElse(null)).isEqualTo(scope(json.get("actualScopeDown")));
  }

  private static void assertResult(Object result, JsonNode json) {
    if (result instanceof RefreshSummary summary) {
      assertThat(summary)
          .isEqualTo(
              new RefreshSummary(
                  json.get("message").asText(), Instant.parse(json.get("refreshedDate").asText())));
    } else if (result instanceof InstallationsPage page) {
      assertThat(page.installations()).isEqualTo(installations(json));
      assertThat(page.nextToken().orElse(null))
          .isEqualTo(json.has("nextToken") ? json.get("nextToken").asText() : null);
    } else {
      assertThat(result).isEqualTo(installations(json));
    }
  }

  private static List<Installation> installations(JsonNode json) {
    List<Installation> installations = new ArrayList<>();
    for (JsonNode each : json.get("installations")) {
      installations.add(
          new Installation(
              each.get("appId").asLong(),
              each.get("installationId").asLong(),
              each.get("nodeId").asText(),
              each.get("targetType").asText(),
              each.get("name").asText()));
    }
    return installations;
  }

  private static void assertFailure(
      CredentialManagerException e, JsonNode expected, JsonNode response) {
    assertThat(e).as("exception").isNotNull();
    if (expected.has("reason")) {
      assertThat(e.reason().name()).isEqualTo(expected.get("reason").asText());
    }
    JsonNode requestId = response.path("json").path("requestId");
    if (!requestId.isMissingNode()) {
      assertThat(e.requestId()).contains(requestId.asText());
    }
    String serverSays = response.path("json").path("message").asText();
    if (!serverSays.isEmpty()) {
      assertThat(e).hasMessageNotContaining(serverSays);
    }
  }

  private static @Nullable Scope scope(@Nullable JsonNode json) {
    if (json == null || json.isNull()) {
      return null;
    }
    Scope.Builder scope = Scope.builder();
    json.path("repositoryIds").forEach(id -> scope.repositoryIds(id.asLong()));
    json.path("repositoryNames").forEach(repository -> scope.repositories(repository.asText()));
    json.path("permissions")
        .properties()
        .forEach(
            permission ->
                scope.permission(
                    permission.getKey(),
                    Scope.Access.valueOf(permission.getValue().asText().toUpperCase(Locale.ROOT))));
    return scope.build();
  }

  private static Reply reply(JsonNode response) {
    String body =
        response.has("json") ? response.get("json").toString() : response.path("text").asText();
    Map<String, String> headers = new TreeMap<>();
    response
        .path("headers")
        .properties()
        .forEach(header -> headers.put(header.getKey(), header.getValue().asText()));
    return new Reply(
        response.get("status").asInt(), headers, body.getBytes(StandardCharsets.UTF_8));
  }

  private static JsonNode read(String name) throws IOException {
    try (InputStream in = GoldenExchangeTest.class.getResourceAsStream("/golden/" + name)) {
      if (in == null) {
        throw new AssertionError("no /golden/" + name);
      }
      return JSON.readTree(in);
    }
  }
}
