package io.github.credentialmanager.githubapi;

import io.github.credentialmanager.sdk.AccessToken;
import io.github.credentialmanager.sdk.CredentialManagerException;
import io.github.credentialmanager.sdk.GitHubAuthorizer;
import java.io.IOException;
import org.kohsuke.github.authorization.AuthorizationProvider;

/**
 * Tells hub4j the current token.
 *
 * <p>Answers the same {@code String} as long as the token is the same: after a 401 hub4j asks again
 * and takes a string that differs for a reason to send the request again.
 */
final class CurrentTokenAuthorizationProvider implements AuthorizationProvider {
  private final GitHubAuthorizer authorizer;

  CurrentTokenAuthorizationProvider(GitHubAuthorizer authorizer) {
    this.authorizer = authorizer;
  }

  @Override
  public String getEncodedAuthorization() throws IOException {
    return currentToken(authorizer).authorization();
  }

  /** The current token, or the {@link IOException} that hub4j's callers expect. */
  static AccessToken currentToken(GitHubAuthorizer authorizer) throws IOException {
    try {
      return authorizer.token();
    } catch (CredentialManagerException e) {
      throw new IOException(e.getMessage(), e);
    }
  }
}
