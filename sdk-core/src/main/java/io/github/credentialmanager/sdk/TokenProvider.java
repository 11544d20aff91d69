package io.github.credentialmanager.sdk;

import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Collection;
import java.util.concurrent.CompletableFuture;

/**
 * A source of GitHub credentials.
 *
 * <p>An implementation answers about the request it was given: same App, same account, a token that
 * has not expired and lives at least {@link TokenRequest#minRemaining()}. It never prints a token.
 * It is safe for use by multiple threads. The module {@code credential-manager-sdk-conformance} has
 * the tests that say so.
 */
@FunctionalInterface
public interface TokenProvider extends AutoCloseable {
  /**
   * A token for this request. Blocks until there is one.
   *
   * @throws TokenDeniedException if refused
   * @throws TokenUnavailableException if not to be had now
   */
  AccessToken getToken(TokenRequest request);

  /**
   * A token for this request, without blocking the caller.
   *
   * <p>Fails with the exception that {@link #getToken} would throw. Cancelling or completing the
   * future concerns this caller alone. Unless overridden, {@link #getToken} runs in {@link
   * java.util.concurrent.ForkJoinPool#commonPool()}.
   */
  default CompletableFuture<AccessToken> getTokenAsync(TokenRequest request) {
    return CompletableFuture.supplyAsync(() -> getToken(request));
  }

  /**
   * Tells that GitHub answered 401 to this token, so that it is not handed out again.
   *
   * @param request what the token was asked with
   */
  default void rejected(TokenRequest request, AccessToken token) {}

  /** Forgets what is remembered about this request, a refusal included. */
  default void invalidate(TokenRequest request) {}

  /**
   * Gets these tokens ahead of time. Fails if one of them cannot be had, after all have been tried.
   */
  default CompletableFuture<Void> warm(Collection<TokenRequest> requests) {
    return CompletableFuture.allOf(
        requests.stream().map(this::getTokenAsync).toArray(CompletableFuture<?>[]::new));
  }

  /** Gives up threads and connections. */
  @Override
  default void close() {}

  /**
   * The Credential Manager that this process is configured for, with the process's cache.
   *
   * <p>Configured by system properties, then environment variables, as {@link
   * CredentialManagerClient#create()} is. Calls that find the same configuration share one provider
   * and with it one cache. {@link #close()} does nothing: the next caller needs it. Without
   * configuration, {@link #getToken} throws a {@link TokenDeniedException} that names what to set.
   *
   * @throws IllegalArgumentException if a setting is malformed
   */
  static TokenProvider credentialManager() {
    return SharedTokenProviders.credentialManager(Settings.system());
  }

  /**
   * The first of these that has a token, asked in this order each time.
   *
   * <p>The next one is asked if one is not configured, does not know the App or the account, or has
   * no answer now. Any other refusal ends the search: what one provider denies is not looked for
   * elsewhere. If none has a token, the exception names all failures and has them as suppressed; it
   * is a {@link TokenUnavailableException} if one of them is.
   *
   * @throws IllegalArgumentException if there are none
   */
  static TokenProvider firstOf(TokenProvider... providers) {
    return new FirstTokenProvider(providers);
  }

  /**
   * This token for every request, for tests and experiments.
   *
   * <p>It is what it is: no scope narrows it, and its end is not known.
   */
  static TokenProvider fixed(Secret token) {
    return FixedTokenProvider.of(token);
  }

  /**
   * The token in {@code GITHUB_TOKEN} (system property {@code github.token} first) for every
   * account, for development.
   *
   * <p>It is what it is: no scope narrows it, and its end is not known. It is no App's own token,
   * so requests for one are refused, as all are while it is not set.
   */
  static TokenProvider environment() {
    return FixedTokenProvider.environment(Settings.system());
  }

  /**
   * Tokens signed with the App's private key in this file, with a cache, for development and for
   * GitHub Enterprise Server without AWS.
   *
   * <p>Who can read the file can do all that the App may do; the Credential Manager exists so that
   * there is no such file. GitHub's address is that of {@link
   * GitHubAuthorizer.Builder#gitHubApiUrl}'s default. The file is read when it is needed.
   *
   * @param pem an unencrypted RSA key in PKCS#1, as GitHub hands it out, or PKCS#8
   * @throws IllegalArgumentException if {@code appId} is less than 1 or the setting of GitHub's
   *     address is malformed
   */
  static TokenProvider localKey(long appId, Path pem) {
    return CachingTokenProvider.builder(
            new LocalKeyTokenProvider(
                appId, pem, GitHubAuthorizer.defaultGitHubApiUrl(), InstantSource.system()))
        .build();
  }
}
