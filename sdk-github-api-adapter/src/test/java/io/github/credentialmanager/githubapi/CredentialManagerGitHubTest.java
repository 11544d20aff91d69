package io.github.credentialmanager.githubapi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.credentialmanager.githubapi.LoopbackGitHub.Answer;
import io.github.credentialmanager.githubapi.LoopbackGitHub.Received;
import io.github.credentialmanager.sdk.Reason;
import io.github.credentialmanager.sdk.Scope;
import io.github.credentialmanager.sdk.TokenDeniedException;
import io.github.credentialmanager.sdk.TokenProvider;
import io.github.credentialmanager.sdk.TokenRequest;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.SocketException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicInteger;
import okhttp3.OkHttpClient;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.kohsuke.github.GHFileNotFoundException;
import org.kohsuke.github.GHRateLimit;
import org.kohsuke.github.GHRepository;
import org.kohsuke.github.GitHub;
import org.kohsuke.github.GitHubRateLimitHandler;
import org.kohsuke.github.HttpException;
import org.kohsuke.github.RateLimitChecker;
import org.kohsuke.github.RateLimitTarget;
import org.kohsuke.github.authorization.AuthorizationProvider;
import org.kohsuke.github.connector.GitHubConnectorResponse;
import org.kohsuke.github.extras.okhttp3.OkHttpGitHubConnector;

class CredentialManagerGitHubTest {
  private static final long APP_ID = 1001;
  private static final String NODE_ID = "O_kgDO1001_0";
  private static final Duration OLD_ENOUGH = Duration.ofSeconds(30);

  private final MovableClock clock = new MovableClock();
  private final List<Duration> waits = new ArrayList<>();
  private LoopbackGitHub gitHub;
  private VendedTokens tokens;

  @BeforeEach
  void start() throws IOException {
    gitHub = new LoopbackGitHub(clock);
    tokens = VendedTokens.caching(gitHub, clock);
  }

  @AfterEach
  void stop() {
    gitHub.close();
  }

  private CredentialManagerGitHub.Builder builder(TokenProvider provider) {
    return CredentialManagerGitHub.builder()
        .appId(APP_ID)
        .nodeId(NODE_ID)
        .tokenProvider(provider)
        .gitHubApiUrl(gitHub.url())
        .clock(clock)
        .pause(
            duration -> {
              waits.add(duration);
              clock.advance(duration);
            });
  }

  private GitHub connect() {
    return builder(tokens).build();
  }

  /** A connection whose token has been in use for a while. */
  private GitHub connectedForAWhile() throws IOException {
    GitHub gh = connect();
    gh.getRepository("octo-org/api");
    clock.advance(OLD_ENOUGH);
    gitHub.received().clear();
    return gh;
  }

  private static String bearer(int issued) {
    return "Bearer ghs_1001_" + issued + ".opaque-token_string";
  }

  @Test
  void runsOnTheHub4jVersionThisRunIsFor() throws IOException {
    Properties built = new Properties();
    try (var in =
        GitHub.class.getResourceAsStream("/META-INF/maven/org.kohsuke/github-api/pom.properties")) {
      built.load(in);
    }
    assertThat(built.getProperty("version")).isEqualTo(System.getProperty("hub4j.version"));
  }

  @Nested
  class Connecting {
    @Test
    void asksNobodyForAnything() {
      connect();

      assertThat(tokens.vends()).isEmpty();
      assertThat(gitHub.received()).isEmpty();
    }

    @Test
    void asksForTheInstallationsToken() throws IOException {
      connect().getRepository("octo-org/api");

      assertThat(tokens.vends()).containsExactly(TokenRequest.installation(APP_ID, NODE_ID));
    }

    @Test
    void asksForTheScope() throws IOException {
      Scope scope = Scope.builder().read("contents").build();
      builder(tokens).scope(scope).build().getRepository("octo-org/api");

      assertThat(tokens.vends()).containsExactly(TokenRequest.installation(APP_ID, NODE_ID, scope));
    }

