package io.github.credentialmanager.ops;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.credentialmanager.ops.KeyManagerException.Reason;
import java.net.URI;
import java.security.KeyPair;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GitHubApiTest {
  private static final KeyPair KEY = TestKeys.rsa(2048);
  private static final String APP =
      "{\"id\":1001,\"slug\":\"demo\",\"permissions\":{\"issues\":\"read\"}}";

  private final List<Duration> pauses = new ArrayList<>();
  private final List<String> trace = new ArrayList<>();
  private final StubServer server = new StubServer();
  private Instant now = Instant.now();
  private PrivateKeyPem pem;
  private GitHubApi gitHub;

  @BeforeEach
  void start() {
    pem = PrivateKeyPem.parse(TestKeys.pkcs1Pem(KEY));
    gitHub = api(server.uri());
  }

  @AfterEach
  void stop() {
    server.close();
    pem.close();
  }

  private GitHubApi api(URI root) {
    return new GitHubApi(root, () -> now, pauses::add, trace::add);
  }

  private GitHubApi.App prove() {
    return gitHub.prove(1001, pem::sign, pem.fingerprint());
  }

  @Nested
  class WhenGitHubAccepts {
    @Test
    void tellsTheApp() {
      server.answer(200, APP);

      GitHubApi.App app = prove();

      assertThat(app.slug()).isEqualTo("demo");
      assertThat(app.permissions()).containsExactly(Map.entry("issues", "read"));
      assertThat(server.requests()).hasSize(1);
      assertThat(server.requests().get(0).uri()).hasToString("/app");
    }

    @Test
    void hasBeenSentAnAppJwtThatVerifies() throws Exception {
      server.answer(200, APP);
      prove();

      String[] parts =
          server
              .requests()
              .get(0)
              .header("authorization")
              .substring("Bearer ".length())
              .split("\\.");

      assertThat(decoded(parts[0])).hasToString("{\"alg\":\"RS256\",\"typ\":\"JWT\"}");
      JsonNode claims = decoded(parts[1]);
      assertThat(claims.path("iat").asLong()).isEqualTo(now.getEpochSecond() - 60);
      assertThat(claims.path("exp").asLong()).isEqualTo(now.getEpochSecond() + 480);
      assertThat(claims.path("iss").asText()).isEqualTo("1001");
      assertThat(claims.path("jti").asText()).isNotBlank();
      assertThat(
              RsaSignatures.verify(
                  KEY.getPublic(),
                  (parts[0] + "." + parts[1]).getBytes(US_ASCII),
                  Base64.getUrlDecoder().decode(parts[2])))
          .isTrue();
    }

    @Test
    void tracesTheCallWithoutTheJwt() {
      server.answer(200, Map.of("x-github-request-id", "ABC"), APP);
      prove();
      assertThat(trace).containsExactly("github:GET /app 200 ABC");
    }

    @Test
    void followsThePagesOfItsInstallations() {
      server
          .answer(
              200,
              Map.of("link", "<https://elsewhere.example/app/installations?page=2>; rel=\"next\""),
              "[{\"id\":1,\"account\":{\"login\":\"a\",\"node_id\":\"O_1\"},\"suspended_at\":null}]")
          .answer(
              200,
              "[{\"id\":2,\"account\":null,\"suspended_at\":\"2026-01-01T00:00:00Z\"},"
                  + "{\"id\":3,\"account\":{\"slug\":\"e\",\"node_id\":\"E_3\"}}]");

      List<GitHubApi.Installation> found = gitHub.installations(1001, pem::sign, pem.fingerprint());

      assertThat(found).extracting(GitHubApi.Installation::id).containsExactly(1L, 2L, 3L);
      assertThat(found).extracting(GitHubApi.Installation::account).containsExactly("a", "", "e");
      assertThat(found)
          .extracting(GitHubApi.Installation::suspended)
          .containsExactly(false, true, false);
      assertThat(server.requests())
          .extracting(request -> request.uri().toString())
          .containsExactly(
              "/app/installations?per_page=100&page=1", "/app/installations?per_page=100&page=2");
    }

    private JsonNode decoded(String part) throws Exception {
      return new ObjectMapper().readTree(Base64.getUrlDecoder().decode(part));
    }
  }

  @Nested
  class WhenGitHubRefuses {
    @ParameterizedTest
    @ValueSource(ints = {401, 403, 404})
    void saysSoAtOnceWithTheFingerprintToCompare(int status) {
      server.answer(status, "{\"message\":\"A JSON web token could not be decoded\"}");

      assertFails(GitHubApiTest.this::prove, Reason.REFUSED_BY_GITHUB, pem.fingerprint());
      assertThat(server.requests()).hasSize(1);
    }

    @Test
    void namesTheAppTheKeyReallyBelongsTo() {
      server.answer(200, "{\"id\":77}");
      assertFails(GitHubApiTest.this::prove, Reason.REFUSED_BY_GITHUB, "belongs to App 77");
    }

    @Test
    void blamesTheClockWhereItIsOff() {
      server.answer(401, "{}");
      now = now.minusSeconds(3600); // the server has a clock of its own
      assertFails(GitHubApiTest.this::prove, Reason.BAD_CONFIGURATION, "s behind GitHub's");
    }
  }

  @Nested
  class WhenGitHubIsNotThere {
    @ParameterizedTest
    @ValueSource(ints = {429, 500, 502, 503})
    void triesThreeTimes(int status) {
      server.answer(status, "");

      assertFails(GitHubApiTest.this::prove, Reason.UNAVAILABLE, String.valueOf(status));
      assertThat(server.requests()).hasSize(3);
      assertThat(pauses).containsExactly(Duration.ofSeconds(1), Duration.ofSeconds(2));
    }

    @Test
    void takesA403WithRetryAfterForThrottling() {
      server.answer(403, Map.of("retry-after", "60"), "{}").answer(200, APP);
      assertThat(prove().slug()).isEqualTo("demo");
    }

    @Test
    void triesWithAnotherJwtEachTime() {
      server.answer(500, "").answer(200, APP);
      prove();
      assertThat(server.requests().get(0).header("authorization"))
          .isNotEqualTo(server.requests().get(1).header("authorization"));
    }

    @Test
    void givesUpOnAPortThatNobodyListensOn() {
      URI gone = server.uri();
      server.close();
      gitHub = api(gone);
      assertFails(GitHubApiTest.this::prove, Reason.UNAVAILABLE, "No answer from GitHub");
    }
  }

  @Nested
  class WhenTheUrlIsNotGitHubs {
    @Test
    void followsNoRedirect() {
      try (StubServer other = new StubServer()) {
        other.answer(200, APP);
        server.answer(302, Map.of("location", other.uri() + "/app"), "");

        assertFails(GitHubApiTest.this::prove, Reason.BAD_CONFIGURATION, "redirect");
        assertThat(other.requests()).isEmpty();
      }
    }

    @ParameterizedTest
    @ValueSource(
        strings = {"<html>Sign in</html>", "\"text\"", "{}", "{\"id\":\"1001\"}", "[]", ""})
    void saysWhatTheUrlMustBe(String body) {
      server.answer(200, body);
      assertFails(GitHubApiTest.this::prove, Reason.BAD_CONFIGURATION, "--github-url");
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "http://github.example/api/v3",
          "http://127.0.0.1.example",
          "ftp://github.example",
          "https://user@github.example",
          "https://github.example?x=1",
          "github.example"
        })
    void sendsAJwtToNothingButHttps(String url) {
      assertFails(() -> api(URI.create(url)), Reason.BAD_CONFIGURATION, "API root");
    }

    @Test
    void takesARootWithAPathAndASlash() {
      server.answer(200, APP);
      gitHub = api(URI.create(server.uri() + "/api/v3/"));
      prove();
      assertThat(server.requests().get(0).uri()).hasToString("/api/v3/app");
    }
  }

  private static void assertFails(ThrowingCallable call, Reason reason, String says) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            KeyManagerException.class,
            e -> {
              assertThat(e.reason()).isEqualTo(reason);
              assertThat(e).hasMessageContaining(says);
              assertThat(e.toString()).doesNotContain("eyJ", "\n");
            });
  }
}
