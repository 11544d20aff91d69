package io.github.credentialmanager.sdk;

import static java.util.Objects.requireNonNull;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * There is no token: refused ({@link TokenDeniedException}) or not to be had now ({@link
 * TokenUnavailableException}).
 *
 * <p>No message carries a token, a key, a header or the body of an answer.
 */
public abstract sealed class CredentialManagerException extends RuntimeException
    permits TokenDeniedException, TokenUnavailableException {
  private static final long serialVersionUID = 1L;

  private final Reason reason;
  private final @Nullable String requestId;

  CredentialManagerException(
      String message, Reason reason, @Nullable String requestId, @Nullable Throwable cause) {
    super(message, cause);
    this.reason = requireNonNull(reason, "reason");
    this.requestId = requestId;
  }

  /** Why. */
  public Reason reason() {
    return reason;
  }

  /**
   * The id under which the server, or AWS in front of it, logged the request; empty if it was never
   * answered.
   */
  public Optional<String> requestId() {
    return Optional.ofNullable(requestId);
  }

  @Nullable String requestIdOrNull() {
    return requestId;
  }

  /** The same failure for another caller, with that caller's stack trace and this as the cause. */
  abstract CredentialManagerException again();
}
