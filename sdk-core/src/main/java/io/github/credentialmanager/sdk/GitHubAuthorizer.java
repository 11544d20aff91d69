package io.github.credentialmanager.sdk;

import static java.util.Objects.requireNonNull;

import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Where a token may go, and what to do when GitHub refuses it: the rules that every HTTP adapter
 * shares.
 *
 * <p>An adapter asks {@link #covers} for each URL, each hop of a redirect included, and puts {@link
 * AccessToken#authorization()} on the request only if it is true. After the answer it asks {@link
 * #afterResponse}.
 *
 * <p>Safe for use by multiple threads.
 */
public final class GitHubAuthorizer {
  /**
   * How long a token may not be known yet to all of GitHub; it takes a few seconds to replicate.
   */
  private static final Duration REPLICATION = Duration.ofSeconds(5);

  /** Sendings of one request after which an answer is final, whatever it is. */
  private static final int MAX_ATTEMPTS = 4;

  private static final URI GITHUB_COM = URI.create("https://api.github.com");

  private final TokenProvider provider;
  private final TokenRequest request;
  private final URI gitHubApiUrl;
  private final Set<Origin> origins;
  private final InstantSource clock;

  private GitHubAuthorizer(Builder builder) {
    this.provider = builder.provider;
    this.request = builder.request;
    this.gitHubApiUrl = builder.gitHubApiUrl == null ? defaultGitHubApiUrl() : builder.gitHubApiUrl;
    this.clock = builder.clock;
    Set<Origin> all = new HashSet<>(builder.additionalOrigins);
    all.add(Origin.requireTrustworthy(gitHubApiUrl, Settings.GITHUB_API_URL));
    this.origins = Set.copyOf(all);
  }

  /** A builder of an authorizer that takes its tokens from this provider. */
  public static Builder builder(TokenProvider provider, TokenRequest request) {
    return new Builder(provider, request);
  }

  /** The root of GitHub's REST API, {@code https://api.github.com} unless configured. */
  public URI gitHubApiUrl() {
    return gitHubApiUrl;
  }

  /**
   * Whether a request to this URL may carry the token.
   *
   * <p>True for exactly the configured origins: same scheme, same host (in any case), same port.
   * False for everything that resembles one: a sub- or super-domain, another port, user
   * information, a trailing dot, a name in another script, http.
   */
  public boolean covers(URI uri) {
    Origin origin = Origin.of(requireNonNull(uri, "uri"));
    return origin != null && origins.contains(origin);
  }

  /**
   * The token to send now. Blocks if there is none yet.
   *
   * @throws TokenDeniedException if refused
   * @throws TokenUnavailableException if not to be had now
   */
  public AccessToken token() {
    return provider.getToken(request);
  }

  /** The token to send now, without blocking. */
  public CompletableFuture<AccessToken> tokenAsync() {
    return provider.getTokenAsync(request);
  }

  /**
   * What to do after an answer: empty means hand it to the caller, else wait and send the request
   * again.
   *
   * <p>A token received less than 5 s ago may not be known to all of GitHub yet: on 401, 403 and
   * 404 the same one is sent again after 1 s, then after 2 s. On a 401 to an older one the provider
   * is told, and the request sent again with a new token if there is a new one. So a request is
   * sent four times at most, and a refusal that persists reaches the caller as GitHub sent it.
   * Never throws because there is no new token: the refusal is then the answer, and the next
   * request learns why.
   *
   * <p>May block to get the new token. Do not ask for a 403 that is a rate limit ({@code
   * retry-after} or {@code x-ratelimit-remaining: 0} among the headers): that is no refusal of the
   * token.
   *
   * @param sent the token that the request carried
   * @param status the answer's HTTP status
   * @param attempt how many times this request has been sent by now, from 1
   */
  public Optional<Resend> afterResponse(AccessToken sent, int status, int attempt) {
    Advice advice = advise(sent, status, attempt);
    if (advice != Advice.RENEW) {
      return resendSame(advice, sent, attempt);
    }
    provider.rejected(request, sent);
    try {
      return resendIfNew(sent, token());
    } catch (CredentialManagerException e) {
      return Optional.empty();
    }
  }

  /** {@link #afterResponse} without blocking. */
  CompletableFuture<Optional<Resend>> afterResponseAsync(
      AccessToken sent, int status, int attempt) {
    Advice advice = advise(sent, status, attempt);
    if (advice != Advice.RENEW) {
      return CompletableFuture.completedFuture(resendSame(advice, sent, attempt));
    }
    provider.rejected(request, sent);
    return tokenAsync()
        .handle((token, e) -> e == null ? resendIfNew(sent, token) : Optional.empty());
  }

  /** Whether {@link #afterResponse} may say to send again; if not, the answer need not be kept. */
  boolean mayResend(AccessToken sent, int status, int attempt) {
    return advise(sent, status, attempt) != Advice.STOP;
  }

  private enum Advice {
    STOP,
    WAIT,
    RENEW
  }

  private Advice advise(AccessToken sent, int status, int attempt) {
    requireNonNull(sent, "sent");
    if (attempt < 1) {
      throw new IllegalArgumentException("attempt " + attempt + ": the first is 1.");
    }
    if (attempt >= MAX_ATTEMPTS || !(status == 401 || status == 403 || status == 404)) {
      return Advice.STOP;
    }
    if (isYoung(sent)) {
      return attempt <= 2 ? Advice.WAIT : Advice.STOP;
    }
    return status == 401 ? Advice.RENEW : Advice.STOP;
  }

  /**
   * A token from the future is not young: the clock was set back, and nothing is known about its
   * age.
   */
  private boolean isYoung(AccessToken token) {
    Instant now = clock.instant();
    return !now.isBefore(token.issuedAt()) && now.isBefore(token.issuedAt().plus(REPLICATION));
  }

  private static Optional<Resend> resendSame(Advice advice, AccessToken sent, int attempt) {
    return advice == Advice.WAIT
        ? Optional.of(new Resend(Duration.ofSeconds(attempt), sent))
        : Optional.empty();
  }

  private static Optional<Resend> resendIfNew(AccessToken sent, AccessToken token) {
    return token.isSameSecret(sent)
        ? Optional.empty()
        : Optional.of(new Resend(Duration.ZERO, token));
  }

  static URI defaultGitHubApiUrl() {
    String configured = Settings.system().first(Settings.GITHUB_API_URL);
    try {
      return configured == null ? GITHUB_COM : new URI(configured);
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException(Settings.GITHUB_API_URL + " is not a URL.", e);
    }
  }

  /**
   * Send the request again.
   *
   * @param delay how long to wait before
   * @param token what to send it with
   */
  public record Resend(Duration delay, AccessToken token) {
    public Resend {
      requireNonNull(delay, "delay");
      requireNonNull(token, "token");
    }
  }

  /** Builds a {@link GitHubAuthorizer}. Not safe for use by multiple threads. */
  public static final class Builder {
    private final TokenProvider provider;
    private final TokenRequest request;
    private final Set<Origin> additionalOrigins = new HashSet<>();
    private @Nullable URI gitHubApiUrl;
    private InstantSource clock = InstantSource.system();

    private Builder(TokenProvider provider, TokenRequest request) {
      this.provider = requireNonNull(provider, "provider");
      this.request = requireNonNull(request, "request");
    }

    /**
     * The root of GitHub's REST API: {@code https://api.github.com}, {@code https://HOST/api/v3}
     * for GitHub Enterprise Server, {@code https://api.SUBDOMAIN.ghe.com} for data residency.
     *
     * <p>Default: system property {@code github.api.url}, then environment variable {@code
     * GITHUB_API_URL}, then {@code https://api.github.com}.
     *
     * @throws IllegalArgumentException if not https, except http to loopback
     */
    public Builder gitHubApiUrl(URI gitHubApiUrl) {
      Origin.requireTrustworthy(gitHubApiUrl, "gitHubApiUrl");
      this.gitHubApiUrl = gitHubApiUrl;
      return this;
    }

    /**
     * One more party that may have the token, {@code https://uploads.github.com} for example. Only
     * scheme, host and port count.
     *
     * @throws IllegalArgumentException if not https, except http to loopback
     */
    public Builder additionalOrigin(URI origin) {
      additionalOrigins.add(Origin.requireTrustworthy(origin, "additionalOrigin"));
      return this;
    }

    /** The wall clock that tells a token's age; default the system's. */
    public Builder clock(InstantSource clock) {
      this.clock = requireNonNull(clock, "clock");
      return this;
    }

    /**
     * The authorizer.
     *
     * @throws IllegalArgumentException if GitHub's address was not given and the setting of it is
     *     malformed
     */
    public GitHubAuthorizer build() {
      return new GitHubAuthorizer(this);
    }
  }
}
