package io.github.credentialmanager.server.appcredentials;

import static com.github.tomakehurst.wiremock.client.WireMock.aResponse;
import static com.github.tomakehurst.wiremock.client.WireMock.get;
import static com.github.tomakehurst.wiremock.client.WireMock.getRequestedFor;
import static com.github.tomakehurst.wiremock.client.WireMock.matching;
import static com.github.tomakehurst.wiremock.client.WireMock.okJson;
import static com.github.tomakehurst.wiremock.client.WireMock.urlPathEqualTo;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.github.tomakehurst.wiremock.stubbing.Scenario;
import io.github.credentialmanager.server.GitHubStubs;
import io.github.credentialmanager.server.World;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

/** Through GetAppToken, for that hands out what these credentials are. */
class AppCredentialsTest {
  private static final String OLD = World.keyArn("old");
  private static final String NEW = World.keyArn("new");

  private final World world = new World();

  @BeforeEach
  void setUp() {
    world.at("2026-11-23T08:51:02Z").app(1001);
    world.kms.key(OLD).key(NEW);
    GitHubStubs.knowsTheApp(world);
  }

  @AfterEach
  void close() {
    world.close();
  }

  private World.Response post() {
    return world.post("/tokens/app", "{\"appId\":1001}");
  }

  private void row(String keyArn, @Nullable String previousKeyArn) {
    Map<String, AttributeValue> attributes =
        new HashMap<>(Map.of("KmsKeyArn", AttributeValue.fromS(keyArn)));
    if (previousKeyArn != null) {
      attributes.put("PreviousKmsKeyArn", AttributeValue.fromS(previousKeyArn));
    }
    world.app(1001, attributes);
  }

  /** GitHub refuses the next JWT, and no other. */
  private void gitHubRefusesOnce() {
    world.gitHub.stubFor(
        get(urlPathEqualTo("/app"))
            .inScenario("refusal")
            .whenScenarioStateIs(Scenario.STARTED)
            .willSetStateTo("accepts")
            .willReturn(aResponse().withStatus(401).withBody("{}")));
    world.gitHub.stubFor(
        get(urlPathEqualTo("/app"))
            .inScenario("refusal")
            .whenScenarioStateIs("accepts")
            .willReturn(okJson("{}")));
  }

  private int proofs() {
    return world.gitHub.findAll(getRequestedFor(urlPathEqualTo("/app"))).size();
  }

  @Nested
  class AKey {
    @Test
    void isProvenOnceWhenItIsFirstUsed() {
      post();
      post();
      assertThat(proofs()).isEqualTo(1);
      world.advance(Duration.ofMinutes(5));
      post();
      assertThat(world.kms.signedWith()).hasSize(2);
      assertThat(proofs()).isEqualTo(1);
    }

    @Test
    void isProvenByAVendToo() {
      world.installation(1001, "O_1", 7001);
      GitHubStubs.vends(world, 7001);
      world.post("/tokens/installation", "{\"appId\":1001,\"nodeId\":\"O_1\"}");
      post();
      assertThat(proofs()).isZero();
    }

    @Test
    void ofOneAppIsNotProvenForAnother() {
      row(OLD, null);
      world.app(1002, Map.of("KmsKeyArn", AttributeValue.fromS(OLD)));
      String first = post().body().path("appToken").asText();
      String second =
          world.post("/tokens/app", "{\"appId\":1002}").body().path("appToken").asText();
      assertThat(issuer(first)).isEqualTo("1001");
      assertThat(issuer(second)).isEqualTo("1002");
      assertThat(proofs()).isEqualTo(2);
    }

    private static String issuer(String jwt) {
      byte[] claims = Base64.getUrlDecoder().decode(jwt.split("\\.", -1)[1]);
      return World.read(new String(claims, UTF_8)).path("iss").asText();
    }

    @Test
    void thatReplacesAnotherIsUsedWithinAMinute() {
      post();
      row(NEW, null);
      world.advance(Duration.ofSeconds(60));
      post();
      assertThat(world.kms.signedWith()).containsExactly(World.keyArn("app-1001"), NEW);
      assertThat(proofs()).as("the new key has to be proven").isEqualTo(2);
    }
  }

  @Nested
  class AKeyThatKmsWillNotUse {
    @Test
    void givesWayToTheOneBeforeIt() {
      row(NEW, OLD);
      world.kms.failWith(NEW, "DisabledException");
      assertThat(post().status()).isEqualTo(200);
      assertThat(world.kms.signedWith()).containsExactly(OLD);
      assertThat(world.logged("PreviousKeyUsed")).hasSize(1);
      assertThat(world.logged("PreviousKeyUsed").get(0).path("kmsKeyArn").asText()).isEqualTo(OLD);
    }

