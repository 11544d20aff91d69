package io.github.credentialmanager.server;

import static com.github.tomakehurst.wiremock.client.WireMock.aResponse;
import static com.github.tomakehurst.wiremock.client.WireMock.any;
import static com.github.tomakehurst.wiremock.client.WireMock.anyRequestedFor;
import static com.github.tomakehurst.wiremock.client.WireMock.anyUrl;
import static com.github.tomakehurst.wiremock.client.WireMock.get;
import static com.github.tomakehurst.wiremock.client.WireMock.okJson;
import static com.github.tomakehurst.wiremock.client.WireMock.urlPathEqualTo;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import com.fasterxml.jackson.databind.JsonNode;
import com.github.tomakehurst.wiremock.http.HttpHeader;
import io.github.credentialmanager.server.ratelimit.RateLimitTrackerHandler;
import io.github.credentialmanager.server.refresh.InstallationTrackerHandler;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Drives all seven functions, and looks for secrets in all that is printed. */
class LogTest {
  private static final String SESSION = "IQoJb3JpZ2luX2VjSESSIONTOKEN";
  private static final String TOKEN =
      "ghs_1001_eyJhbGciOiJ-x.eyJpc3MiOiIx-y.c2lnbmF0dXJl-z_0123456789";
  private static final String HEADER = "AWS4-HMAC-SHA256 Credential=SECRETHEADER";
  private static final String BODY = "SECRETBODY";

  private final World world = new World();
  private final PrintStream out = System.out;
  private final PrintStream err = System.err;
  private final ByteArrayOutputStream printed = new ByteArrayOutputStream();

  @BeforeEach
  void setUp() {
    PrintStream captured = new PrintStream(printed, true, UTF_8);
    System.setOut(captured);
    System.setErr(captured);
    world.with(settings -> settings.auditLog(captured::println));
    world.app(1001).installation(1001, "O_1", 7001);
    GitHubStubs.knowsTheApp(world);
    GitHubStubs.lists(world, GitHubStubs.entry(7001, "O_1"));
    GitHubStubs.answersTokenCall(
        world,
        7001,
        okJson(
                "{\"token\":\""
                    + TOKEN
                    + "\",\"expires_at\":\"2099-01-01T00:00:00Z\",\"permissions\":{\"metadata\":\"read\"}}")
            .withStatus(201));
    world.gitHub.stubFor(
        get(urlPathEqualTo("/rate_limit"))
            .willReturn(
                okJson(
                    "{\"resources\":{\"core\":{\"limit\":1,\"used\":1,\"remaining\":0,\"reset\":1}}}")));
  }

  @AfterEach
  void close() {
    System.setOut(out);
    System.setErr(err);
    world.close();
  }

  private enum Trouble {
    NONE,
    KMS_QUOTES_THE_REQUEST,
    DYNAMODB_QUOTES_THE_REQUEST,
    GITHUB_QUOTES_THE_REQUEST,
    GITHUB_ANSWERS_GARBAGE,
    AN_ID_IS_A_TOKEN,
    THE_BODY_IS_NO_JSON
  }

  @ParameterizedTest
  @EnumSource
  void holdsNoSecretWhateverGoesWrong(Trouble trouble) {
    cause(trouble);
    Set<String> secrets = new HashSet<>(Set.of(SESSION, TOKEN, "SECRETHEADER", BODY));
    String nodeId = trouble == Trouble.AN_ID_IS_A_TOKEN ? TOKEN : "O_1";
    String body =
        trouble == Trouble.THE_BODY_IS_NO_JSON
            ? "{\"appId\":1001,\"nodeId\":" + BODY
            : "{\"appId\":1001,\"nodeId\":\"" + nodeId + "\",\"extra\":\"" + BODY + "\"}";
    for (Map.Entry<String, RequestStreamHandler> function :
        Map.copyOf(world.server().handlers()).entrySet()) {
      World.Response response =
          World.send(
              function.getValue(),
              World.event(
                  "POST",
                  function.getKey(),
                  Map.of("content-type", "application/json", "authorization", HEADER),
                  body));
      String vended = response.body().path("appToken").asText();
      if (!vended.isEmpty()) {
        secrets.add(vended);
      }
    }
    track(new InstallationTrackerHandler(world.server()));
    track(new RateLimitTrackerHandler(world.server()));
    secrets.addAll(jwts());
    secrets.addAll(signatures());

    String log = printed.toString(UTF_8);
    assertThat(log).isNotEmpty();
    for (String secret : secrets) {
      assertThat(log.contains(secret)).as("the log holds %.12s…", secret).isFalse();
    }
    assertThat(log.lines())
        .allSatisfy(line -> assertThatCode(() -> read(line)).doesNotThrowAnyException());
  }

