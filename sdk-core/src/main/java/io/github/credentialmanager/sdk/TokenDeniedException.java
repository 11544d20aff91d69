package io.github.credentialmanager.sdk;

import org.jspecify.annotations.Nullable;

/**
 * Understood and refused. Asking again does not help until someone changes something; the message
 * says what.
 */
public final class TokenDeniedException extends CredentialManagerException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message for people; never with a token, a key, a header or the body of an answer
   */
  public TokenDeniedException(String message, Reason reason) {
    this(message, reason, null, null);
  }

  /**
   * @param message for people; never with a token, a key, a header or the body of an answer
   * @param requestId under which the issuer logged the request; null if it did not say
   * @param cause null if there is none
   */
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
