package io.github.credentialmanager.infra;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.StreamSupport;

/** One of the contract's golden exchanges, read as their README says. */
final class GoldenExchange {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration PATIENCE = Duration.ofMinutes(1);

  private final String file;
  private final JsonNode exchange;
  private final JsonNode given;

  private GoldenExchange(String file) {
    this.file = file;
    this.exchange = resource(file);
    this.given = exchange.path("given");
  }

  /** All that a server answers. */
  static List<GoldenExchange> all() {
    return StreamSupport.stream(resource("index.json").spliterator(), false)
        .map(JsonNode::asText)
        .filter(file -> !file.startsWith("FunctionUrl/"))
        .map(GoldenExchange::new)
        .toList();
  }

  String operation() {
    return exchange.path("operation").asText();
  }

  /** The exchange to replay first. */
  Optional<GoldenExchange> after() {
    return given.has("after")
        ? Optional.of(new GoldenExchange(given.path("after").asText()))
        : Optional.empty();
  }

  /** What the world is like but for the clock; functions in equal worlds answer alike. */
  JsonNode world() {
    ObjectNode world = given.isObject() ? given.deepCopy() : JSON.createObjectNode();
    return world.remove(List.of("now", "event", "after"));
  }

  /** Makes the world as it is given. */
  World newWorld() throws Exception {
    World world = new World();
    for (JsonNode app : given.path("apps")) {
      long appId = app.path("appId").asLong();
      if (!app.has("kmsKeyArn")) {
        world.app(appId);
      } else {
        world.app(
            appId,
            app.path("kmsKeyArn").isNull()
                ? ""
                : "\"KmsKeyArn\": {\"S\": %s}".formatted(app.path("kmsKeyArn")));
      }
    }
    for (JsonNode row : given.path("installations")) {
      world.installation(
          row.path("appId").asLong(),
          row.path("nodeId").asText(),
          row.path("installationId").asLong(),
          row.path("targetType").asText(),
          row.path("name").asText());
    }
    for (String service : List.of("kms", "dynamoDb")) {
      if (given.path(service).has("fault")) {
        world.failing(
            service.toLowerCase(java.util.Locale.ROOT), given.path(service).path("fault").asText());
      }
    }
    return world.gitHub((method, path, appId, body) -> gitHub(method, path, body));
  }

  /** The environment of a function in that world. */
  Map<String, String> environment(World world) {
    Map<String, String> environment = new LinkedHashMap<>(world.environment());
    if (given.has("callerPolicy")) {
      environment.put("CALLER_POLICY", given.path("callerPolicy").toString());
    }
    return environment;
  }

  private World.Answer gitHub(String method, String path, JsonNode body) {
    for (JsonNode stub : given.path("gitHub")) {
      JsonNode wanted = stub.path("request");
      if (wanted.path("method").asText().equals(method)
          && wanted.path("path").asText().equals(path)
          && (!wanted.has("json") || wanted.path("json").equals(body))) {
        return answer(stub.path("response"));
      }
    }
    return World.Answer.json(path.equals("/app") ? 200 : 404, "{}");
  }

  private World.Answer answer(JsonNode response) {
    Map<String, String> headers = new LinkedHashMap<>();
    response
        .path("headers")
        .properties()
        .forEach(header -> headers.put(header.getKey(), header.getValue().asText()));
    // The one instant that the server counts from now and that is no token's expiry.
    headers.computeIfPresent(
        "x-ratelimit-reset",
        (name, value) -> Long.toString(here(Instant.ofEpochSecond(Long.parseLong(value)))));
    int status =
        switch (response.path("fault").asText()) {
          case "NO_ANSWER" -> 0;
          case "CONNECTION_RESET" -> World.Answer.RESET;
          default -> response.path("status").asInt();
        };
    return new World.Answer(
        status,
        headers,
        response.has("body") ? response.path("body").asText() : response.path("json").toString());
  }

