package io.github.credentialmanager.okhttp;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.credentialmanager.sdk.GitHubAuthorizer;
import io.github.credentialmanager.sdk.Secret;
import io.github.credentialmanager.sdk.TokenProvider;
import io.github.credentialmanager.sdk.TokenRequest;
import io.github.credentialmanager.sdk.conformance.HostPinningContract;
import io.github.credentialmanager.sdk.conformance.LoopbackInternet;
import io.github.credentialmanager.sdk.conformance.LoopbackInternet.Answer;
import io.github.credentialmanager.sdk.conformance.LoopbackInternet.Received;
import io.github.credentialmanager.sdk.conformance.PinnedUrl;
import java.io.IOException;
import java.net.URI;
import java.security.GeneralSecurityException;
import java.util.List;
import java.util.Map;
import okhttp3.HttpUrl;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** OkHttp, following every redirect it can. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class HostPinningTest implements HostPinningContract {
  private LoopbackInternet internet;
  private OkHttpClient intercepting;
  private OkHttpClient authenticating;

  @BeforeAll
  void start() throws IOException, GeneralSecurityException {
    internet = new LoopbackInternet();
    OkHttpClient plain =
        new OkHttpClient.Builder()
            .proxySelector(internet.proxySelector())
            .sslSocketFactory(
                LoopbackInternet.clientTls().getSocketFactory(),
                LoopbackInternet.trustingEverybody())
            .hostnameVerifier((host, session) -> true)
            .build();
    GitHubAuthorizer authorizer =
        GitHubAuthorizer.builder(TokenProvider.fixed(Secret.of(token())), TokenRequest.app(1))
            .gitHubApiUrl(URI.create("https://api.github.com"))
            .build();
    intercepting =
        plain.newBuilder().addInterceptor(GitHubTokenInterceptor.create(authorizer)).build();
    authenticating =
        plain.newBuilder().authenticator(GitHubTokenAuthenticator.create(authorizer)).build();
  }

  @AfterAll
  void stop() throws IOException {
    internet.close();
  }

  @Override
  public LoopbackInternet internet() {
    return internet;
  }

  @Override
  public String token() {
    return "the-token-of-this-test";
  }

  @Override
  public void send(String method, String url) throws IOException {
    RequestBody body = method.equals("GET") ? null : RequestBody.create(new byte[] {'{', '}'});
    send(intercepting, new Request.Builder().url(url).method(method, body).build());
  }

  private static void send(OkHttpClient client, Request request) throws IOException {
    try (Response response = client.newCall(request).execute()) {
      response.body().bytes();
    }
  }

  static List<PinnedUrl> urls() {
    return PinnedUrl.all();
  }

  /** Everybody challenges, GitHub redirects whoever has answered its challenge. */
  @ParameterizedTest
  @MethodSource("urls")
  void answersNobodyElsesChallenge(PinnedUrl url) throws IOException {
    internet.received().clear();
    internet.answer(
        request ->
            request.headers().containsKey("Authorization")
                ? new Answer(302, Map.of("Location", url.url()), "")
                : new Answer(401, Map.of("WWW-Authenticate", "Bearer"), ""));
    HttpUrl parsed = HttpUrl.parse(url.url());
    if (parsed != null) {
      sendInVain(parsed);
    }
    sendInVain(HttpUrl.get("https://api.github.com/start"));

    assertThat(internet.received())
        .filteredOn(request -> request.raw().contains(token()))
        .extracting(Received::origin)
        .containsOnly("https://api.github.com:443");
  }

  /** If the last URL is GitHub's own, there are too many redirects. */
  private void sendInVain(HttpUrl url) {
    try {
      send(authenticating, new Request.Builder().url(url).build());
    } catch (IOException e) {
      assertThat(e).hasMessageContaining("Too many follow-up requests");
    }
  }
}
