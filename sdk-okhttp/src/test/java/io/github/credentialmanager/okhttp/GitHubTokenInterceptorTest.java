package io.github.credentialmanager.okhttp;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.credentialmanager.sdk.GitHubAuthorizer;
import io.github.credentialmanager.sdk.Reason;
import io.github.credentialmanager.sdk.TokenDeniedException;
import io.github.credentialmanager.sdk.TokenProvider;
import io.github.credentialmanager.sdk.TokenRequest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import mockwebserver3.RecordedRequest;
import okhttp3.Cache;
import okhttp3.Call;
import okhttp3.Callback;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okio.BufferedSink;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GitHubTokenInterceptorTest {
  private static final MediaType JSON = MediaType.get("application/json");
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

  private GitHubTokenInterceptor interceptor(TokenProvider provider) {
    URI apiUrl = URI.create(gitHub.url("/").toString());
    return new GitHubTokenInterceptor(
        GitHubAuthorizer.builder(provider, REQUEST).gitHubApiUrl(apiUrl).clock(clock).build(),
        duration -> {
          waits.add(duration);
          now = now.plus(duration);
        });
  }

  private OkHttpClient client() {
    return new OkHttpClient.Builder().addInterceptor(interceptor(tokens)).build();
  }

  private static int status(OkHttpClient client, Request request) throws IOException {
    try (Response response = client.newCall(request).execute()) {
      response.body().bytes();
      return response.code();
    }
  }

  private Request get(String path) {
    return new Request.Builder().url(gitHub.url(path)).build();
  }

  private Request graphql(RequestBody body) {
    return new Request.Builder().url(gitHub.url("/graphql")).post(body).build();
  }

  private void tokenIsInUseForAWhile() {
    tokens.getToken(REQUEST);
    now = now.plusSeconds(30);
  }

  private static MockResponse answer(int status) {
    return new MockResponse.Builder().code(status).build();
  }

  private static MockResponse redirect(String location) {
    return new MockResponse.Builder().code(302).addHeader("Location", location).build();
  }

  private static List<@Nullable String> authorizations(MockWebServer server)
      throws InterruptedException {
    List<@Nullable String> authorizations = new ArrayList<>();
    for (int i = server.getRequestCount(); i > 0; i--) {
      authorizations.add(take(server).getHeaders().get("Authorization"));
    }
    return authorizations;
  }

  private static RecordedRequest take(MockWebServer server) throws InterruptedException {
    RecordedRequest request = server.takeRequest(5, TimeUnit.SECONDS);
    assertThat(request).isNotNull();
    return request;
  }

  @Nested
  class ToGitHub {
    @Test
    void eachRequestCarriesTheToken() throws Exception {
      gitHub.enqueue(answer(200));
      gitHub.enqueue(answer(200));
      OkHttpClient client = client();

      assertThat(status(client, get("/repos/octo-org/api"))).isEqualTo(200);
      assertThat(status(client, graphql(RequestBody.create("{}", JSON)))).isEqualTo(200);
      assertThat(authorizations(gitHub)).containsExactly("Bearer token-1", "Bearer token-1");
    }

    @Test
    void anEnqueuedCallCarriesTheToken() throws Exception {
      gitHub.enqueue(answer(200));
      CompletableFuture<Integer> status = new CompletableFuture<>();
      client()
          .newCall(get("/meta"))
          .enqueue(
              new Callback() {
                @Override
                public void onFailure(Call call, IOException e) {
                  status.completeExceptionally(e);
                }

                @Override
                public void onResponse(Call call, Response response) {
                  try (response) {
                    status.complete(response.code());
                  }
                }
              });

      assertThat(status.get(5, TimeUnit.SECONDS)).isEqualTo(200);
      assertThat(authorizations(gitHub)).containsExactly("Bearer token-1");
    }

    @Test
    void aCallersOwnAuthorizationStays() throws Exception {
      gitHub.enqueue(answer(401));
      Request request = get("/app").newBuilder().header("Authorization", "Basic own").build();

      assertThat(status(client(), request)).isEqualTo(401);
      assertThat(authorizations(gitHub)).containsExactly("Basic own");
    }

    @Test
    void noTokenIsAnIOExceptionWithTheRefusalAsCause() {
      TokenProvider denying =
          request -> {
            throw new TokenDeniedException("Not installed.", Reason.INSTALLATION_NOT_FOUND);
          };
      OkHttpClient client = new OkHttpClient.Builder().addInterceptor(interceptor(denying)).build();

      assertThatThrownBy(() -> status(client, get("/meta")))
          .isInstanceOf(IOException.class)
          .hasMessage("Not installed.")
          .hasCauseInstanceOf(TokenDeniedException.class);
      assertThat(gitHub.getRequestCount()).isZero();
    }

    @Test
    void aNetworkInterceptorIsRefused() {
      OkHttpClient client =
          new OkHttpClient.Builder().addNetworkInterceptor(interceptor(tokens)).build();

      assertThatIllegalStateException()
          .isThrownBy(() -> status(client, get("/meta")))
          .withMessageContaining("addInterceptor");
      assertThat(gitHub.getRequestCount()).isZero();
    }
  }

  @Nested
  class Elsewhere {
    @Test
    void sendsNothingToAnotherPort() throws Exception {
      elsewhere.enqueue(answer(200));
      status(client(), new Request.Builder().url(elsewhere.url("/")).build());

      assertThat(authorizations(elsewhere)).hasSize(1).containsOnlyNulls();
    }

    @Test
    void sendsNothingToAnotherHost() throws Exception {
      gitHub.enqueue(answer(200));
      status(
          client(),
          new Request.Builder()
              .url(gitHub.url("/").newBuilder().host(anotherName(gitHub.getHostName())).build())
              .build());

      assertThat(authorizations(gitHub)).hasSize(1).containsOnlyNulls();
    }

    private static String anotherName(String host) {
      return host.equals("localhost") ? "127.0.0.1" : "localhost";
    }

    @Test
    void sendsNothingAfterARedirect() throws Exception {
      gitHub.enqueue(redirect(elsewhere.url("/archive").toString()));
      elsewhere.enqueue(answer(200));

      assertThat(status(client(), get("/repos/octo-org/api/tarball"))).isEqualTo(200);
      assertThat(authorizations(gitHub)).containsExactly("Bearer token-1");
      assertThat(authorizations(elsewhere)).hasSize(1).containsOnlyNulls();
    }

    @ParameterizedTest
    @ValueSource(ints = {401, 403, 404})
    void aRefusalAfterARedirectIsNotAboutTheToken(int status) throws Exception {
      gitHub.enqueue(redirect(elsewhere.url("/archive").toString()));
      elsewhere.enqueue(answer(status));

      assertThat(status(client(), get("/repos/octo-org/api/tarball"))).isEqualTo(status);
      assertThat(waits).isEmpty();
      assertThat(gitHub.getRequestCount()).isEqualTo(1);
    }
  }

  @Nested
  class AfterA401 {
    @BeforeEach
    void useTheTokenForAWhile() {
      tokenIsInUseForAWhile();
    }

    @Test
    void sendsOnceMoreWithANewToken() throws Exception {
      gitHub.enqueue(answer(401));
      gitHub.enqueue(answer(200));

      assertThat(status(client(), get("/meta"))).isEqualTo(200);
      assertThat(authorizations(gitHub)).containsExactly("Bearer token-1", "Bearer token-2");
      assertThat(waits).isEmpty();
    }

    @Test
    void sendsTheGraphqlQueryOnceMore() throws Exception {
      gitHub.enqueue(answer(401));
      gitHub.enqueue(answer(200));
      String query = "{\"query\":\"{viewer{login}}\"}";

      assertThat(status(client(), graphql(RequestBody.create(query, JSON)))).isEqualTo(200);
      assertThat(take(gitHub).getBody().utf8()).isEqualTo(query);
      assertThat(take(gitHub).getBody().utf8()).isEqualTo(query);
    }

    @Test
    void aBodyThatCanBeWrittenOnceIsNotSentAgain() throws Exception {
      gitHub.enqueue(answer(401));
      RequestBody once =
          new RequestBody() {
            @Override
            public MediaType contentType() {
              return JSON;
            }

            @Override
            public boolean isOneShot() {
              return true;
            }

            @Override
            public void writeTo(BufferedSink sink) throws IOException {
              sink.writeUtf8("{}");
            }
          };

      assertThat(status(client(), graphql(once))).isEqualTo(401);
      assertThat(gitHub.getRequestCount()).isEqualTo(1);
    }

    @Test
    void aPersistentOneIsTheAnswer() throws Exception {
      for (int i = 0; i < 4; i++) {
        gitHub.enqueue(answer(401));
      }

      assertThat(status(client(), get("/meta"))).isEqualTo(401);
      assertThat(authorizations(gitHub))
          .startsWith("Bearer token-1", "Bearer token-2")
          .doesNotContain("Bearer token-3");
    }
  }

  @Nested
  class WhileTheTokenIsNotReplicated {
    @ParameterizedTest
    @ValueSource(ints = {401, 403, 404})
    void sendsTheSameTokenAgainAfterOneSecondThenTwo(int status) throws Exception {
      gitHub.enqueue(answer(status));
      gitHub.enqueue(answer(status));
      gitHub.enqueue(answer(200));

      assertThat(status(client(), get("/meta"))).isEqualTo(200);
      assertThat(waits).containsExactly(Duration.ofSeconds(1), Duration.ofSeconds(2));
      assertThat(authorizations(gitHub)).hasSize(3).containsOnly("Bearer token-1");
    }

    @ParameterizedTest
    @ValueSource(strings = {"X-RateLimit-Remaining: 0", "Retry-After: 0"})
    void aRateLimitIsTheAnswer(String header) throws Exception {
      gitHub.enqueue(new MockResponse.Builder().code(403).addHeader(header).build());

      assertThat(status(client(), get("/meta"))).isEqualTo(403);
      assertThat(waits).isEmpty();
    }

    @Test
    void aCanceledCallEndsWithItsWait() {
      gitHub.enqueue(answer(401));
      List<Call> calls = new ArrayList<>();
      URI apiUrl = URI.create(gitHub.url("/").toString());
      GitHubTokenInterceptor interceptor =
          new GitHubTokenInterceptor(
              GitHubAuthorizer.builder(tokens, REQUEST).gitHubApiUrl(apiUrl).clock(clock).build(),
              duration -> calls.get(0).cancel());
      calls.add(
          new OkHttpClient.Builder().addInterceptor(interceptor).build().newCall(get("/meta")));

      assertThatThrownBy(() -> calls.get(0).execute()).hasMessage("Canceled");
      assertThat(gitHub.getRequestCount()).isEqualTo(1);
    }
  }

  /** What the README says about OkHttp's cache. */
  @Nested
  class WithACache {
    @TempDir Path directory;
    private Cache cache;
    private OkHttpClient client;

    @BeforeEach
    void fillTheCache() throws Exception {
      tokenIsInUseForAWhile();
      cache = new Cache(directory.toFile(), 1 << 20);
      client = client().newBuilder().cache(cache).build();
      gitHub.enqueue(
          new MockResponse.Builder()
              .addHeader("ETag", "\"v1\"")
              .addHeader("Vary", "Accept, Authorization")
              .addHeader("Cache-Control", "private, max-age=0")
              .body("repository")
              .build());
      status(client, get("/repos/octo-org/api"));
      take(gitHub);
    }

    @AfterEach
    void closeTheCache() throws IOException {
      cache.close();
    }

    @Test
    void theSameTokenRevalidates() throws Exception {
      gitHub.enqueue(answer(304));

      assertThat(status(client, get("/repos/octo-org/api"))).isEqualTo(200);
      assertThat(take(gitHub).getHeaders().get("If-None-Match")).isEqualTo("\"v1\"");
      assertThat(cache.hitCount()).isEqualTo(1);
    }

    @Test
    void anotherTokenMisses() throws Exception {
      tokens.rejected(REQUEST, tokens.getToken(REQUEST));
      gitHub.enqueue(answer(200));

      assertThat(status(client, get("/repos/octo-org/api"))).isEqualTo(200);
      assertThat(take(gitHub).getHeaders().get("If-None-Match")).isNull();
    }

    @Test
    void theTokenIsOnTheDisk() throws Exception {
      cache.flush();
      try (Stream<Path> files = Files.list(directory)) {
        assertThat(files.map(GitHubTokenInterceptorTest::read))
            .anyMatch(text -> text.contains("token-1"));
      }
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file, ISO_8859_1);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
