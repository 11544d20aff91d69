package io.github.credentialmanager.server;

import static com.github.tomakehurst.wiremock.client.WireMock.aResponse;
import static com.github.tomakehurst.wiremock.client.WireMock.equalToJson;
import static com.github.tomakehurst.wiremock.client.WireMock.get;
import static com.github.tomakehurst.wiremock.client.WireMock.okJson;
import static com.github.tomakehurst.wiremock.client.WireMock.request;
import static com.github.tomakehurst.wiremock.client.WireMock.urlPathEqualTo;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.github.tomakehurst.wiremock.client.MappingBuilder;
import com.github.tomakehurst.wiremock.client.ResponseDefinitionBuilder;
import com.github.tomakehurst.wiremock.http.Fault;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

/** Replays the contract's golden exchanges, as their README says, against the real handlers. */
class GoldenExchangesTest {
  private static final Map<String, String> PATHS =
      Map.of(
          "GetAppToken", "/tokens/app",
          "GetInstallationToken", "/tokens/installation",
          "RefreshCachedData", "/installations/refresh",
          "GetInstallationData", "/installations/info",
          "GetInstallations", "/installations");
  private static final Duration HANG = Duration.ofSeconds(30);

  /** For exchanges that end at the front door, whatever the world is like. */
  private static final World EMPTY_WORLD = new World();

  @AfterAll
  static void closeEmptyWorld() {
    EMPTY_WORLD.close();
  }

  @TestFactory
  Stream<DynamicTest> answersTheGoldenExchange() {
    return StreamSupport.stream(resource("index.json").spliterator(), false)
        .map(JsonNode::asText)
        .filter(file -> !file.startsWith("FunctionUrl/"))
        .map(file -> dynamicTest(file, () -> replay(resource(file))));
  }

  private static void replay(JsonNode exchange) {
    JsonNode given = exchange.path("given");
    if (given.isMissingNode() || (given.size() == 1 && given.has("event"))) {
      replay(exchange, EMPTY_WORLD);
      return;
    }
    try (World world = world(given)) {
      replay(exchange, world);
    }
  }

  private static void replay(JsonNode exchange, World world) {
    String nextToken = "";
    if (exchange.path("given").has("after")) {
      JsonNode earlier = resource(exchange.path("given").path("after").asText());
      nextToken = send(world, earlier, "").body().path("nextToken").asText();
    }
    World.Response response = send(world, exchange, nextToken);
    JsonNode expected = exchange.path("response");
    assertThat(response.status())
        .as("%s; log %s", response.raw(), world.log)
        .isEqualTo(expected.path("status").asInt());
    expected
        .path("headers")
        .properties()
        .forEach(
            header ->
                assertThat(response.headers().path(header.getKey()).asText())
                    .as(header.getKey())
                    .isEqualTo(header.getValue().asText()));
    assertMatches(expected.path("json"), response.body(), "");
  }

  private static World world(JsonNode given) {
    World world = new World();
    if (given.path("gitHub").findValuesAsText("fault").contains("NO_ANSWER")) {
      world.with(settings -> settings.requestTimeout(Duration.ofSeconds(2)));
    }
    if (given.has("now")) {
      world.at(given.path("now").asText());
    }
    if (given.has("callerPolicy")) {
      world.with(settings -> settings.callerPolicy(given.path("callerPolicy").toString()));
    }
    given.path("apps").forEach(app -> app(world, app));
    given.path("installations").forEach(row -> installation(world, row));
    given.path("gitHub").forEach(stub -> world.gitHub.stubFor(stub(stub)));
    if (given.path("kms").has("fault")) {
      world.kms.failWith(given.path("kms").path("fault").asText());
    }
    if (given.path("dynamoDb").has("fault")) {
      KmsDouble failing = new KmsDouble();
      failing.failWith(given.path("dynamoDb").path("fault").asText());
      world.with(settings -> settings.dynamoDbEndpoint(failing.endpoint())).closing(failing);
    }
    return world;
  }

  private static void app(World world, JsonNode app) {
    long appId = app.path("appId").asLong();
    if (app.path("kmsKeyArn").isNull()) {
      world.app(appId, Map.of());
    } else if (app.has("kmsKeyArn")) {
      world.app(appId, Map.of("KmsKeyArn", AttributeValue.fromS(app.path("kmsKeyArn").asText())));
    } else {
      world.app(appId);
    }
    // Below whatever the exchange itself stubs.
    world.gitHub.stubFor(get(urlPathEqualTo("/app")).atPriority(10).willReturn(okJson("{}")));
  }

