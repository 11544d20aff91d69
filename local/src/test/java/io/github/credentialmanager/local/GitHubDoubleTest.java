package io.github.credentialmanager.local;

import static com.github.tomakehurst.wiremock.client.WireMock.get;
import static com.github.tomakehurst.wiremock.client.WireMock.okJson;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.kohsuke.github.GHAppInstallation;
import org.kohsuke.github.GHAppInstallationToken;
import org.kohsuke.github.GHRepository;
import org.kohsuke.github.GitHub;
import org.kohsuke.github.GitHubBuilder;

class GitHubDoubleTest {
  private static final Instant NOW = Instant.parse("2026-11-23T08:51:02Z");
  private static final String NOT_DECODED = "A JSON web token could not be decoded";
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final HttpClient HTTP = HttpClient.newHttpClient();

  private static TestApp app;
  private static TestApp other;

  private final MovableClock clock = new MovableClock(NOW);
  private GitHubDouble gitHub;
  private GitHubDouble.App registered;
  private GitHubDouble.Account account;
  private GitHubDouble.Installation installation;

  @BeforeAll
  static void makeKeys() {
    app = TestApp.generate();
    other = TestApp.generate();
  }

  @BeforeEach
  void start() {
    gitHub = GitHubDouble.start(clock);
    registered =
        gitHub.registerApp(
            1001,
            app.keys().getPublic(),
            Map.of("metadata", "read", "contents", "write", "issues", "read"));
    account = gitHub.organization("octo-org");
    account.addRepository("hello-world");
    account.addRepository("Spoon-Knife");
    installation = registered.install(account);
  }

  @AfterEach
  void stop() {
    gitHub.close();
  }

  @Nested
  class OfAnAppsJwt {
    @Test
    void takesAnIdAsNumberOrTextAndAClientId() throws Exception {
      String clientId = asApp("GET", "/app").body().path("client_id").textValue();

      for (Object issuer : List.of(1001, "1001", clientId)) {
        Answer answer = send("GET", "/app", "Bearer " + app.jwt(issuer, NOW), null);
        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.body().path("id").longValue()).isEqualTo(1001);
      }
    }

    @Test
    void takesOneIssuedNowThatLivesTenMinutes() throws Exception {
      assertThat(withTimes(0, 600).status()).isEqualTo(200);
    }

    @ParameterizedTest
    @CsvSource({
      "1, 480, must be an Integer representing the time that the assertion was issued",
      "-60, 0, must be a numeric value representing the future time",
      "-60, 541, is too far in the future",
      "0, 601, is too far in the future",
      "-601, 0, must be a numeric value representing the future time",
    })
    void refusesTimesOutOfItsLimits(long issued, long expires, String message) throws Exception {
      Answer answer = withTimes(issued, expires);

      assertThat(answer.status()).isEqualTo(401);
      assertThat(answer.message()).contains(message);
    }