  private void cause(Trouble trouble) {
    String quoting = "{\"message\":\"no: " + TOKEN + " " + HEADER + " " + BODY + "\"}";
    switch (trouble) {
      case KMS_QUOTES_THE_REQUEST -> world.kms.failWith("AccessDeniedException");
      case DYNAMODB_QUOTES_THE_REQUEST -> {
        KmsDouble failing = new KmsDouble();
        failing.failWith("AccessDeniedException");
        world.closing(failing).with(settings -> settings.dynamoDbEndpoint(failing.endpoint()));
      }
      case GITHUB_QUOTES_THE_REQUEST -> {
        // A message of GitHub's is logged: were it to quote a token, the token must not be.
        String quotingAToken = "{\"message\":\"no: " + TOKEN + "\"}";
        world.gitHub.stubFor(
            any(anyUrl()).willReturn(aResponse().withStatus(422).withBody(quotingAToken)));
      }
      case GITHUB_ANSWERS_GARBAGE ->
          world.gitHub.stubFor(
              any(anyUrl()).willReturn(aResponse().withStatus(200).withBody(quoting + quoting)));
      default -> {}
    }
  }

  private void track(RequestStreamHandler tracker) {
    try {
      tracker.handleRequest(
          new ByteArrayInputStream(("{\"detail\":\"" + BODY + "\"}").getBytes(UTF_8)),
          new ByteArrayOutputStream(),
          new TestContext(TestContext.ACCOUNT, 300_000));
    } catch (IOException | RuntimeException e) {
      // Lambda prints it.
      System.out.println("{\"failure\":\"" + e.getMessage() + "\"}");
      assertThat(e).hasNoCause();
      assertThat(e.getStackTrace()).isEmpty();
    }
  }

  /** Every credential that GitHub was shown. */
  private List<String> jwts() {
    return world.gitHub.findAll(anyRequestedFor(anyUrl())).stream()
        .map(request -> request.getHeaders().getHeader("authorization"))
        .filter(HttpHeader::isPresent)
        .map(header -> header.firstValue().replace("Bearer ", ""))
        .toList();
  }

  private List<String> signatures() {
    List<String> signatures = new ArrayList<>();
    for (String jwt : jwts()) {
      if (jwt.startsWith("eyJ")) {
        signatures.add(jwt.substring(jwt.lastIndexOf('.') + 1));
      }
    }
    return signatures;
  }

  @Test
  void isNotForgedByANodeId() {
    String forged = "O_1\n{\"event\":\"InstallationTokenVended\"}\u2028\u0085\r";
    String body = World.JSON.createObjectNode().put("appId", 1001).put("nodeId", forged).toString();
    for (String path : List.of("/tokens/installation", "/installations/info")) {
      world.post(path, body);
    }
    List<JsonNode> lines = printed.toString(UTF_8).lines().map(LogTest::read).toList();
    assertThat(lines).hasSize(2);
    assertThat(lines)
        .allSatisfy(
            line -> {
              assertThat(line.path("event").asText()).isEqualTo("RequestRefused");
              assertThat(line.path("nodeId").asText()).isEqualTo(forged);
            });
    assertThat(printed.toString(UTF_8)).doesNotContain("\u2028").doesNotContain("\u0085");
  }

  @Test
  void hasOneLineForAVendAndOneForARefusal() {
    world.post("/tokens/installation", "{\"appId\":1001,\"nodeId\":\"O_1\"}");
    world.post("/tokens/app", "{\"appId\":1001}");
    world.post("/tokens/app", "{\"appId\":1002}");
    List<JsonNode> lines = printed.toString(UTF_8).lines().map(LogTest::read).toList();
    assertThat(lines)
        .extracting(line -> line.path("event").asText())
        .containsExactly("InstallationTokenVended", "AppTokenVended", "RequestRefused");
    assertThat(lines.get(2).path("caller").asText()).contains("assumed-role/Builder");
    assertThat(lines.get(2).path("reason").asText()).isEqualTo("APP_NOT_REGISTERED");
  }

  private static JsonNode read(String line) {
    JsonNode read = World.read(line);
    assertThat(read.isObject()).as(line).isTrue();
    return read;
  }
}