  /**
   * The event that Lambda makes of the request.
   *
   * @param nextToken stands where the request says so
   */
  JsonNode event(String nextToken) {
    JsonNode request = exchange.path("request");
    String path = request.path("path").asText();
    ObjectNode event = FunctionUrlEvents.to(path);
    event.put("rawQueryString", request.path("query").asText());
    event.withObject("/requestContext/http").put("method", request.path("method").asText());
    ObjectNode headers = event.withObject("/headers");
    headers.remove("content-type");
    headers.setAll((ObjectNode) request.path("headers").deepCopy());
    if (request.has("body")) {
      String body = request.path("body").asText().replace("${nextToken}", nextToken);
      int missing = request.path("padTo").asInt() - body.getBytes(UTF_8).length;
      event.put("body", missing > 0 ? body + " ".repeat(missing) : body);
    } else {
      event.putNull("body");
    }
    return merge(event, given.path("event"));
  }

  /** RFC 7396. */
  private static JsonNode merge(JsonNode target, JsonNode patch) {
    if (patch.isMissingNode()) {
      return target;
    }
    if (!patch.isObject()) {
      return patch;
    }
    ObjectNode merged = target.isObject() ? target.deepCopy() : JSON.createObjectNode();
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

  /** Asserts that this 2.0 response, which has just come, is the exchange's answer. */
  void assertAnswer(JsonNode response) throws IOException {
    JsonNode expected = exchange.path("response");
    assertThat(response.path("statusCode").asInt())
        .as("%s", response)
        .isEqualTo(expected.path("status").asInt());
    expected
        .path("headers")
        .properties()
        .forEach(
            header ->
                assertSame(
                    header.getValue(),
                    response.path("headers").path(header.getKey()),
                    header.getKey()));
    assertSame(expected.path("json"), JSON.readTree(response.path("body").asText()), "");
  }

  private void assertSame(JsonNode expected, JsonNode actual, String path) {
    if (expected.isContainerNode()) {
      assertThat(actual.getNodeType()).as(path).isEqualTo(expected.getNodeType());
      assertThat(actual.size()).as("%s: %s", path, actual).isEqualTo(expected.size());
      expected
          .properties()
          .forEach(
              member ->
                  assertSame(
                      member.getValue(),
                      actual.path(member.getKey()),
                      path + "/" + member.getKey()));
      for (int i = 0; expected.isArray() && i < expected.size(); i++) {
        assertSame(expected.get(i), actual.path(i), path + "/" + i);
      }
      return;
    }
    switch (expected.asText()) {
      case "${jwt}" -> assertThat(actual.asText()).as(path).matches("[\\w-]+\\.[\\w-]+\\.[\\w-]+");
      case "${requestId}", "${nextToken}" -> assertThat(actual.asText()).as(path).isNotEmpty();
      default -> {
        if (!isAsFarFromNow(expected, actual) && !isSameWait(path, expected, actual)) {
          assertThat(actual).as(path).isEqualTo(expected);
        }
      }
    }
  }

  /** A packaged function has the machine's clock, not the exchange's. */
  private boolean isAsFarFromNow(JsonNode expected, JsonNode actual) {
    try {
      long ago =
          here(Instant.parse(expected.asText())) - Instant.parse(actual.asText()).getEpochSecond();
      return ago >= 0 && ago < PATIENCE.toSeconds();
    } catch (DateTimeParseException noInstant) {
      return false;
    }
  }

  private static boolean isSameWait(String path, JsonNode expected, JsonNode actual) {
    long passed = expected.asLong() - actual.asLong();
    return path.matches("retry-after|/retryAfterSeconds")
        && passed >= 0
        && passed < PATIENCE.toSeconds();
  }

  /** An instant of the exchange's, by the machine's clock, in seconds. */
  private long here(Instant there) {
    Instant then = Instant.parse(given.path("now").asText());
    return Instant.now().plus(Duration.between(then, there)).getEpochSecond();
  }

  private static JsonNode resource(String file) {
    try (InputStream in = GoldenExchange.class.getResourceAsStream("/golden/" + file)) {
      assertThat(in).as("golden file %s", file).isNotNull();
      return JSON.readTree(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public String toString() {
    return file;
  }
}
