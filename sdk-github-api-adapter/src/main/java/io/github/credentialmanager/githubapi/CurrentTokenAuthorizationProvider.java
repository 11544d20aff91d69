package io.github.credentialmanager.githubapi;

import io.github.credentialmanager.sdk.AccessToken;
import io.github.credentialmanager.sdk.CredentialManagerException;
import io.github.credentialmanager.sdk.TokenProvider;
import io.github.credentialmanager.sdk.TokenRequest;
import java.io.IOException;
import org.kohsuke.github.authorization.AuthorizationProvider;

/**
 * Tells hub4j the current token.
 *
 * <p>Answers the same {@code String} as long as the token is the same: after a 401 hub4j asks again
 * and takes a string that differs for a reason to send the request again.
 */
final class CurrentTokenAuthorizationProvider implements AuthorizationProvider {
  private final TokenProvider provider;
  private final TokenRequest request;

  CurrentTokenAuthorizationProvider(TokenProvider provider, TokenRequest request) {
    this.provider = provider;
    this.request = request;
  }

  @Override
  public String getEncodedAuthorization() throws IOException {
    return token().authorization();
  }

  /** The current token, or the {@link IOException} that hub4j's callers expect. */
  AccessToken token() throws IOException {
    try {
      return provider.getToken(request);
    } catch (CredentialManagerException e) {
      throw new IOException(e.getMessage(), e);
    }
  }
}
