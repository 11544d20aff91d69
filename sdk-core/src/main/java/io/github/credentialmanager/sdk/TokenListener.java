package io.github.credentialmanager.sdk;

import java.time.Duration;

/**
 * Hears what a {@link CachingTokenProvider} does: for metrics and tests.
 *
 * <p>Called on the thread that does it, {@link #onHit} inside every lookup: be quick, do not block.
 * What a listener throws is logged, the first time as a warning, and otherwise ignored. The
 * requests are as the callers made them; their {@link TokenRequest#scope() scopes} and node ids are
 * many, so they make poor metric tags.
 */
public interface TokenListener {
  /** Answered from memory. */
  default void onHit(TokenRequest request) {}

  /** Not in memory, or not good enough for this request: the caller waits for the delegate. */
  default void onMiss(TokenRequest request) {}

  /**
   * The delegate gave a new token.
   *
   * @param took how long the delegate needed
   */
  default void onRefreshed(TokenRequest request, AccessToken token, Duration took) {}

  /**
   * The delegate had no token now. If there is an old one it goes on serving.
   *
   * @param took how long the delegate needed to say so
   */
  default void onRefreshFailed(
      TokenRequest request, TokenUnavailableException failure, Duration took) {}

  /** The delegate refused. What was held for this request is dropped. */
  default void onDenied(TokenRequest request, TokenDeniedException denial) {}

  /** A token was dropped because GitHub answered 401 to it. */
  default void onRejected(TokenRequest request, AccessToken token) {}

  /** A caller has waited, with or without success. */
  default void onWaited(TokenRequest request, Duration waited) {}
}