    @Test
    void refusesItOnceItHasExpired() throws Exception {
      String jwt = app.jwt(1001, NOW);
      clock.move(Duration.ofSeconds(480));

      assertThat(send("GET", "/app", "Bearer " + jwt, null).message())
          .startsWith("'Expiration time' claim ('exp') must be a numeric value");
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "{\"exp\":1795423900,\"iss\":1001}",
          "{\"iat\":\"now\",\"exp\":1795423900,\"iss\":1001}",
          "{\"iat\":1795423862.5,\"exp\":1795423900,\"iss\":1001}",
        })
    void refusesAMissingOrMalformedIat(String claims) throws Exception {
      Answer answer = send("GET", "/app", "Bearer " + app.jwt(claims), null);

      assertThat(answer.status()).isEqualTo(401);
      assertThat(answer.message()).startsWith("'Issued at' claim ('iat') must be an Integer");
    }

    @Test
    void refusesTheSignatureOfAnotherKey() throws Exception {
      assertRefused(401, NOT_DECODED, "GET", "/app", "Bearer " + other.jwt(1001, NOW));
    }

    @Test
    void refusesAChangedClaim() throws Exception {
      String[] parts = app.jwt(1001, NOW).split("\\.", -1);
      String forged = other.jwt(1001, NOW.plusSeconds(1)).split("\\.", -1)[1];

      assertRefused(
          401, NOT_DECODED, "GET", "/app", "Bearer " + parts[0] + "." + forged + "." + parts[2]);
    }

    @ParameterizedTest
    @ValueSource(strings = {"none", "HS256", "PS256"})
    void refusesAnotherAlgorithm(String algorithm) throws Exception {
      String jwt =
          app.jwt(
              "{\"alg\":\"" + algorithm + "\"}",
              "{\"iat\":%d,\"exp\":%d,\"iss\":1001}"
                  .formatted(NOW.getEpochSecond(), NOW.getEpochSecond() + 60));

      assertRefused(401, NOT_DECODED, "GET", "/app", "Bearer " + jwt);
    }

    @ParameterizedTest
    @ValueSource(strings = {"Bearer x", "Bearer a.b.c", "Bearer eyJ", "Bearer eyJ.eyJ.eyJ"})
    void refusesWhatIsNone(String authorization) throws Exception {
      assertRefused(401, NOT_DECODED, "GET", "/app", authorization);
    }

    @Test
    void knowsNoOtherIssuer() throws Exception {
      assertRefused(404, "Integration not found", "GET", "/app", "Bearer " + app.jwt(1002, NOW));
    }

    @Test
    void takesEachRegisteredKeyDuringARotation() throws Exception {
      registered.addKey(other.keys().getPublic());
      assertThat(send("GET", "/app", "Bearer " + other.jwt(1001, NOW), null).status())
          .isEqualTo(200);
      assertThat(asApp("GET", "/app").status()).isEqualTo(200);

      registered.removeKey(app.keys().getPublic());
      assertRefused(401, NOT_DECODED, "GET", "/app", "Bearer " + app.jwt(1001, NOW));
      assertThat(send("GET", "/app", "Bearer " + other.jwt(1001, NOW), null).status())
          .isEqualTo(200);
    }

    private Answer withTimes(long issued, long expires) throws Exception {
      long now = NOW.getEpochSecond();
      String claims = "{\"iat\":%d,\"exp\":%d,\"iss\":1001}".formatted(now + issued, now + expires);
      return send("GET", "/app", "Bearer " + app.jwt(claims), null);
    }
  }

  @Nested
  class OfInstallations {
    @Test
    void listsThemInPages() throws Exception {
      for (int i = 0; i < 250; i++) {
        registered.install(gitHub.user("user-" + i));
      }
      List<Long> ids = new ArrayList<>();
      URI next = gitHub.apiUrl().resolve("/app/installations?per_page=100");
      int pages = 0;
      while (next != null) {
        Answer page = send("GET", next, "Bearer " + app.jwt(1001, NOW), null);
        page.body().forEach(entry -> ids.add(entry.path("id").longValue()));
        next = page.link("next");
        pages++;
      }

      assertThat(pages).isEqualTo(3);
      assertThat(ids).hasSize(251).doesNotHaveDuplicates();
    }

    @Test
    void pagesHold30AndAtMost100() throws Exception {
      for (int i = 0; i < 120; i++) {
        registered.install(gitHub.user("user-" + i));
      }

      assertThat(asApp("GET", "/app/installations").body()).hasSize(30);
      assertThat(asApp("GET", "/app/installations?per_page=1000").body()).hasSize(100);
      assertThat(asApp("GET", "/app/installations?per_page=100&page=2").body()).hasSize(21);
      assertThat(asApp("GET", "/app/installations?page=99").body()).isEmpty();
    }

    @Test
    void showsAccountsOfEveryKind() throws Exception {
      JsonNode organization = asApp("GET", "/app/installations/" + installation.id()).body();
      assertThat(organization.at("/account/login").textValue()).isEqualTo("octo-org");
      assertThat(organization.at("/account/node_id").textValue())
          .isEqualTo(account.nodeId())
          .startsWith("O_kgDO");
      assertThat(organization.path("target_type").textValue()).isEqualTo("Organization");
      assertThat(organization.path("suspended_at").isNull()).isTrue();

      long enterprise = registered.install(gitHub.enterprise("octo-corp")).id();
      JsonNode entry = asApp("GET", "/app/installations/" + enterprise).body();
      assertThat(entry.at("/account/slug").textValue()).isEqualTo("octo-corp");
      assertThat(entry.at("/account/login").isMissingNode()).isTrue();
      assertThat(entry.path("target_type").textValue()).isEqualTo("Enterprise");

      installation.hideAccount();
      assertThat(
              asApp("GET", "/app/installations/" + installation.id())
                  .body()
                  .path("account")
                  .isNull())
          .isTrue();
    }

    @Test
    void findsTheOneOnAnAccountOrRepository() throws Exception {
      registered.install(gitHub.user("octocat"));
      gitHub.organization("elsewhere").addRepository("lonely");

      assertThat(asApp("GET", "/orgs/Octo-Org/installation").id()).isEqualTo(installation.id());
      assertThat(asApp("GET", "/users/octo-org/installation").id()).isEqualTo(installation.id());
      assertThat(asApp("GET", "/repos/octo-org/hello-world/installation").id())
          .isEqualTo(installation.id());
      assertThat(asApp("GET", "/users/octocat/installation").status()).isEqualTo(200);
      assertThat(asApp("GET", "/orgs/octocat/installation").status()).isEqualTo(404);
      assertThat(asApp("GET", "/orgs/elsewhere/installation").status()).isEqualTo(404);
      assertThat(asApp("GET", "/repos/elsewhere/lonely/installation").message())
          .isEqualTo("Not Found");
    }

    @Test
    void aReinstalledOneHasAnotherId() throws Exception {
      String token = token("{}").token();

      GitHubDouble.Installation again = installation.reinstall();

      assertThat(again.id()).isNotEqualTo(installation.id());
      assertThat(asApp("GET", "/app/installations/" + installation.id()).status()).isEqualTo(404);
      assertThat(asApp("POST", tokens(installation)).status()).isEqualTo(404);
      assertThat(asApp("POST", tokens(again)).status()).isEqualTo(201);
      assertRefused(401, "Bad credentials", "GET", "/installation/repositories", "token " + token);
    }

    @Test
    void anotherAppSeesNoneOfThem() throws Exception {
      gitHub.registerApp(1002, other.keys().getPublic());
      String jwt = "Bearer " + other.jwt(1002, NOW);

      assertThat(send("GET", "/app/installations", jwt, null).body()).isEmpty();
      assertThat(send("POST", tokens(installation), jwt, "{}").status()).isEqualTo(404);
    }
  }

  @Nested
  class OfTokens {
    @Test
    void mintsThemInTheLongFormat() throws Exception {
      String token = token("{}").token();

      assertThat(token)
          .hasSize(520)
          .matches("ghs_1001_[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+");
      assertThat(token("{}").token()).isNotEqualTo(token);
      assertThat(gitHub.tokensMinted()).isEqualTo(2);
    }

    @Test
    void mintsShortOnesAsGitHubEnterpriseServerDoes() throws Exception {
      gitHub.mintShortTokens(true);

      assertThat(token("{}").token()).matches("ghs_[A-Za-z0-9]{36}");
    }

    @Test
    void theyReadEverythingUnlessScoped() throws Exception {
      Answer minted = token("{}");

      assertThat(minted.body().path("permissions"))
          .isEqualTo(
              JSON.readTree("{\"metadata\":\"read\",\"contents\":\"write\",\"issues\":\"read\"}"));
      assertThat(minted.body().path("repository_selection").textValue()).isEqualTo("all");
      assertThat(minted.body().has("repositories")).isFalse();
      assertThat(names(minted)).containsExactly("hello-world", "Spoon-Knife");
    }

    @Test
    void theyReadNoMoreThanTheirScope() throws Exception {
      long id = gitHub.organization("octo-org").addRepository("third");
      Answer minted =
          token(
              "{\"repositories\":[\"SPOON-knife\"],\"repository_ids\":[%d],\"permissions\":{\"contents\":\"read\"}}"
                  .formatted(id));

      assertThat(minted.body().path("permissions"))
          .isEqualTo(JSON.readTree("{\"contents\":\"read\",\"metadata\":\"read\"}"));
      assertThat(minted.body().path("repository_selection").textValue()).isEqualTo("selected");
      assertThat(minted.body().path("repositories").findValuesAsText("name"))
          .containsExactlyInAnyOrder("Spoon-Knife", "third");
      assertThat(names(minted)).containsExactlyInAnyOrder("Spoon-Knife", "third");
      String authorization = "Bearer " + minted.token();
      assertThat(send("GET", "/repos/octo-org/spoon-knife", authorization, null).status())
          .isEqualTo(200);
      assertThat(send("GET", "/repos/octo-org/hello-world", authorization, null).status())
          .isEqualTo(404);
    }

    @Test
    void anEmptyScopeMeansEverything() throws Exception {
      Answer minted = token("{\"repositories\":[],\"repository_ids\":[],\"permissions\":{}}");

      assertThat(minted.body().path("repository_selection").textValue()).isEqualTo("all");
      assertThat(minted.body().path("permissions")).hasSize(3);
    }

    @Test
    void aSelectionOfTheInstallationLimitsThem() throws Exception {
      installation.select("hello-world");

      Answer minted = token("{}");

      assertThat(minted.body().path("repository_selection").textValue()).isEqualTo("selected");
      assertThat(names(minted)).containsExactly("hello-world");
      assertThat(token("{\"repositories\":[\"Spoon-Knife\"]}").status()).isEqualTo(422);
    }

    @ParameterizedTest
    @CsvSource(
        delimiter = '|',
        value = {
          "{\"repositories\":[\"nowhere\"]} | There is at least one repository that does not exist",
          "{\"repository_ids\":[1]} | There is at least one repository that does not exist",
          "{\"permissions\":{\"issues\":\"write\"}} | The permissions requested are not granted",
          "{\"permissions\":{\"pages\":\"read\"}} | The permissions requested are not granted",
          "{\"permissions\":{\"issues\":\"sudo\"}} | The permissions requested are not granted",
        })
    void whatIsNotGrantedIsUnprocessable(String body, String message) throws Exception {
      Answer answer = token(body);

      assertThat(answer.status()).isEqualTo(422);
      assertThat(answer.message()).startsWith(message);
    }

    @Test
    void malformedJsonIsRefused() throws Exception {
      assertThat(token("{").status()).isEqualTo(400);
      assertThat(token("{").message()).isEqualTo("Problems parsing JSON");
    }

    @Test
    void theyLiveAnHour() throws Exception {
      Answer minted = token("{}");
      assertThat(minted.body().path("expires_at").textValue()).isEqualTo("2026-11-23T09:51:02Z");

      clock.move(Duration.ofMinutes(60).minusSeconds(1));
      assertThat(repositories(minted).status()).isEqualTo(200);

      clock.move(Duration.ofSeconds(1));
      assertThat(repositories(minted).message()).isEqualTo("Bad credentials");
    }

    @Test
    void revokingEndsOne() throws Exception {
      Answer first = token("{}");
      Answer second = token("{}");

      assertThat(send("DELETE", "/installation/token", "token " + first.token(), null).status())
          .isEqualTo(204);

      assertThat(repositories(first).status()).isEqualTo(401);
      assertThat(send("DELETE", "/installation/token", "token " + first.token(), null).status())
          .isEqualTo(401);
      assertThat(repositories(second).status()).isEqualTo(200);
      installation.revokeTokens();
      assertThat(repositories(second).status()).isEqualTo(401);
    }

    @Test
    void freshOnesAreUnknownUntilReplicated() throws Exception {
      gitHub.delayTokens(Duration.ofSeconds(3));
      Answer minted = token("{}");
      assertThat(repositories(minted).status()).isEqualTo(401);

      clock.move(Duration.ofSeconds(3));

      assertThat(repositories(minted).status()).isEqualTo(200);
    }

    @Test
    void aSuspendedInstallationHasNone() throws Exception {
      Answer minted = token("{}");
      installation.suspend();

      assertThat(token("{}").status()).isEqualTo(403);
      assertThat(token("{}").message()).isEqualTo("This installation has been suspended");
      assertThat(repositories(minted).message()).isEqualTo("This installation has been suspended");
      assertThat(
              asApp("GET", "/app/installations/" + installation.id())
                  .body()
                  .path("suspended_at")
                  .textValue())
          .isEqualTo("2026-11-23T08:51:02Z");

      installation.unsuspend();
      assertThat(repositories(minted).status()).isEqualTo(200);
    }

    @Test
    void theyAreTakenAsBearerTokenAndPassword() throws Exception {
      Answer minted = token("{}");
      String basic =
          Base64.getEncoder().encodeToString(("x-access-token:" + minted.token()).getBytes());

      for (String authorization :
          List.of("Bearer " + minted.token(), "token " + minted.token(), "Basic " + basic)) {
        assertThat(send("GET", "/installation/repositories", authorization, null).status())
            .isEqualTo(200);
      }
      assertThat(send("GET", "/installation/repositories", null, null).status()).isEqualTo(401);
    }

    @Test
    void theyAreNoJwtAndAJwtIsNone() throws Exception {
      Answer minted = token("{}");

      assertRefused(401, NOT_DECODED, "GET", "/app", "Bearer " + minted.token());
      assertRefused(
          401,
          "Bad credentials",
          "GET",
          "/installation/repositories",
          "Bearer " + app.jwt(1001, NOW));
    }
  }

  @Nested
  class OfRateLimits {
    @Test
    void countsEachCallersRequests() throws Exception {
      gitHub.limitRequests(3);
      Answer minted = token("{}");

      assertThat(repositories(minted).header("x-ratelimit-remaining")).isEqualTo("2");
      assertThat(repositories(minted).header("x-ratelimit-remaining")).isEqualTo("1");
      Answer status = send("GET", "/rate_limit", "token " + minted.token(), null);
      assertThat(status.body().at("/resources/core/remaining").intValue()).isEqualTo(1);
      assertThat(repositories(minted).header("x-ratelimit-remaining")).isEqualTo("0");

      Answer limited = repositories(minted);
      assertThat(limited.status()).isEqualTo(403);
      assertThat(limited.message())
          .isEqualTo("API rate limit exceeded for installation ID " + installation.id() + ".");
      assertThat(limited.header("x-ratelimit-reset"))
          .isEqualTo(Long.toString(NOW.plusSeconds(3600).getEpochSecond()));

      clock.move(Duration.ofMinutes(59));
      Answer later = token("{}");
      assertThat(repositories(later).status()).isEqualTo(403);
      clock.move(Duration.ofMinutes(1));
      assertThat(repositories(later).status()).isEqualTo(200);
    }

    @Test
    void canBeExhausted() throws Exception {
      Answer minted = token("{}");
      installation.exhaustRateLimit();

      assertThat(repositories(minted).header("x-ratelimit-remaining")).isEqualTo("0");
      assertThat(repositories(minted).status()).isEqualTo(403);
      assertThat(token("{}").status()).isEqualTo(201);
    }

    @Test
    void canBeOff() throws Exception {
      gitHub.switchRateLimitOff();
      Answer minted = token("{}");

      assertThat(send("GET", "/rate_limit", "token " + minted.token(), null).status())
          .isEqualTo(404);
      assertThat(repositories(minted).header("x-ratelimit-limit")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(ints = {403, 429})
    void theSecondaryLimitThrottlesTheNextRequests(int status) throws Exception {
      gitHub.throttle(2, status, Duration.ofSeconds(7));

      for (int i = 0; i < 2; i++) {
        Answer throttled = token("{}");
        assertThat(throttled.status()).isEqualTo(status);
        assertThat(throttled.header("retry-after")).isEqualTo("7");
        assertThat(throttled.message()).startsWith("You have exceeded a secondary rate limit.");
      }
      assertThat(token("{}").status()).isEqualTo(201);
    }
  }

  @Nested
  class ToATest {
    @Test
    void countsRequestsByEndpoint() throws Exception {
      token("{}");
      token("{\"permissions\":{\"pages\":\"read\"}}");
      asApp("GET", "/app");

      assertThat(gitHub.requests("POST /app/installations/{id}/access_tokens")).isEqualTo(2);
      assertThat(gitHub.requests("GET /app")).isEqualTo(1);
      assertThat(gitHub.requests("GET /rate_limit")).isZero();
      assertThat(gitHub.requests()).isEqualTo(3);
      assertThatIllegalArgumentException().isThrownBy(() -> gitHub.requests("GET /apps"));
    }

    @Test
    void givesStubsOnlyRequestsWithGoodCredentials() throws Exception {
      gitHub
          .wireMock()
          .stubFor(
              get("/repos/octo-org/hello-world/issues").willReturn(okJson("[{\"number\":1}]")));
      Answer minted = token("{}");
      String path = "/repos/octo-org/hello-world/issues";

      assertThat(send("GET", path, "token " + minted.token(), null).body()).hasSize(1);
      assertThat(send("GET", path, "token ghs_guessed", null).message())
          .isEqualTo("Bad credentials");
    }

    @Test
    void isThereAgainAfterStubsAreReset() throws Exception {
      gitHub.wireMock().stubFor(get("/app").willReturn(okJson("{}")));
      assertThat(asApp("GET", "/app").body()).isEmpty();

      gitHub.wireMock().resetAll();

      assertThat(asApp("GET", "/app").id()).isEqualTo(1001);
    }

    @Test
    void saysThatAnEndpointIsNotKnown() throws Exception {
      Answer answer = send("GET", "/emojis", null, null);

      assertThat(answer.status()).isEqualTo(404);
      assertThat(answer.header("x-github-double")).contains("stub it");
    }

    @Test
    void servesHub4j() throws Exception {
      GitHub asApp =
          new GitHubBuilder()
              .withEndpoint(gitHub.apiUrl().toString())
              .withJwtToken(app.jwt(1001, NOW))
              .build();
      GHAppInstallation found = asApp.getApp().getInstallationByOrganization("octo-org");
      assertThat(found.getId()).isEqualTo(installation.id());
      GHAppInstallationToken token = found.createToken().create();

      GitHub asInstallation =
          new GitHubBuilder()
              .withEndpoint(gitHub.apiUrl().toString())
              .withAppInstallationToken(token.getToken())
              .build();

      assertThat(asInstallation.getInstallation().listRepositories().toList())
          .extracting(GHRepository::getFullName)
          .containsExactly("octo-org/hello-world", "octo-org/Spoon-Knife");
      assertThat(asInstallation.getRepository("octo-org/hello-world").isPrivate()).isTrue();
      assertThat(asInstallation.getRateLimit().getCore().getLimit()).isEqualTo(5_000);
    }
  }

  private static String tokens(GitHubDouble.Installation installation) {
    return "/app/installations/" + installation.id() + "/access_tokens";
  }

  private Answer token(String body) throws Exception {
    return send("POST", tokens(installation), "Bearer " + app.jwt(1001, clock.instant()), body);
  }

  private Answer repositories(Answer minted) throws Exception {
    return send("GET", "/installation/repositories", "token " + minted.token(), null);
  }

  private List<String> names(Answer minted) throws Exception {
    return repositories(minted).body().path("repositories").findValuesAsText("name");
  }

  private Answer asApp(String method, String path) throws Exception {
    return send(method, path, "Bearer " + app.jwt(1001, clock.instant()), null);
  }

  private void assertRefused(
      int status, String message, String method, String path, String authorization)
      throws Exception {
    Answer answer = send(method, path, authorization, null);
    assertThat(answer.status()).isEqualTo(status);
    assertThat(answer.message()).isEqualTo(message);
  }

  private Answer send(
      String method, String path, @Nullable String authorization, @Nullable String body)
      throws Exception {
    return send(method, URI.create(gitHub.apiUrl() + path), authorization, body);
  }

  private static Answer send(
      String method, URI uri, @Nullable String authorization, @Nullable String body)
      throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(uri)
            .method(
                method,
                body == null
                    ? HttpRequest.BodyPublishers.noBody()
                    : HttpRequest.BodyPublishers.ofString(body));
    if (authorization != null) {
      request.header("Authorization", authorization);
    }
    return new Answer(HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString()));
  }

  private record Answer(HttpResponse<String> response) {
    int status() {
      return response.statusCode();
    }

    JsonNode body() throws Exception {
      return JSON.readTree(response.body());
    }

    long id() throws Exception {
      return body().path("id").longValue();
    }

    String token() throws Exception {
      assertThat(status()).isEqualTo(201);
      return body().path("token").textValue();
    }

    String message() throws Exception {
      return body().path("message").asText();
    }

    String header(String name) {
      return response.headers().firstValue(name).orElse("");
    }

    /** The address of another page; null if there is none. */
    @Nullable URI link(String relation) {
      for (String link : header("Link").split(", ", -1)) {
        if (link.endsWith("; rel=\"" + relation + "\"")) {
          return URI.create(link.substring(1, link.indexOf('>')));
        }
      }
      return null;
    }
  }
}
