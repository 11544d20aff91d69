package io.github.credentialmanager.okhttp;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.credentialmanager.sdk.GitHubAuthorizer;
import io.github.credentialmanager.sdk.TokenRequest;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import mockwebserver3.RecordedRequest;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class GitHubTokenAuthenticatorTest {
  private static final TokenRequest REQUEST = TokenRequest.installation(1001, "O_kgDO1001_0");

  private final List<Duration> waits = new ArrayList<>();
  private final MockWebServer gitHub = new MockWebServer();
  private final MockWebServer elsewhere = new MockWebServer();
  private Instant now = Instant.parse("2026-11-23T09:00:00Z");
  private final InstantSource clock = () -> now;
  private final CountedTokens tokens = new CountedTokens(clock);

  @BeforeEach
  void start() throws IOException {
    gitHub.start();
    elsewhere.start();
  }

  @AfterEach
  void stop() {
    gitHub.close();
    elsewhere.close();
  }

  private GitHubAuthorizer authorizer() {
    return GitHubAuthorizer.builder(tokens, REQUEST)
        .gitHubApiUrl(URI.create(gitHub.url("/").toString()))
        .clock(clock)
        .build();
  }

  private OkHttpClient client() {
    return new OkHttpClient.Builder()
        .authenticator(
            new GitHubTokenAuthenticator(
                authorizer(),
                duration -> {
                  waits.add(duration);
                  now = now.plus(duration);
                }))
        .build();
  }

  private void gitHubAnswers(int... statuses) {
    for (int status : statuses) {
      gitHub.enqueue(new MockResponse.Builder().code(status).build());
    }
  }

  private int status(OkHttpClient client, Request request) throws IOException {
    try (Response response = client.newCall(request).execute()) {
      return response.code();
    }
  }

  private Request graphql() {
    return new Request.Builder().url(gitHub.url("/graphql")).build();
  }

  private static List<@Nullable String> authorizations(MockWebServer server)
      throws InterruptedException {
    List<@Nullable String> authorizations = new ArrayList<>();
    for (int i = server.getRequestCount(); i > 0; i--) {
      RecordedRequest request = server.takeRequest(5, TimeUnit.SECONDS);
      authorizations.add(request == null ? "none" : request.getHeaders().get("Authorization"));
    }
    return authorizations;
  }

  @Test
  void answersAChallenge() throws Exception {
    gitHubAnswers(401, 200);

    assertThat(status(client(), graphql())).isEqualTo(200);
    assertThat(authorizations(gitHub)).containsExactly(null, "Bearer token-1");
  }

  @Test
  void replacesARefusedTokenOnce() throws Exception {
    tokens.getToken(REQUEST);
    now = now.plusSeconds(30);
    gitHubAnswers(401, 401, 200);

    assertThat(status(client(), graphql())).isEqualTo(200);
    assertThat(authorizations(gitHub)).containsExactly(null, "Bearer token-1", "Bearer token-2");
  }

  @Test
  void sendsAYoungTokenAgain() throws Exception {
    gitHubAnswers(401, 401, 401, 200);

    assertThat(status(client(), graphql())).isEqualTo(200);
    assertThat(waits).containsExactly(Duration.ofSeconds(1), Duration.ofSeconds(2));
    assertThat(authorizations(gitHub))
        .containsExactly(null, "Bearer token-1", "Bearer token-1", "Bearer token-1");
  }

  @Test
  void aPersistentRefusalIsTheAnswer() throws Exception {
    gitHubAnswers(401, 401, 401, 401, 401, 401);

    assertThat(status(client(), graphql())).isEqualTo(401);
    assertThat(gitHub.getRequestCount()).isEqualTo(4);
  }

  @Test
  void leavesACallersOwnAuthorization() throws Exception {
    gitHubAnswers(401);
    Request request = graphql().newBuilder().header("Authorization", "Basic own").build();

    assertThat(status(client(), request)).isEqualTo(401);
    assertThat(authorizations(gitHub)).containsExactly("Basic own");
  }

  @Test
  void doesNothingBesideTheInterceptor() throws Exception {
    gitHubAnswers(401, 401, 401, 200);
    OkHttpClient client =
        client()
            .newBuilder()
            .addInterceptor(new GitHubTokenInterceptor(authorizer(), duration -> {}))
            .build();

    assertThat(status(client, graphql())).isEqualTo(401);
    assertThat(gitHub.getRequestCount()).isEqualTo(3);
    assertThat(waits).isEmpty();
  }

  @Test
  void answersNoChallengeFromElsewhere() throws Exception {
    gitHub.enqueue(
        new MockResponse.Builder()
            .code(302)
            .addHeader("Location", elsewhere.url("/").toString())
            .build());
    elsewhere.enqueue(new MockResponse.Builder().code(401).build());

    assertThat(status(client(), graphql())).isEqualTo(401);
    assertThat(authorizations(elsewhere)).hasSize(1).containsOnlyNulls();
  }
}
