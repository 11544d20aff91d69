package io.github.credentialmanager.sdk;

import java.nio.file.Path;
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
    throw new UnsupportedOperationException();
  }

  static TokenProvider firstOf(TokenProvider... providers) {
    throw new UnsupportedOperationException();
  }

  static TokenProvider fixed(Secret token) {
    throw new UnsupportedOperationException();
  }

  static TokenProvider environment() {
    throw new UnsupportedOperationException();
  }

  static TokenProvider localKey(long appId, Path pem) {
    throw new UnsupportedOperationException();
  }
}
