package io.github.credentialmanager.examples.snippets;

import io.github.credentialmanager.sdk.AccessToken;
import io.github.credentialmanager.sdk.CachingTokenProvider;
import io.github.credentialmanager.sdk.CredentialManagerClient;
import io.github.credentialmanager.sdk.GitHubAuthorizer;
import io.github.credentialmanager.sdk.GitHubHttpClient;
import io.github.credentialmanager.sdk.Scope;
import io.github.credentialmanager.sdk.TokenListener;
import io.github.credentialmanager.sdk.TokenProvider;
import io.github.credentialmanager.sdk.TokenRequest;
import io.github.credentialmanager.sdk.conformance.TokenProviderContract;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.file.Path;
import software.amazon.awssdk.regions.Region;

/** The code of the READMEs of sdk-core and sdk-conformance. */
final class SdkReadme {
  private SdkReadme() {}

  static String token(long appId, String nodeId) {
    // region sdk-token
    TokenProvider tokens = TokenProvider.credentialManager();

    Scope scope = Scope.builder().repositories("api", "web").read("contents").build();
    AccessToken token = tokens.getToken(TokenRequest.installation(appId, nodeId, scope));
    String header = token.authorization();
    // endregion
    return header;
  }

  static HttpClient httpClient(long appId, String nodeId) {
    // region sdk-http
    HttpClient client =
        GitHubHttpClient.wrap(
            HttpClient.newHttpClient(),
            GitHubAuthorizer.builder(
                    TokenProvider.credentialManager(), TokenRequest.installation(appId, nodeId))
                .build(),
            HttpClient.Redirect.NORMAL);
    // endregion
    return client;
  }

  static TokenProvider ownCache(TokenListener metrics) {
    // region sdk-builder
    CredentialManagerClient client =
        CredentialManagerClient.builder()
            .endpoint(URI.create("https://abc123.lambda-url.eu-west-1.on.aws"))
            .region(Region.EU_WEST_1)
            .build();
    TokenProvider tokens =
        CachingTokenProvider.builder(client.asTokenProvider()).listener(metrics).build();
    // endregion
    return tokens;
  }

  static TokenProvider development(long appId) {
    // region sdk-development
    TokenProvider tokens =
        TokenProvider.firstOf(
            TokenProvider.credentialManager(),
            TokenProvider.localKey(appId, Path.of("my-app.private-key.pem")),
            TokenProvider.environment());
    // endregion
    return tokens;
  }

  // region sdk-conformance
  static class MyTokenProviderTest implements TokenProviderContract {
    @Override
    public TokenProvider provider() {
      return new MyTokenProvider();
    }

    @Override
    public TokenRequest answeredRequest() {
      return TokenRequest.installation(1001, "O_kgDOA");
    }

    @Override
    public TokenRequest refusedRequest() {
      return TokenRequest.installation(9999, "O_nobody");
    }
  }

  // endregion

  private static final class MyTokenProvider implements TokenProvider {
    @Override
    public AccessToken getToken(TokenRequest request) {
      return TokenProvider.environment().getToken(request);
    }
  }
}
