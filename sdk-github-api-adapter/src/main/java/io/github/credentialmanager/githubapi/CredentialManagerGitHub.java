package io.github.credentialmanager.githubapi;

import static java.util.Objects.requireNonNull;

import io.github.credentialmanager.sdk.GitHubAuthorizer;
import io.github.credentialmanager.sdk.Scope;
import io.github.credentialmanager.sdk.TokenProvider;
import io.github.credentialmanager.sdk.TokenRequest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.time.InstantSource;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.kohsuke.github.GitHub;
import org.kohsuke.github.GitHubBuilder;
import org.kohsuke.github.connector.GitHubConnector;

/**
 * Makes hub4j {@link GitHub} objects that take their tokens from the Credential Manager.
 *
 * <pre>{@code
 * GitHub gh = CredentialManagerGitHub.connect(appId, nodeId);
 * }</pre>
 *
 * <p>Such an object never goes stale: each request carries the token that is current when it is
 * sent, after a rate-limit sleep too. If GitHub answers 401, the token is given up and the request
 * sent once more with a new one; a token that GitHub has not replicated yet is sent again after a
 * short wait. A refusal that persists is hub4j's {@code HttpException} with GitHub's status. A
 * token that is not to be had is an {@link IOException} whose cause chain has the {@link
 * io.github.credentialmanager.sdk.CredentialManagerException}.
 *
 * <p>The token goes to the configured GitHub only: to its API, and to the host that takes its
 * release assets.
 *
 * <p>Connecting does no I/O and throws no {@link IOException}; the first request asks for the first
 * token. All objects for the same App, account and scope share one cache and one token, so connect
 * as often as is convenient.
 */
public final class CredentialManagerGitHub {
  /** github.com's API, or that of a tenant with data residency. */
  private static final Pattern GITHUB_CLOUD_API =
      Pattern.compile("api\\.(github\\.com|[a-z0-9-]+\\.ghe\\.com)", Pattern.CASE_INSENSITIVE);

  private CredentialManagerGitHub() {}

  /**
   * GitHub as an installation of an App sees it, with everything it may do there.
   *
   * @param appId the GitHub App's number
   * @param nodeId the GraphQL node id of the organisation, user or enterprise the App is installed
   *     on
   * @throws IllegalArgumentException if {@code appId} or {@code nodeId} cannot be one, or a setting
   *     of the environment is malformed
   */
  public static GitHub connect(long appId, String nodeId) {
    return builder().appId(appId).nodeId(nodeId).build();
  }

  /**
   * GitHub as an installation of an App sees it, narrowed to this scope.
   *
   * @throws IllegalArgumentException as {@link #connect(long, String)} does
   */
  public static GitHub connect(long appId, String nodeId, Scope scope) {
    return builder().appId(appId).nodeId(nodeId).scope(scope).build();
  }

  /**
   * GitHub as the App itself sees it: {@code getApp()} and what hangs on it.
   *
   * @throws IllegalArgumentException as {@link #connect(long, String)} does
   */
  public static GitHub connectAsApp(long appId) {
    return builder().appId(appId).build();
  }

  /** A builder, for all that {@code connect} decides by itself. */
  public static Builder builder() {
    return new Builder();
  }

  /** Builds a {@link GitHub}. Not safe for use by multiple threads. */
  public static final class Builder {
    private long appId;
    private @Nullable String nodeId;
    private @Nullable Scope scope;
    private @Nullable TokenProvider tokenProvider;
    private @Nullable URI gitHubApiUrl;
    private @Nullable GitHubConnector connector;
    private Consumer<GitHubBuilder> customizer = builder -> {};
    private InstantSource clock = InstantSource.system();
    private Pause pause = Pause.SLEEP;

    private Builder() {}

    /** The GitHub App's number. Required. */
    public Builder appId(long appId) {
      this.appId = appId;
      return this;
    }

    /** The account to act on. Without it, the result acts as the App itself. */
    public Builder nodeId(String nodeId) {
      this.nodeId = requireNonNull(nodeId, "nodeId");
      return this;
    }

    /** Less than everything the installation may do. Needs a {@link #nodeId}. */
    public Builder scope(Scope scope) {
      this.scope = requireNonNull(scope, "scope");
      return this;
    }

