package io.github.credentialmanager.githubapi;

import io.github.credentialmanager.sdk.TokenProvider;
import io.github.credentialmanager.sdk.TokenRequest;
import org.kohsuke.github.authorization.AuthorizationProvider;

/**
 * What hub4j asks for its {@code Authorization} header, by itself.
 *
 * <p>In the adapter's package, because the adapter keeps that object to itself.
 */
public final class Hub4jLookup {
  private Hub4jLookup() {}

  public static AuthorizationProvider of(TokenProvider provider, TokenRequest request) {
    return new CurrentTokenAuthorizationProvider(provider, request);
  }
}