    @Test
    void givesWayToTheOneThatTheRowNamesByNow() {
      row(OLD, null);
      world.kms.failWith(OLD, "KMSInvalidStateException");
      assertThat(post().body().path("reason").asText()).isEqualTo("APP_KEY_UNAVAILABLE");
      row(NEW, null);
      assertThat(post().status()).as("the row that is remembered still says old").isEqualTo(200);
      assertThat(world.kms.signedWith()).containsExactly(NEW);
    }

    @Test
    void isTheEndIfThereIsNoOther() {
      world.kms.failWith(World.keyArn("app-1001"), "AccessDeniedException");
      World.Response response = post();
      assertThat(response.status()).isEqualTo(500);
      assertThat(response.body().path("reason").asText()).isEqualTo("APP_KEY_UNAVAILABLE");
    }

    @Test
    void isNotReplacedWhereKmsOnlyThrottles() {
      row(NEW, OLD);
      world.kms.failWith(NEW, "ThrottlingException");
      assertThat(post().status()).isEqualTo(429);
      assertThat(world.kms.signedWith()).isEmpty();
    }
  }

  @Nested
  class AJwtThatGitHubRefuses {
    @Test
    void isSignedAnewIfItWasARememberedOne() {
      world.installation(1001, "O_1", 7001);
      GitHubStubs.vends(world, 7001);
      world.post("/tokens/installation", "{\"appId\":1001,\"nodeId\":\"O_1\"}");
      world.advance(Duration.ofSeconds(30));
      GitHubStubs.answersTokenCall(world, 7001, aResponse().withStatus(401).withBody("{}"));
      World.Response response =
          world.post("/tokens/installation", "{\"appId\":1001,\"nodeId\":\"O_1\"}");
      assertThat(response.body().path("reason").asText()).isEqualTo("APP_KEY_REJECTED");
      assertThat(world.kms.signedWith())
          .as("one for the first call, one more for the refused one")
          .hasSize(2);
    }

    @Test
    void givesWayToTheKeyBefore() {
      row(NEW, OLD);
      gitHubRefusesOnce();
      assertThat(post().status()).isEqualTo(200);
      assertThat(world.kms.signedWith()).containsExactly(NEW, OLD);
      assertThat(world.logged("PreviousKeyUsed")).hasSize(1);
      post();
      assertThat(world.kms.signedWith()).as("what works is remembered").hasSize(2);
    }

    @Test
    void isTheEndIfEveryKeyIsRefused() {
      row(NEW, OLD);
      world.gitHub.stubFor(
          get(urlPathEqualTo("/app")).willReturn(aResponse().withStatus(401).withBody("{}")));
      World.Response response = post();
      assertThat(response.body().path("reason").asText()).isEqualTo("APP_KEY_REJECTED");
      assertThat(world.kms.signedWith()).containsExactly(NEW, OLD);
    }
  }

  @Nested
  class ThirtyTwoCallersAtOnce {
    @Test
    void costOneSignatureAndOneProof() throws Exception {
      int callers = 32;
      ExecutorService threads = Executors.newFixedThreadPool(callers);
      try {
        CyclicBarrier start = new CyclicBarrier(callers);
        List<Future<String>> answers = new ArrayList<>();
        for (int i = 0; i < callers; i++) {
          answers.add(
              threads.submit(
                  () -> {
                    start.await();
                    return post().body().path("appToken").asText();
                  }));
        }
        Set<String> tokens = new HashSet<>();
        for (Future<String> answer : answers) {
          tokens.add(answer.get());
        }
        assertThat(tokens).hasSize(1).allMatch(token -> token.startsWith("eyJ"));
        assertThat(world.kms.signedWith()).hasSize(1);
        assertThat(proofs()).isEqualTo(1);
        assertThat(world.logged("AppTokenVended")).hasSize(callers);
      } finally {
        threads.shutdownNow();
      }
    }
  }

  @Test
  void noTwoJwtsAreAlike() {
    String first = post().body().path("appToken").asText();
    world.with(settings -> {});
    assertThat(post().body().path("appToken").asText()).isNotEqualTo(first);
    world.gitHub.verify(
        2,
        getRequestedFor(urlPathEqualTo("/app")).withHeader("authorization", matching("Bearer .+")));
  }
}
