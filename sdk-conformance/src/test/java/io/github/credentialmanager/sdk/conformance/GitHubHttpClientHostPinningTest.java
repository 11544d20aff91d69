package io.github.credentialmanager.sdk.conformance;

import static java.net.http.HttpRequest.BodyPublishers.noBody;
import static java.net.http.HttpRequest.BodyPublishers.ofString;

import io.github.credentialmanager.sdk.GitHubAuthorizer;
import io.github.credentialmanager.sdk.GitHubHttpClient;
import io.github.credentialmanager.sdk.Secret;
import io.github.credentialmanager.sdk.TokenProvider;
import io.github.credentialmanager.sdk.TokenRequest;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Redirect;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.security.GeneralSecurityException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;

/** {@code java.net.http}, following every redirect it can. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class GitHubHttpClientHostPinningTest implements HostPinningContract {
  private LoopbackInternet internet;
  private HttpClient client;

  @BeforeAll
  void start() throws IOException, GeneralSecurityException {
    internet = new LoopbackInternet();
    client =
        GitHubHttpClient.wrap(
            HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .proxy(internet.proxySelector())
                .sslContext(LoopbackInternet.clientTls())
                .build(),
            GitHubAuthorizer.builder(TokenProvider.fixed(Secret.of(token())), TokenRequest.app(1))
                .gitHubApiUrl(URI.create("https://api.github.com"))
                .build(),
            Redirect.ALWAYS);
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
  public void send(String method, String url) throws Exception {
    client.send(
        HttpRequest.newBuilder(new URI(url))
            .method(method, method.equals("GET") ? noBody() : ofString("{}"))
            .build(),
        BodyHandlers.ofString());
  }
}
