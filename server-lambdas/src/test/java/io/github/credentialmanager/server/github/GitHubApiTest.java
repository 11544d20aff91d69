package io.github.credentialmanager.server.github;

import static com.github.tomakehurst.wiremock.client.WireMock.aResponse;
import static com.github.tomakehurst.wiremock.client.WireMock.any;
import static com.github.tomakehurst.wiremock.client.WireMock.anyRequestedFor;
import static com.github.tomakehurst.wiremock.client.WireMock.anyUrl;
import static com.github.tomakehurst.wiremock.client.WireMock.delete;
import static com.github.tomakehurst.wiremock.client.WireMock.deleteRequestedFor;
import static com.github.tomakehurst.wiremock.client.WireMock.equalTo;
import static com.github.tomakehurst.wiremock.client.WireMock.equalToJson;
import static com.github.tomakehurst.wiremock.client.WireMock.get;
import static com.github.tomakehurst.wiremock.client.WireMock.getRequestedFor;
import static com.github.tomakehurst.wiremock.client.WireMock.okJson;
import static com.github.tomakehurst.wiremock.client.WireMock.post;
import static com.github.tomakehurst.wiremock.client.WireMock.postRequestedFor;
import static com.github.tomakehurst.wiremock.client.WireMock.urlEqualTo;
import static com.github.tomakehurst.wiremock.client.WireMock.urlPathEqualTo;
import static com.github.tomakehurst.wiremock.core.WireMockConfiguration.options;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.github.tomakehurst.wiremock.WireMockServer;
import com.github.tomakehurst.wiremock.client.ResponseDefinitionBuilder;
import com.github.tomakehurst.wiremock.http.Fault;
import com.github.tomakehurst.wiremock.stubbing.Scenario;
import io.github.credentialmanager.server.github.GitHubException.Cause;
import io.github.credentialmanager.server.outbound.Deadline;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GitHubApiTest {
  private static final Instant NOW = Instant.parse("2026-11-23T08:51:02Z");
  private static final String JWT = "eyJ.app.jwt";

  private final WireMockServer server = new WireMockServer(options().dynamicPort());
  private final Deadline deadline = Deadline.in(Duration.ofSeconds(5));
  private GitHubApi gitHub;

  @BeforeEach
  void start() {
    server.start();
    gitHub = GitHubApi.over(URI.create(server.baseUrl() + "/api/v3/"), () -> NOW);
  }

  @AfterEach
  void stop() {
    server.stop();
  }

  private void answerAll(ResponseDefinitionBuilder answer) {
    server.stubFor(any(anyUrl()).willReturn(answer));
  }

  private GitHubException refusal() {
    return catchThrowableOfType(GitHubException.class, () -> gitHub.authenticate(JWT, deadline));
  }

  private int requests() {
    return server.findAll(anyRequestedFor(anyUrl())).size();
  }

  @Nested
  class ARequest {
    @Test
    void goesToTheConfiguredRootWithTheCredential() {
      answerAll(okJson("{}"));
      gitHub.authenticate(JWT, deadline);
      server.verify(
          getRequestedFor(urlEqualTo("/api/v3/app"))
              .withHeader("authorization", equalTo("Bearer " + JWT))
              .withHeader("accept", equalTo("application/vnd.github+json"))
              .withHeader("user-agent", equalTo("credential-manager")));
    }

    @Test
    void forATokenHoldsOnlyWhatNarrows() {
      server.stubFor(
          post(urlPathEqualTo("/api/v3/app/installations/7/access_tokens"))
              .willReturn(okJson(token("{}"))));
      gitHub.createToken(JWT, 7, TokenScope.everything(), deadline);
      server.verify(postRequestedFor(anyUrl()).withRequestBody(equalToJson("{}")));

      server.resetRequests();
      gitHub.createToken(
          JWT,
          7,
          new TokenScope(
              Optional.of(List.of(5_000_000_001L)),
              Optional.of(List.of("a")),
              Optional.of(Map.of("contents", "read"))),
          deadline);
      server.verify(
          postRequestedFor(anyUrl())
              .withRequestBody(
                  equalToJson(
                      "{\"repository_ids\":[5000000001],\"repositories\":[\"a\"],"
                          + "\"permissions\":{\"contents\":\"read\"}}")));
    }

    @Test
    void toRevokeCarriesTheToken() {
      server.stubFor(post(anyUrl()).willReturn(okJson(token("{}"))));
      server.stubFor(delete(anyUrl()).willReturn(aResponse().withStatus(204)));
      InstallationToken token = gitHub.createToken(JWT, 7, TokenScope.everything(), deadline);
      gitHub.revoke(token, deadline);
      server.verify(
          deleteRequestedFor(urlEqualTo("/api/v3/installation/token"))
              .withHeader("authorization", equalTo("Bearer ghs_x")));
    }
  }

  @Nested
  class ARefusal {
    @ParameterizedTest
    @CsvSource({
      "401, A JSON web token could not be decoded, UNAUTHORIZED",
      "403, This installation has been suspended, SUSPENDED",
      "403, Resource not accessible by integration, FORBIDDEN",
      "403, You have exceeded a secondary rate limit, THROTTLED",
      "404, Not Found, NOT_FOUND",
      "422, The permissions requested are not granted, UNPROCESSABLE",
      "429, Too many requests, THROTTLED",
      "500, Server Error, UNAVAILABLE",
      "302, Found, UNAVAILABLE",
      "418, teapot, UNAVAILABLE",
    })
    void isUnderstood(int status, String message, Cause cause) {
      answerAll(
          aResponse()
              .withStatus(status)
              .withHeader("x-github-request-id", "ABCD:1")
              .withBody("{\"message\":\"" + message + "\",\"documentation_url\":\"https://d\"}"));
      GitHubException refusal = refusal();
      assertThat(refusal.reason()).isEqualTo(cause);
      assertThat(refusal.gitHubMessage()).contains(message + " - https://d");
      assertThat(refusal.requestId()).contains("ABCD:1");
    }

    @Test
    void with403AndRetryAfterIsThrottling() {
      answerAll(aResponse().withStatus(403).withHeader("retry-after", "17").withBody("{}"));
      assertThat(refusal().reason()).isEqualTo(Cause.THROTTLED);
      assertThat(refusal().retryAfter()).contains(Duration.ofSeconds(17));
    }

    @Test
    void with403AndNoRequestsLeftIsThrottlingUntilTheReset() {
      answerAll(
          aResponse()
              .withStatus(403)
              .withHeader("x-ratelimit-remaining", "0")
              .withHeader("x-ratelimit-reset", "" + (NOW.getEpochSecond() + 90))
              .withBody("{}"));
      assertThat(refusal().reason()).isEqualTo(Cause.THROTTLED);
      assertThat(refusal().retryAfter()).contains(Duration.ofSeconds(90));
    }

    @Test
    void thatDoesNotSayHowLongMeansAMinute() {
      answerAll(aResponse().withStatus(429).withHeader("retry-after", "soon").withBody("{}"));
      assertThat(refusal().retryAfter()).contains(Duration.ofMinutes(1));
    }

    @Test
    void isToldInPrintableCharactersAndBriefly() {
      answerAll(
          aResponse()
              .withStatus(404)
              .withBody("{\"message\":\"a\\n\\u001b[31m\\u2028" + "x".repeat(400) + "\"}"));
      assertThat(refusal().gitHubMessage().orElseThrow())
          .matches("[\\x20-\\x7e]{300}")
          .startsWith("a  [31m xxx");
    }

    @Test
    void thatIsNoJsonIsUnderstoodByItsStatus() {
      answerAll(aResponse().withStatus(404).withBody("<html>"));
      assertThat(refusal().reason()).isEqualTo(Cause.NOT_FOUND);
      assertThat(refusal().gitHubMessage()).isEmpty();
    }
  }

  @Nested
  class AnotherAttempt {
    @Test
    void isMadeAfterAServerError() {
      server.stubFor(
          get(anyUrl())
              .inScenario("heals")
              .whenScenarioStateIs(Scenario.STARTED)
              .willSetStateTo("well")
              .willReturn(aResponse().withStatus(502)));
      server.stubFor(
          get(anyUrl()).inScenario("heals").whenScenarioStateIs("well").willReturn(okJson("{}")));
      gitHub.authenticate(JWT, deadline);
      assertThat(requests()).isEqualTo(2);
    }

    @ParameterizedTest
    @CsvSource({"500, 3", "503, 3", "401, 1", "403, 1", "404, 1", "422, 1", "302, 1"})
    void isMadeForPassingFailuresOnly(int status, int expected) {
      answerAll(aResponse().withStatus(status).withBody("{}"));
      refusal();
      assertThat(requests()).isEqualTo(expected);
    }

    @Test
    void isMadeAfterALostConnection() {
      answerAll(aResponse().withFault(Fault.CONNECTION_RESET_BY_PEER));
      assertThat(refusal().reason()).isEqualTo(Cause.UNAVAILABLE);
      assertThat(requests()).isGreaterThanOrEqualTo(3);
    }

    @Test
    void waitsAsLongAsGitHubAsks() {
      answerAll(aResponse().withStatus(429).withHeader("retry-after", "1").withBody("{}"));
      long start = System.nanoTime();
      refusal();
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThan(Duration.ofSeconds(2));
      assertThat(requests()).isEqualTo(3);
    }

    @Test
    void isNotMadeWhereTheWaitWouldMissTheDeadline() {
      answerAll(aResponse().withStatus(429).withHeader("retry-after", "30").withBody("{}"));
      long start = System.nanoTime();
      refusal();
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(2));
      assertThat(requests()).isEqualTo(1);
    }
  }

  @Nested
  class AnAnswer {
    @Test
    void isNotFollowedElsewhere() {
      server.stubFor(
          get(urlEqualTo("/api/v3/app"))
              .willReturn(
                  aResponse().withStatus(307).withHeader("location", server.baseUrl() + "/other")));
      assertThat(refusal().reason()).isEqualTo(Cause.UNAVAILABLE);
      assertThat(requests()).isEqualTo(1);
    }

    @Test
    void ofFiveMebibytesIsTheLongest() {
      int limit = 5 * 1024 * 1024;
      answerAll(okJson("{\"a\":\"" + "x".repeat(limit - 8) + "\"}"));
      gitHub.authenticate(JWT, deadline);
      answerAll(okJson("{\"a\":\"" + "x".repeat(limit - 7) + "\"}"));
      server.resetRequests();
      assertThat(refusal().reason()).isEqualTo(Cause.UNAVAILABLE);
      assertThat(requests()).as("asking again would bring as much").isEqualTo(1);
    }

    @Test
    void thatDripsIsCutAtTheDeadline() {
      answerAll(okJson("{\"a\":\"" + "x".repeat(1000) + "\"}").withChunkedDribbleDelay(50, 20_000));
      Deadline soon = Deadline.in(Duration.ofMillis(800));
      long start = System.nanoTime();
      GitHubException timeout =
          catchThrowableOfType(GitHubException.class, () -> gitHub.authenticate(JWT, soon));
      assertThat(timeout.reason()).isEqualTo(Cause.TIMEOUT);
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(2));
    }

    @ParameterizedTest
    @CsvSource(
        delimiter = '|',
        value = {
          "<html>",
          "[]",
          "{\"expires_at\":\"2026-11-23T09:51:02Z\"}",
          "{\"token\":1,\"expires_at\":\"2026-11-23T09:51:02Z\"}",
          "{\"token\":\"ghs_x\",\"expires_at\":\"tomorrow\"}",
          "{\"token\":\"ghs_x\",\"expires_at\":\"2026-11-23T09:51:02Z\",\"repositories\":[{}]}",
        })
    void thatIsNoTokenIsAFailure(String body) {
      answerAll(okJson(body));
      GitHubException failure =
          catchThrowableOfType(
              GitHubException.class,
              () -> gitHub.createToken(JWT, 7, TokenScope.everything(), deadline));
      assertThat(failure.reason()).isEqualTo(Cause.UNAVAILABLE);
      assertThat(requests()).isEqualTo(1);
    }

    @Test
    void neverPrintsItsToken() {
      answerAll(okJson(token("{\"contents\":\"read\"}")));
      InstallationToken token = gitHub.createToken(JWT, 7, TokenScope.everything(), deadline);
      assertThat(token.value()).isEqualTo("ghs_x");
      assertThat(token.permissions()).containsEntry("contents", "read");
      assertThat(token.toString()).doesNotContain("ghs_x");
    }
  }

  @Nested
  class AListing {
    private void page(int number, boolean next, String... entries) {
      ResponseDefinitionBuilder answer = okJson("[" + String.join(",", entries) + "]");
      if (next) {
        answer.withHeader(
            "link",
            "<https://elsewhere.example/x?page=9>; rel=\"next\", <https://e/>; rel=\"last\"");
      }
      server.stubFor(
          get(urlEqualTo("/api/v3/app/installations?per_page=100&page=" + number))
              .willReturn(answer));
    }

    private static String entry(long id, String nodeId) {
      return "{\"id\":"
          + id
          + ",\"account\":{\"login\":\"acme\",\"node_id\":\""
          + nodeId
          + "\"},\"target_type\":\"Organization\",\"suspended_at\":null}";
    }

    @Test
    void isReadPageByPageUntilTheMatch() {
      page(1, true, entry(1, "O_1"));
      page(2, true, entry(2, "O_2"));
      assertThat(gitHub.findInstallation(JWT, found -> found.nodeId().equals("O_2"), deadline))
          .map(GitHubInstallation::id)
          .contains(2L);
      assertThat(requests()).isEqualTo(2);
    }

    @Test
    void isReadToItsEndWhereNothingMatches() {
      page(1, true, entry(1, "O_1"));
      page(2, false, entry(2, "O_2"));
      assertThat(gitHub.findInstallation(JWT, found -> false, deadline)).isEmpty();
    }

    @Test
    void isReadOnAfterAFullPageWhateverItsLinksLack() {
      String[] hundred =
          LongStream.rangeClosed(1, 100)
              .mapToObj(id -> entry(id, "O_" + id))
              .toArray(String[]::new);
      page(1, false, hundred);
      page(2, false, entry(101, "O_101"));
      assertThat(gitHub.findInstallation(JWT, found -> found.nodeId().equals("O_101"), deadline))
          .map(GitHubInstallation::id)
          .contains(101L);
    }

    @Test
    void knowsEnterprisesSuspensionsAndMissingAccounts() {
      page(
          1,
          false,
          "{\"id\":5000000001,\"account\":{\"slug\":\"big\",\"node_id\":\"E_1\"},"
              + "\"target_type\":\"Enterprise\",\"suspended_at\":\"2026-01-01T00:00:00Z\"}",
          "{\"id\":8,\"account\":null}");
      InstallationPage read = gitHub.listInstallations(JWT, 1, deadline);
      assertThat(read.installations())
          .containsExactly(
              new GitHubInstallation(
                  5_000_000_001L, "E_1", Optional.of("Enterprise"), Optional.of("big"), true));
      assertThat(read.withoutAccount()).containsExactly(8L);
      assertThat(read.notUnderstood()).isZero();
      assertThat(read.hasNext()).isFalse();
    }

    @Test
    void countsTheEntriesThatMakeNoSense() {
      page(1, false, entry(1, "O_1"), "{\"id\":\"2\"}", "{\"id\":3,\"account\":{}}");
      InstallationPage read = gitHub.listInstallations(JWT, 1, deadline);
      assertThat(read.installations()).hasSize(1);
      assertThat(read.notUnderstood()).isEqualTo(2);
    }
  }

  private static String token(String permissions) {
    return "{\"token\":\"ghs_x\",\"expires_at\":\"2026-11-23T09:51:02Z\",\"permissions\":"
        + permissions
        + "}";
  }
}