  private static void installation(World world, JsonNode row) {
    world.installation(
        row.path("appId").asLong(),
        row.path("nodeId").asText(),
        Map.of(
            "InstallationId", World.number(row.path("installationId").asLong()),
            "TargetType", AttributeValue.fromS(row.path("targetType").asText()),
            "Name", AttributeValue.fromS(row.path("name").asText())));
  }

  private static MappingBuilder stub(JsonNode stub) {
    JsonNode wanted = stub.path("request");
    MappingBuilder mapping =
        request(wanted.path("method").asText(), urlPathEqualTo(wanted.path("path").asText()));
    if (wanted.has("json")) {
      mapping.withRequestBody(equalToJson(wanted.path("json").toString()));
    }
    return mapping.willReturn(answer(stub.path("response")));
  }

  private static ResponseDefinitionBuilder answer(JsonNode response) {
    switch (response.path("fault").asText()) {
      case "CONNECTION_RESET":
        return aResponse().withFault(Fault.CONNECTION_RESET_BY_PEER);
      case "NO_ANSWER":
        return aResponse().withFixedDelay((int) HANG.toMillis());
      default:
        ResponseDefinitionBuilder answer =
            aResponse()
                .withStatus(response.path("status").asInt())
                .withBody(
                    response.has("body")
                        ? response.path("body").asText()
                        : response.path("json").toString());
        response
            .path("headers")
            .properties()
            .forEach(header -> answer.withHeader(header.getKey(), header.getValue().asText()));
        return answer;
    }
  }

  private static World.Response send(World world, JsonNode exchange, String nextToken) {
    JsonNode request = exchange.path("request");
    Map<String, String> headers = new HashMap<>();
    request
        .path("headers")
        .properties()
        .forEach(h -> headers.put(h.getKey(), h.getValue().asText()));
    ObjectNode event =
        World.event(
            request.path("method").asText(),
            request.path("path").asText(),
            headers,
            body(request, nextToken));
    event.put("rawQueryString", request.path("query").asText(""));
    JsonNode patched = merge(event, exchange.path("given").path("event"));
    return world.send(requireNonNull(PATHS.get(exchange.path("operation").asText())), patched);
  }

  private static @Nullable String body(JsonNode request, String nextToken) {
    if (!request.has("body")) {
      return null;
    }
    String body = request.path("body").asText().replace("${nextToken}", nextToken);
    int missing = request.path("padTo").asInt() - body.getBytes(UTF_8).length;
    return missing > 0 ? body + " ".repeat(missing) : body;
  }

  /** RFC 7396. */
  private static JsonNode merge(JsonNode target, JsonNode patch) {
    if (patch.isMissingNode()) {
      return target;
    }
    if (!patch.isObject()) {
      return patch;
    }
    ObjectNode merged =
        target.isObject() ? ((ObjectNode) target).deepCopy() : World.JSON.createObjectNode();
    patch
        .properties()
        .forEach(
            member -> {
              if (member.getValue().isNull()) {
                merged.remove(member.getKey());
              } else {
                merged.set(member.getKey(), merge(merged.path(member.getKey()), member.getValue()));
              }
            });
    return merged;
  }

  private static void assertMatches(JsonNode expected, JsonNode actual, String path) {
    if (expected.isObject()) {
      assertThat(actual.properties().stream().map(Map.Entry::getKey))
          .as("members of %s: %s", path, actual)
          .containsExactlyInAnyOrderElementsOf(
              expected.properties().stream().map(Map.Entry::getKey).toList());
      expected
          .properties()
          .forEach(
              member ->
                  assertMatches(
                      member.getValue(),
                      actual.path(member.getKey()),
                      path + "/" + member.getKey()));
    } else if (expected.isArray()) {
      assertThat(actual.size()).as("length of %s: %s", path, actual).isEqualTo(expected.size());
      Iterator<JsonNode> elements = actual.elements();
      int index = 0;
      for (JsonNode element : expected) {
        assertMatches(element, elements.next(), path + "/" + index++);
      }
    } else {
      switch (expected.asText()) {
        case "${jwt}" ->
            assertThat(actual.asText())
                .as(path)
                .matches("[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+");
        case "${requestId}", "${nextToken}" -> assertThat(actual.asText()).as(path).isNotEmpty();
        default -> assertThat(actual).as(path).isEqualTo(expected);
      }
    }
  }

  private static JsonNode resource(String file) {
    try (InputStream in = GoldenExchangesTest.class.getResourceAsStream("/golden/" + file)) {
      assertThat(in).as("golden file %s", file).isNotNull();
      return World.JSON.readTree(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
