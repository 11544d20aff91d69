package io.github.credentialmanager.sdk;

import org.jspecify.annotations.Nullable;

/**
 * Understood and refused. Asking again does not help until someone changes something; the message
 * says what.
 */
public final class TokenDeniedException extends CredentialManagerException {
  private static final long serialVersionUID = 1L;

  public TokenDeniedException(String message, Reason reason) {
    this(message, reason, null, null);
  }

  public TokenDeniedException(
      String message, Reason reason, @Nullable String requestId, @Nullable Throwable cause) {
    super(message, reason, requestId, cause);
  }

  @Override
  TokenDeniedException again() {
    return new TokenDeniedException(
        String.valueOf(getMessage()), reason(), requestIdOrNull(), this);
  }
}