    @Test
    void actsAsTheAppWithoutANodeId() throws IOException {
      GitHub gh =
          CredentialManagerGitHub.builder()
              .appId(APP_ID)
              .tokenProvider(tokens)
              .gitHubApiUrl(gitHub.url())
              .clock(clock)
              .build();

      assertThat(gh.getApp().getSlug()).isEqualTo("octo-app");
      assertThat(tokens.vends()).containsExactly(TokenRequest.app(APP_ID));
    }

    @Test
    void refusesAScopeForTheApp() {
      CredentialManagerGitHub.Builder builder =
          CredentialManagerGitHub.builder()
              .appId(APP_ID)
              .tokenProvider(tokens)
              .scope(Scope.builder().read("contents").build());

      assertThatIllegalStateException().isThrownBy(builder::build).withMessageContaining("nodeId");
    }

    @Test
    void refusesAnAppIdThatCannotBeOne() {
      assertThatIllegalArgumentException().isThrownBy(() -> builder(tokens).appId(0).build());
    }

    @Test
    void refusesPlainHttpToAnotherMachine() {
      assertThatIllegalArgumentException()
          .isThrownBy(
              () -> builder(tokens).gitHubApiUrl(URI.create("http://ghes.example.com")).build());
    }

    @Test
    void isNotAnonymous() {
      assertThat(connect().isAnonymous()).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
      "https://api.github.com, https://uploads.github.com",
      "https://API.github.com/, https://uploads.github.com",
      "https://api.octocorp.ghe.com, https://uploads.octocorp.ghe.com",
      "https://ghes.example.com/api/v3,",
      "https://api.example.com,",
      "https://api.github.com.example.com,",
      "https://api.evil.example.ghe.com,",
      "http://api.github.com,",
    })
    void knowsWhereReleaseAssetsGo(URI apiUrl, URI uploads) {
      assertThat(CredentialManagerGitHub.uploadOrigin(apiUrl).orElse(null)).isEqualTo(uploads);
    }
  }

  @Nested
  class WhileTheTokenIsGood {
    @Test
    void oneTokenServesAllCalls() throws IOException {
      GitHub gh = connect();
      for (int i = 0; i < 20; i++) {
        gh.getRepository("octo-org/api");
      }

      assertThat(tokens.vends()).hasSize(1);
      assertThat(gitHub.authorizations()).hasSize(20).containsOnly(bearer(1));
    }

    @Test
    void oneTokenServesTwoObjects() throws IOException {
      connect().getRepository("octo-org/api");
      connect().getRepository("octo-org/api");

      assertThat(tokens.vends()).hasSize(1);
    }

    @Test
    void hub4jIsToldTheSameString() throws IOException {
      AuthorizationProvider provider =
          new CurrentTokenAuthorizationProvider(tokens, TokenRequest.installation(APP_ID, NODE_ID));

      assertThat(provider.getEncodedAuthorization()).isSameAs(provider.getEncodedAuthorization());
    }
  }

  @Nested
  class WhenTheTokenExpires {
    @Test
    void theObjectLivesOn() throws IOException {
      GitHub gh = connect();
      gh.getRepository("octo-org/api");
      clock.advance(Duration.ofHours(3));
      gh.getRepository("octo-org/api");

      assertThat(gitHub.authorizations()).containsExactly(bearer(1), bearer(2));
    }

    @Test
    void paginationGoesOn() throws IOException {
      List<String> names = new ArrayList<>();
      for (GHRepository repository : connect().getInstallation().listRepositories()) {
        names.add(repository.getName());
        clock.advance(Duration.ofMinutes(59));
      }

      assertThat(names).containsExactly("repo-1", "repo-2", "repo-3");
      assertThat(gitHub.authorizations()).containsExactly(bearer(1), bearer(2), bearer(3));
    }
  }

  @Nested
  class AfterA401 {
    @Test
    void sendsOnceMoreWithANewToken() throws IOException {
      GitHub gh = connectedForAWhile();
      gitHub.revokeAll();

      assertThat(gh.getRepository("octo-org/api").getName()).isEqualTo("api");
      assertThat(gitHub.authorizations()).containsExactly(bearer(1), bearer(2));
      assertThat(waits).isEmpty();
    }

    @Test
    void sendsTheBodyOnceMore() throws IOException {
      GHRepository repository = connectedForAWhile().getRepository("octo-org/api");
      gitHub.received().clear();
      gitHub.revokeAll();

      assertThat(repository.createIssue("new").body("text").create().getNumber()).isEqualTo(7);
      assertThat(gitHub.received())
          .extracting(Received::authorization)
          .containsExactly(bearer(1), bearer(2));
      assertThat(gitHub.received().get(1).body())
          .isEqualTo(gitHub.received().get(0).body())
          .contains("\"title\":\"new\"");
    }

    @Test
    void comparesCommitsWithANewToken() throws IOException {
      GHRepository repository = connectedForAWhile().getRepository("octo-org/api");
      gitHub.received().clear();
      gitHub.revokeAll();

      assertThat(repository.getCompare("a", "b").getAheadBy()).isEqualTo(2);
      assertThat(gitHub.authorizations()).containsExactly(bearer(1), bearer(2));
    }

    @Test
    void whatCameWithANewTokenGoesOnWorking() throws IOException {
      GitHub gh = connectedForAWhile();
      gitHub.revokeAll();
      GHRepository repository = gh.getRepository("octo-org/api");

      assertThat(repository.createIssue("new").create().getNumber()).isEqualTo(7);
    }

    @Test
    void sendsOnceMoreWithOkHttpToo() throws IOException {
      GitHub gh = builder(tokens).connector(new OkHttpGitHubConnector(new OkHttpClient())).build();
      gh.getRepository("octo-org/api");
      clock.advance(OLD_ENOUGH);
      gitHub.revokeAll();
      GHRepository repository = gh.getRepository("octo-org/api");

      assertThat(repository.createIssue("new").create().getNumber()).isEqualTo(7);
      assertThat(gitHub.authorizations())
          .containsExactly(bearer(1), bearer(1), bearer(2), bearer(2));
    }

    @Test
    void theSecondOneIsTheAnswer() throws IOException {
      GitHub gh = connectedForAWhile();
      tokens.replicateAfter(Duration.ofHours(1));
      gitHub.revokeAll();

      assertThatThrownBy(() -> gh.getRepository("octo-org/api"))
          .isInstanceOfSatisfying(
              HttpException.class, e -> assertThat(e.getResponseCode()).isEqualTo(401))
          .hasMessageContaining("Bad credentials");
      assertThat(tokens.vends()).hasSize(2);
    }

    @Test
    void theSecondOneIsTheAnswerEvenIfEachCallGetsAnotherToken() throws IOException {
      tokens = VendedTokens.withoutCache(gitHub, clock);
      tokens.replicateAfter(Duration.ofHours(1));
      GitHub gh = connect();

      assertThatThrownBy(() -> gh.getRepository("octo-org/api"))
          .isInstanceOfSatisfying(
              HttpException.class, e -> assertThat(e.getResponseCode()).isEqualTo(401));
      assertThat(gitHub.received()).hasSizeLessThanOrEqualTo(4);
    }

    @Test
    void isTheAnswerIfThereIsNoNewToken() throws IOException {
      AtomicInteger asked = new AtomicInteger();
      TokenProvider once =
          request -> {
            if (asked.incrementAndGet() > 4) {
              throw new TokenDeniedException("No token.", Reason.INSTALLATION_SUSPENDED);
            }
            return tokens.getToken(request);
          };
      GitHub gh = builder(once).build();
      gh.getRepository("octo-org/api");
      clock.advance(OLD_ENOUGH);
      gitHub.revokeAll();

      assertThatThrownBy(() -> gh.getRepository("octo-org/api"))
          .isInstanceOfSatisfying(
              HttpException.class, e -> assertThat(e.getResponseCode()).isEqualTo(401))
          .hasRootCauseInstanceOf(TokenDeniedException.class);
    }
  }

  @Nested
  class WhileTheTokenIsNotReplicated {
    @Test
    void sendsTheSameTokenAgainAfterOneSecondThenTwo() throws IOException {
      tokens.replicateAfter(Duration.ofSeconds(3));
      connect().getRepository("octo-org/api");

      assertThat(waits).containsExactly(Duration.ofSeconds(1), Duration.ofSeconds(2));
      assertThat(gitHub.authorizations()).hasSize(3).containsOnly(bearer(1));
      assertThat(tokens.vends()).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(ints = {401, 403, 404})
    void takesNoRefusalForAnAnswer(int status) throws IOException {
      gitHub.next(Answer.of(status, "{\"message\":\"Not yet\"}"));
      connect().getRepository("octo-org/api");

      assertThat(waits).containsExactly(Duration.ofSeconds(1));
      assertThat(gitHub.authorizations()).containsExactly(bearer(1), bearer(1));
    }

    @Test
    void comparesCommitsAgain() throws IOException {
      GHRepository repository = connect().getRepository("octo-org/api");
      gitHub.next(Answer.of(404, "{\"message\":\"Not Found\"}"));

      assertThat(repository.getCompare("a", "b").getAheadBy()).isEqualTo(2);
    }

    @Test
    void aMissingRepositoryIsMissing() {
      assertThatThrownBy(() -> connect().getRepository("octo-org/none"))
          .isInstanceOf(GHFileNotFoundException.class);
      assertThat(gitHub.received()).hasSize(3);
    }

    @Test
    void aMissingRepositoryIsMissingAtOnceLater() throws IOException {
      GitHub gh = connectedForAWhile();

      assertThatThrownBy(() -> gh.getRepository("octo-org/none"))
          .isInstanceOf(GHFileNotFoundException.class);
      assertThat(gitHub.received()).hasSize(1);
    }

    @Test
    void anInterruptEndsTheWait() {
      gitHub.next(Answer.of(401, ""));
      GitHub gh =
          builder(tokens)
              .pause(
                  duration -> {
                    throw new InterruptedException();
                  })
              .build();

      assertThatThrownBy(() -> gh.getRepository("octo-org/api")).isInstanceOf(IOException.class);
      assertThat(Thread.interrupted()).isTrue();
    }
  }

  @Nested
  class AtARateLimit {
    private final Answer limited =
        new Answer(
            403,
            Map.of(
                "X-RateLimit-Limit", "5000",
                "X-RateLimit-Remaining", "0",
                "X-RateLimit-Reset", "1795428000"),
            "{\"message\":\"API rate limit exceeded\"}");
    private final AtomicInteger sleeps = new AtomicInteger();

    private GitHub connectSleeping(Duration sleep) {
      return builder(tokens)
          .gitHubBuilder(
              builder ->
                  builder.withRateLimitHandler(
                      new GitHubRateLimitHandler() {
                        @Override
                        public void onError(GitHubConnectorResponse response) {
                          sleeps.incrementAndGet();
                          clock.advance(sleep);
                        }
                      }))
          .build();
    }

    @Test
    void theTokenIsCurrentAfterTheSleep() throws IOException {
      GitHub gh = connectSleeping(Duration.ofMinutes(61));
      gitHub.next(limited);
      gh.getRepository("octo-org/api");

      assertThat(sleeps).hasValue(1);
      assertThat(gitHub.authorizations()).containsExactly(bearer(1), bearer(2));
    }

    /** hub4j has made the header when its checker sleeps. */
    @Test
    void theTokenIsCurrentAfterASleepBeforeTheLimitToo() throws IOException {
      GitHub gh =
          builder(tokens)
              .gitHubBuilder(
                  builder ->
                      builder.withRateLimitChecker(
                          new RateLimitChecker() {
                            @Override
                            protected boolean checkRateLimit(GHRateLimit.Record limit, long count) {
                              if (sleeps.getAndIncrement() == 0) {
                                clock.advance(Duration.ofMinutes(61));
                              }
                              return false;
                            }
                          },
                          RateLimitTarget.CORE))
              .build();
      gitHub.next(
          Answer.of(
              200,
              """
              {"resources":{"core":%1$s,"search":%1$s,"graphql":%1$s,"integration_manifest":%1$s},"rate":%1$s}"""
                  .formatted("{\"limit\":5000,\"remaining\":10,\"reset\":1795428000}")));
      gh.getRepository("octo-org/api");

      assertThat(sleeps).hasPositiveValue();
      assertThat(gitHub.received())
          .extracting(Received::path)
          .containsExactly("/rate_limit", "/repos/octo-org/api");
      assertThat(gitHub.authorizations()).containsExactly(bearer(1), bearer(2));
    }

    @Test
    void comparesCommitsAfterTheSleep() throws IOException {
      GHRepository repository =
          connectSleeping(Duration.ofMinutes(61)).getRepository("octo-org/api");
      gitHub.next(limited);

      assertThat(repository.getCompare("a", "b").getAheadBy()).isEqualTo(2);
      assertThat(gitHub.authorizations()).last().isEqualTo(bearer(2));
    }

    @Test
    void aYoungTokenIsNotSentAgainBeforeTheSleep() throws IOException {
      GitHub gh = connectSleeping(Duration.ofMinutes(1));
      gitHub.next(limited);
      gh.getRepository("octo-org/api");

      assertThat(waits).isEmpty();
      assertThat(gitHub.authorizations()).containsExactly(bearer(1), bearer(1));
    }
  }

  @Nested
  class WithoutAToken {
    @Test
    void aRefusalIsAnIOExceptionWithTheRefusalAsCause() {
      GitHub gh =
          builder(
                  request -> {
                    throw new TokenDeniedException(
                        "No token for app 1001.", Reason.INSTALLATION_NOT_FOUND);
                  })
              .build();

      assertThatThrownBy(() -> gh.getRepository("octo-org/api"))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("No token for app 1001.")
          .hasCauseInstanceOf(TokenDeniedException.class);
      assertThat(gitHub.received()).isEmpty();
    }
  }

  @Nested
  class WhenAnAnswerLeadsElsewhere {
    private LoopbackGitHub elsewhere;

    @BeforeEach
    void startAnother() throws IOException {
      elsewhere = new LoopbackGitHub(clock);
    }

    @AfterEach
    void stopAnother() {
      elsewhere.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {301, 302, 303, 307, 308})
    void aRedirectToAnotherPortCarriesNoToken(int status) throws IOException {
      GitHub gh = connectedForAWhile();
      gitHub.next(Answer.redirect(status, elsewhere.url() + "/repos/octo-org/api"));
      elsewhere.next(Answer.of(200, "{\"id\":1,\"name\":\"api\"}"));
      gh.getRepository("octo-org/api");

      assertThat(elsewhere.authorizations()).hasSize(1).containsOnlyNulls();
    }

    @Test
    void aRedirectToAnotherNameOfTheSameMachineCarriesNoToken() throws IOException {
      GitHub gh = connectedForAWhile();
      gitHub.next(
          Answer.redirect(302, "http://localhost:" + gitHub.port() + "/repos/octo-org/api"),
          Answer.of(200, "{\"id\":1,\"name\":\"api\"}"));
      gh.getRepository("octo-org/api");

      assertThat(gitHub.received()).hasSize(2);
      assertThat(gitHub.authorizations().get(1)).isNull();
    }

    @Test
    void aRedirectWithinGitHubCarriesTheToken() throws IOException {
      GitHub gh = connectedForAWhile();
      gitHub.next(Answer.redirect(301, gitHub.url() + "/repos/octo-org/api"));

      assertThat(gh.getRepository("octo-org/old-name").getName()).isEqualTo("api");
      assertThat(gitHub.authorizations()).containsExactly(bearer(1), bearer(1));
    }

    @Test
    void aNextPageElsewhereCarriesNoToken() throws IOException {
      GitHub gh = connectedForAWhile();
      gitHub.next(
          new Answer(
              200,
              Map.of("Link", "<" + elsewhere.url() + "/page2>; rel=\"next\""),
              "{\"total_count\":2,\"repositories\":[{\"id\":1,\"name\":\"one\"}]}"));
      elsewhere.next(
          Answer.of(
              200,
              """
              {"total_count":2,"repositories":[{"id":2,"name":"api","full_name":"octo-org/api"}]}"""));
      GHRepository last = gh.getInstallation().listRepositories().toList().get(1);

      assertThat(elsewhere.authorizations()).hasSize(1).containsOnlyNulls();
      assertThat(last.createIssue("new").create().getNumber()).isEqualTo(7);
    }
  }

  @Nested
  class WhenTheConnectionBreaks {
    @Test
    void anIdempotentRequestIsSentAgain() throws IOException {
      GHRepository repository = connectedForAWhile().getRepository("octo-org/api");
      gitHub.received().clear();
      gitHub.dropConnections(2);
      repository.setTopics(List.of("java"));

      assertThat(gitHub.received()).hasSize(3).extracting(Received::method).containsOnly("PUT");
      assertThat(waits).containsExactly(Duration.ofMillis(100), Duration.ofMillis(200));
    }

    @Test
    void aRequestThatMayHaveWorkedIsNotSentAgain() throws IOException {
      GHRepository repository = connectedForAWhile().getRepository("octo-org/api");
      gitHub.received().clear();
      gitHub.dropConnections(1);

      assertThatThrownBy(() -> repository.createIssue("new").create())
          .isInstanceOf(IOException.class)
          .hasStackTraceContaining("POST to http://127.0.0.1:" + gitHub.port());
      assertThat(gitHub.received()).hasSize(1);
    }

    @Test
    void anyRequestIsSentAgainIfThereWasNoConnection() throws IOException {
      int freePort;
      try (ServerSocket socket = new ServerSocket(0)) {
        freePort = socket.getLocalPort();
      }
      GitHub gh = builder(tokens).gitHubApiUrl(URI.create("http://127.0.0.1:" + freePort)).build();

      assertThatThrownBy(() -> gh.createRepository("new").create())
          .isInstanceOf(IOException.class)
          .hasStackTraceContaining("attempts: 3");
      assertThat(waits).containsExactly(Duration.ofMillis(100), Duration.ofMillis(200));
    }

    @Test
    void hub4jDoesNotMultiplyTheAttempts() {
      AtomicInteger attempts = new AtomicInteger();
      GitHub gh =
          builder(tokens)
              .connector(
                  request -> {
                    attempts.incrementAndGet();
                    throw new SocketException("Connection reset");
                  })
              .build();

      assertThatThrownBy(() -> gh.getRepository("octo-org/api"))
          .isInstanceOf(HttpException.class)
          .hasRootCauseInstanceOf(SocketException.class);
      assertThat(attempts).hasValue(3);
    }

    @Test
    void anotherFailureIsNoReasonToSendAgain() {
      AtomicInteger attempts = new AtomicInteger();
      GitHub gh =
          builder(tokens)
              .connector(
                  request -> {
                    attempts.incrementAndGet();
                    throw new IOException("Disk full");
                  })
              .build();

      assertThatThrownBy(() -> gh.getRepository("octo-org/api"))
          .hasStackTraceContaining("Disk full");
      assertThat(attempts).hasValue(1);
    }
  }
}
