package io.github.credentialmanager.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.credentialmanager.sdk.LoopbackServer.Received;
import io.github.credentialmanager.sdk.LoopbackServer.Reply;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Redirect;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class GitHubHttpClientTest {
  private static final TokenRequest REQUEST = TokenRequest.installation(1001, "O_x");

  private final LoopbackServer gitHub = new LoopbackServer().always(request -> Reply.json("{}"));
  private final LoopbackServer elsewhere = new LoopbackServer().always(request -> Reply.json("{}"));
  private final ManualTime time = new ManualTime();
  private final ScriptedProvider source = new ScriptedProvider(time);
  private final CachingTokenProvider cache =
      CachingTokenProvider.builder(source).clock(time).executor(Runnable::run).build();
  private final List<Duration> delays = new ArrayList<>();
  private final HttpClient client = client(Redirect.NEVER);

  @AfterEach
  void close() {
    gitHub.close();
    elsewhere.close();
  }

  private HttpClient client(Redirect redirect) {
    return new GitHubHttpClient(
        HttpClient.newHttpClient(),
        GitHubAuthorizer.builder(cache, REQUEST).gitHubApiUrl(gitHub.url()).clock(time).build(),
        redirect,
        delay -> {
          delays.add(delay);
          time.advance(delay);
          return Runnable::run;
        });
  }

  private static HttpRequest get(URI uri) {
    return HttpRequest.newBuilder(uri).build();
  }

  private URI path(String path) {
    return gitHub.url().resolve(path);
  }

  private String text(HttpClient client, HttpRequest request) throws Exception {
    return client.send(request, BodyHandlers.ofString()).body();
  }

  private static List<String> authorizations(LoopbackServer server) {
    return server.received().stream()
        .map(request -> String.valueOf(request.header("Authorization")))
        .toList();
  }

  @Test
  void sendsTheToken() throws Exception {
    gitHub.next(Reply.json("{\"login\":\"octo\"}"));
    HttpResponse<String> response = client.send(get(path("/user")), BodyHandlers.ofString());
    assertThat(response.body()).isEqualTo("{\"login\":\"octo\"}");
    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.headers().firstValue("content-type")).contains("application/json");
    assertThat(authorizations(gitHub)).containsExactly("Bearer token-1");
  }

  @Test
  void showsItNowhere() throws Exception {
    HttpRequest request = get(path("/user"));
    HttpResponse<String> response = client.send(request, BodyHandlers.ofString());
    assertThat(response.request()).isSameAs(request);
    assertThat(response.request().headers().map()).isEmpty();
    assertThat(response.toString()).doesNotContain("token-1").contains("/user", "200");
    assertThat(response.previousResponse()).isEmpty();
  }

  @Test
  void sendsNoneToOtherHosts() throws Exception {
    text(client, get(elsewhere.url()));
    assertThat(authorizations(elsewhere)).containsExactly("null");
    assertThat(source.calls()).as("no token was asked for").isZero();
  }

  @Test
  void leavesAnAuthorizationOfTheCallersOwnAlone() throws Exception {
    text(client, HttpRequest.newBuilder(path("/")).header("Authorization", "Basic abc").build());
    assertThat(authorizations(gitHub)).containsExactly("Basic abc");
  }

  @Test
  void keepsTheRestOfTheRequest() throws Exception {
    client.send(
        HttpRequest.newBuilder(path("/graphql"))
            .header("X-Mine", "1")
            .POST(BodyPublishers.ofString("{\"query\":\"x\"}"))
            .build(),
        BodyHandlers.discarding());
    Received received = gitHub.only();
    assertThat(received.method()).isEqualTo("POST");
    assertThat(received.text()).isEqualTo("{\"query\":\"x\"}");
    assertThat(received.header("X-Mine")).isEqualTo("1");
  }

  @Nested
  class WhenGitHubRefusesTheToken {
    @Test
    void aYoungOneIsSentAgainWithTheBody() throws Exception {
      gitHub.next(Reply.of(404, "no")).next(Reply.of(401, "no")).next(Reply.json("yes"));
      HttpRequest post =
          HttpRequest.newBuilder(path("/")).POST(BodyPublishers.ofString("body")).build();
      assertThat(text(client, post)).isEqualTo("yes");
      assertThat(authorizations(gitHub)).containsOnly("Bearer token-1").hasSize(3);
      assertThat(gitHub.received()).extracting(Received::text).containsOnly("body");
      assertThat(delays).containsExactly(Duration.ofSeconds(1), Duration.ofSeconds(2));
    }

    @Test
    void anOlderOneIsReplaced() throws Exception {
      text(client, get(path("/")));
      time.advance(Duration.ofMinutes(1));
      gitHub.next(Reply.of(401, "no")).next(Reply.json("yes"));
      assertThat(text(client, get(path("/")))).isEqualTo("yes");
      assertThat(authorizations(gitHub))
          .containsExactly("Bearer token-1", "Bearer token-1", "Bearer token-2");
    }

    @Test
    void a401ThatPersistsIsHandedOverWhole() throws Exception {
      text(client, get(path("/")));
      time.advance(Duration.ofMinutes(1));
      source.next(new TokenDeniedException("suspended", Reason.INSTALLATION_SUSPENDED));
      gitHub.always(request -> Reply.of(401, "{\"message\":\"Bad credentials\"}"));
      HttpResponse<Stream<String>> response = client.send(get(path("/")), BodyHandlers.ofLines());
      assertThat(response.statusCode()).isEqualTo(401);
      assertThat(response.body()).containsExactly("{\"message\":\"Bad credentials\"}");
    }

    @Test
    void anEmpty401IsHandedOverToo() throws Exception {
      text(client, get(path("/")));
      time.advance(Duration.ofMinutes(1));
      source.next(new TokenDeniedException("suspended", Reason.INSTALLATION_SUSPENDED));
      gitHub.always(request -> Reply.of(401, ""));
      assertThat(client.send(get(path("/")), BodyHandlers.ofByteArray()).body()).isEmpty();
    }

    @Test
    void a403ThatIsARateLimitIsHandedOverAtOnce() throws Exception {
      gitHub.next(Reply.of(403, "slow").with("Retry-After", "60"));
      gitHub.next(Reply.of(403, "slow").with("X-RateLimit-Remaining", "0"));
      assertThat(text(client, get(path("/")))).isEqualTo("slow");
      assertThat(text(client, get(path("/")))).isEqualTo("slow");
      assertThat(delays).isEmpty();
    }
  }

  @Nested
  class WhenThereIsNoToken {
    @Test
    void theIoExceptionHasTheReason() {
      source.next(new TokenDeniedException("suspended", Reason.INSTALLATION_SUSPENDED));
      assertThatExceptionOfType(IOException.class)
          .isThrownBy(() -> client.send(get(path("/")), BodyHandlers.discarding()))
          .withMessage("suspended")
          .withCauseInstanceOf(TokenDeniedException.class);
      assertThat(gitHub.received()).isEmpty();
    }

    @Test
    void theFutureFailsWithTheSame() {
      source.next(new TokenUnavailableException("down", Reason.UNREACHABLE));
      assertThat(client.sendAsync(get(path("/")), BodyHandlers.discarding()))
          .failsWithin(Duration.ofSeconds(30))
          .withThrowableOfType(ExecutionException.class)
          .withCauseInstanceOf(IOException.class)
          .havingCause()
          .withCauseInstanceOf(TokenUnavailableException.class);
    }
  }

  @Nested
  class WhenRedirected {
    @ParameterizedTest
    @EnumSource(names = "NEVER", mode = EnumSource.Mode.EXCLUDE)
    void refusesAClientThatWouldTakeTheTokenAlong(Redirect redirect) {
      HttpClient following = HttpClient.newBuilder().followRedirects(redirect).build();
      GitHubAuthorizer authorizer = GitHubAuthorizer.builder(cache, REQUEST).build();
      assertThatIllegalArgumentException()
          .isThrownBy(() -> GitHubHttpClient.wrap(following, authorizer))
          .withMessageContaining("followRedirects(NEVER)");
    }

    @Test
    void handsTheRedirectToTheCallerUnlessToldToFollow() throws Exception {
      gitHub.next(redirect(302, elsewhere.url()));
      HttpResponse<String> response = client.send(get(path("/")), BodyHandlers.ofString());
      assertThat(response.statusCode()).isEqualTo(302);
      assertThat(response.headers().firstValue("location")).contains(elsewhere.url().toString());
      assertThat(elsewhere.received()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(ints = {301, 302, 303, 307, 308})
    void takesNeitherTokenNorCookieElsewhere(int status) throws Exception {
      gitHub.next(redirect(status, elsewhere.url().resolve("/archive.zip")));
      elsewhere.next(Reply.json("zip"));
      HttpRequest request =
          HttpRequest.newBuilder(path("/repos/a/b/zipball")).header("Cookie", "c=1").build();
      assertThat(text(client(Redirect.NORMAL), request)).isEqualTo("zip");
      assertThat(authorizations(gitHub)).containsExactly("Bearer token-1");
      assertThat(authorizations(elsewhere)).containsExactly("null");
      assertThat(elsewhere.only().header("Cookie")).isNull();
    }

    @Test
    void takesNoAuthorizationOfTheCallersElsewhereEither() throws Exception {
      gitHub.next(redirect(302, elsewhere.url()));
      HttpRequest request =
          HttpRequest.newBuilder(path("/")).header("Authorization", "Basic abc").build();
      text(client(Redirect.NORMAL), request);
      assertThat(authorizations(elsewhere)).containsExactly("null");
    }

    @Test
    void sendsTheTokenToTheNextHopAtGitHub() throws Exception {
      gitHub.next(redirect(301, URI.create("/repositories/7"))).next(Reply.json("renamed"));
      assertThat(text(client(Redirect.NORMAL), get(path("/repos/a/old")))).isEqualTo("renamed");
      assertThat(gitHub.received())
          .extracting(Received::path)
          .containsExactly("/repos/a/old", "/repositories/7");
      assertThat(authorizations(gitHub)).containsOnly("Bearer token-1");
    }

    @Test
    void comesBackWithTheToken() throws Exception {
      gitHub.next(redirect(302, elsewhere.url()));
      elsewhere.next(redirect(302, path("/back")));
      text(client(Redirect.NORMAL), get(path("/")));
      assertThat(authorizations(gitHub)).containsExactly("Bearer token-1", "Bearer token-1");
      assertThat(authorizations(elsewhere)).containsExactly("null");
    }

    @Test
    void turnsAPostIntoAGetWhereBrowsersDo() throws Exception {
      for (Map.Entry<Integer, String> expected :
          Map.of(301, "GET", 302, "GET", 303, "GET", 307, "POST", 308, "POST").entrySet()) {
        gitHub.next(redirect(expected.getKey(), elsewhere.url()));
        client(Redirect.NORMAL)
            .send(
                HttpRequest.newBuilder(path("/"))
                    .header("Content-Type", "text/plain")
                    .POST(BodyPublishers.ofString("body"))
                    .build(),
                BodyHandlers.discarding());
        Received last = elsewhere.received().get(elsewhere.received().size() - 1);
        boolean post = expected.getValue().equals("POST");
        assertThat(last.method()).isEqualTo(expected.getValue());
        assertThat(last.text()).isEqualTo(post ? "body" : "");
        assertThat(last.header("Content-Type")).isEqualTo(post ? "text/plain" : null);
      }
    }

    @Test
    void stopsAfterFive() throws Exception {
      gitHub.always(request -> redirect(302, path("/again")));
      HttpResponse<Void> response =
          client(Redirect.NORMAL).send(get(path("/")), BodyHandlers.discarding());
      assertThat(response.statusCode()).isEqualTo(302);
      assertThat(gitHub.received()).hasSize(6);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "http://", "ftp://127.0.0.1/", "http://exa mple/", "mailto:x"})
    void handsOverARedirectThatLeadsNowhere(String location) throws Exception {
      gitHub.next(Reply.of(302, "moved").with("Location", location));
      assertThat(text(client(Redirect.NORMAL), get(path("/")))).isEqualTo("moved");
    }

    private Reply redirect(int status, URI location) {
      return Reply.of(status, "elsewhere").with("Location", location.toString());
    }
  }

  @Test
  void endsTheCallUnderWayIfCancelled() throws Exception {
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      GitHubAuthorizer authorizer =
          GitHubAuthorizer.builder(cache, REQUEST)
              .gitHubApiUrl(URI.create("http://127.0.0.1:" + server.getLocalPort()))
              .build();
      CompletableFuture<HttpResponse<Void>> answer =
          GitHubHttpClient.wrap(HttpClient.newHttpClient(), authorizer)
              .sendAsync(get(authorizer.gitHubApiUrl()), BodyHandlers.discarding());
      try (Socket connection = server.accept()) {
        assertThat(connection.getInputStream().read()).isEqualTo('G');
        answer.cancel(true);
        connection.getInputStream().readAllBytes();
      }
      assertThat(answer).isCancelled();
    }
  }

  @Test
  void isOtherwiseTheWrappedClient() {
    HttpClient inner =
        HttpClient.newBuilder()
            .connectTimeout(Duration.ofSeconds(3))
            .version(HttpClient.Version.HTTP_1_1)
            .build();
    HttpClient wrapped =
        GitHubHttpClient.wrap(
            inner, GitHubAuthorizer.builder(cache, REQUEST).build(), Redirect.NORMAL);
    assertThat(wrapped.connectTimeout()).contains(Duration.ofSeconds(3));
    assertThat(wrapped.version()).isEqualTo(HttpClient.Version.HTTP_1_1);
    assertThat(wrapped.followRedirects()).isEqualTo(Redirect.NORMAL);
    assertThat(wrapped.sslContext()).isSameAs(inner.sslContext());
    assertThat(wrapped.sslParameters().getProtocols())
        .isEqualTo(inner.sslParameters().getProtocols());
    assertThat(wrapped.proxy()).isEqualTo(inner.proxy());
    assertThat(wrapped.cookieHandler()).isEqualTo(inner.cookieHandler());
    assertThat(wrapped.authenticator()).isEqualTo(inner.authenticator());
    assertThat(wrapped.executor()).isEqualTo(inner.executor());
    assertThat(wrapped.newWebSocketBuilder()).isNotNull();
  }
}
