package io.github.credentialmanager.sdk;

import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** No answer to be had now. Asking again later may help. */
public final class TokenUnavailableException extends CredentialManagerException {
  private static final long serialVersionUID = 1L;

  private final @Nullable Duration retryAfter;

  /**
   * @param message for people; never with a token, a key, a header or the body of an answer
   */
  public TokenUnavailableException(String message, Reason reason) {
    this(message, reason, null, null, null);
  }

  /**
   * @param message for people; never with a token, a key, a header or the body of an answer
   * @param retryAfter how long to wait before asking again; null if the issuer did not say
   * @param requestId under which the issuer logged the request; null if it did not say
   * @param cause null if there is none
   */
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
