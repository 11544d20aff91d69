package io.github.credentialmanager.sdk;

import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** No answer to be had now. Asking again later may help. */
public final class TokenUnavailableException extends CredentialManagerException {
  private static final long serialVersionUID = 1L;

  private final @Nullable Duration retryAfter;

  public TokenUnavailableException(String message, Reason reason) {
    this(message, reason, null, null, null);
  }

  public TokenUnavailableException(
      String message,
      Reason reason,
      @Nullable Duration retryAfter,
      @Nullable String requestId,
      @Nullable Throwable cause) {
    super(message, reason, requestId, cause);
    this.retryAfter = retryAfter;
  }

  /** How long to wait before asking again, if the server said so. */
  public Optional<Duration> retryAfter() {
    return Optional.ofNullable(retryAfter);
  }

  @Override
  TokenUnavailableException again() {
    return new TokenUnavailableException(
        String.valueOf(getMessage()), reason(), retryAfter, requestIdOrNull(), this);
  }
}
