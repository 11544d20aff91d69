package io.github.credentialmanager.server.signing;

import org.jspecify.annotations.Nullable;

/** Says why a key did not sign. */
public final class SigningException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** What kept the key from signing. */
  public enum Cause {
    /** The key is disabled, pending deletion, gone, of another kind, or denied to this function. */
    KEY_UNAVAILABLE,
    /** KMS asks for fewer requests. */
    THROTTLED,
    /** KMS did not answer, or not as documented. */
    UNAVAILABLE
  }

  private final Cause reason;

  SigningException(Cause reason, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.reason = reason;
  }

  public Cause reason() {
    return reason;
  }
}
