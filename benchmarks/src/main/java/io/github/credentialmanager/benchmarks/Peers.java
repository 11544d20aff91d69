package io.github.credentialmanager.benchmarks;

import com.google.auth.oauth2.AccessToken;
import com.google.auth.oauth2.OAuth2Credentials;
import com.google.auth.oauth2.OAuth2CredentialsWithRefresh;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import org.kohsuke.github.GitHubBuilder;
import org.kohsuke.github.authorization.AuthorizationProvider;
import org.kohsuke.github.authorization.OrgAppInstallationAuthorizationProvider;
import software.amazon.awssdk.utils.cache.CachedSupplier;
import software.amazon.awssdk.utils.cache.RefreshResult;

/**
 * Other libraries' caches of one credential, as their own users get them.
 *
 * <p>Each holds one credential, where ours looks one of many up. All decide by the wall clock,
 * except google-auth's {@code getAccessToken()}, which decides nothing.
 */
final class Peers {
  /**
   * hub4j replaces a token so long before its end ({@code AppInstallationAuthorizationProvider}).
   */
  static final Duration HUB4J_MARGIN = Duration.ofMinutes(5);

  /** google-auth's default ({@code OAuth2Credentials.DEFAULT_REFRESH_MARGIN}). */
  private static final Duration GOOGLE_MARGIN = Duration.ofMinutes(3).plusSeconds(45);

  /**
   * How long after its refresh is due a value of {@code CachedSupplier} may still be handed out.
   */
  private static final Duration AWS_GRACE = Duration.ofSeconds(45);

  private Peers() {}

  /** hub4j's own provider, before a GitHub at this URL. */
  @SuppressWarnings("deprecation") // Still what its documentation tells Apps to use.
  static AuthorizationProvider hub4j(URI gitHub) throws IOException {
    AuthorizationProvider provider =
        new OrgAppInstallationAuthorizationProvider(
            StubServer.ORGANIZATION, () -> "Bearer an-app-jwt");
    new GitHubBuilder().withEndpoint(gitHub.toString()).withAuthorizationProvider(provider).build();
    return provider;
  }

  /** google-auth's cache, which begins to refresh a credential when it is {@code freshFor} old. */
  static OAuth2Credentials google(Upstream upstream, Duration freshFor) {
    return OAuth2CredentialsWithRefresh.newBuilder()
        .setRefreshHandler(
            () ->
                new AccessToken(
                    upstream.issue(StubServer.APP_ID),
                    Date.from(Instant.now().plus(freshFor).plus(GOOGLE_MARGIN))))
        .build();
  }

  /** The AWS SDK's cache, which begins to refresh a value when it is {@code freshFor} old. */
  static CachedSupplier<String> aws(Upstream upstream, Duration freshFor) {
    return CachedSupplier.builder(
            () -> {
              String token = upstream.issue(StubServer.APP_ID);
              Instant refreshAt = Instant.now().plus(freshFor);
              return RefreshResult.builder(token)
                  .prefetchTime(refreshAt)
                  .staleTime(refreshAt.plus(AWS_GRACE))
                  .build();
            })
        .cachedValueName("benchmark")
        .build();
  }
}