    /**
     * Where tokens come from; default {@link TokenProvider#credentialManager()}.
     *
     * <p>It is asked twice for each request, so give one that caches, a {@link
     * io.github.credentialmanager.sdk.CachingTokenProvider} for example.
     */
    public Builder tokenProvider(TokenProvider tokenProvider) {
      this.tokenProvider = requireNonNull(tokenProvider, "tokenProvider");
      return this;
    }

    /**
     * The root of GitHub's REST API; default and form as {@link
     * GitHubAuthorizer.Builder#gitHubApiUrl(URI)} says.
     */
    public Builder gitHubApiUrl(URI gitHubApiUrl) {
      this.gitHubApiUrl = requireNonNull(gitHubApiUrl, "gitHubApiUrl");
      return this;
    }

    /**
     * What sends the requests; default {@link GitHubConnector#DEFAULT}.
     *
     * <p>Give one that does not follow redirects: hub4j follows them itself and leaves the token
     * behind. The {@code java.net.http.HttpClient} of JDK 17 takes it along to any host (measured).
     */
    public Builder connector(GitHubConnector connector) {
      this.connector = requireNonNull(connector, "connector");
      return this;
    }

    /**
     * Anything else hub4j's own builder can do: rate-limit handlers and checkers.
     *
     * <p>Endpoint, connector and authorization are set after it.
     */
    public Builder gitHubBuilder(Consumer<GitHubBuilder> customizer) {
      this.customizer = requireNonNull(customizer, "customizer");
      return this;
    }

    /** The wall clock that tells a token's age; default the system's. */
    public Builder clock(InstantSource clock) {
      this.clock = requireNonNull(clock, "clock");
      return this;
    }

    /** How the waits before a request is sent again are spent. */
    Builder pause(Pause pause) {
      this.pause = pause;
      return this;
    }

    /**
     * The {@link GitHub}. Does no I/O.
     *
     * @throws IllegalArgumentException if {@code appId} or {@code nodeId} cannot be one, or a
     *     setting of the environment is malformed
     * @throws IllegalStateException if there is a scope and no node id
     */
    public GitHub build() {
      TokenProvider provider =
          tokenProvider == null ? TokenProvider.credentialManager() : tokenProvider;
      TokenRequest request = request();
      CurrentTokenAuthorizationProvider current =
          new CurrentTokenAuthorizationProvider(provider, request);
      GitHubAuthorizer authorizer = authorizer(provider, request);
      GitHubBuilder builder = new GitHubBuilder();
      customizer.accept(builder);
      try {
        return builder
            .withEndpoint(authorizer.gitHubApiUrl().toString())
            .withAuthorizationProvider(current)
            .withConnector(
                new AuthorizingConnector(
                    current,
                    authorizer,
                    connector == null ? GitHubConnector.DEFAULT : connector,
                    pause))
            .build();
      } catch (IOException e) {
        throw new UncheckedIOException("hub4j does no I/O for this kind of provider.", e);
      }
    }

    private GitHubAuthorizer authorizer(TokenProvider provider, TokenRequest request) {
      URI apiUrl = gitHubApiUrl;
      if (apiUrl == null) {
        apiUrl = GitHubAuthorizer.builder(provider, request).build().gitHubApiUrl();
      }
      GitHubAuthorizer.Builder authorizer =
          GitHubAuthorizer.builder(provider, request).gitHubApiUrl(apiUrl).clock(clock);
      uploadOrigin(apiUrl).ifPresent(authorizer::additionalOrigin);
      return authorizer.build();
    }

    private TokenRequest request() {
      if (nodeId == null) {
        if (scope != null) {
          throw new IllegalStateException("A scope narrows an installation's token: set nodeId.");
        }
        return TokenRequest.app(appId);
      }
      return scope == null
          ? TokenRequest.installation(appId, nodeId)
          : TokenRequest.installation(appId, nodeId, scope);
    }
  }

  /**
   * Where GitHub takes release assets, if not where its API is.
   *
   * <p>{@code https://uploads.github.com} (GitHub REST documentation, "Upload a release asset"),
   * {@code https://uploads.SUBDOMAIN.ghe.com} with data residency. GitHub Enterprise Server takes
   * them at {@code https://HOST/api/uploads}.
   */
  static Optional<URI> uploadOrigin(URI apiUrl) {
    String host = apiUrl.getHost();
    Matcher api = GITHUB_CLOUD_API.matcher(host == null ? "" : host);
    return api.matches() && "https".equalsIgnoreCase(apiUrl.getScheme())
        ? Optional.of(URI.create("https://uploads." + api.group(1)))
        : Optional.empty();
  }
}
