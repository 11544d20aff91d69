package io.github.credentialmanager.ops;

import static java.util.Objects.requireNonNull;

import org.jspecify.annotations.Nullable;

/**
 * Why the work stopped. The message says what, which and what to do next, in one line, and carries
 * no key material, JWT, signature or response body.
 */
public final class KeyManagerException extends RuntimeException {
  /** What an operator can do about it. */
  public enum Reason {
    /** The PEM is not a GitHub App's private key, or cannot be read. */
    BAD_PRIVATE_KEY,
    /** Credentials, region, endpoint, table or another setting is missing or wrong. */
    BAD_CONFIGURATION,
    /** AWS refused the call to this identity. */
    ACCESS_DENIED,
    /** GitHub refused the App's JWT, or knows it as another App. */
    REFUSED_BY_GITHUB,
    /** Going on could take the App down, or undo another operator's work. */
    UNSAFE,
    /** KMS answered, but the key did not prove to be what it should be. */
    KEY_NOT_USABLE,
    /** AWS or GitHub did not answer, or asked to slow down; the same command may work later. */
    UNAVAILABLE
  }

  private final Reason reason;

  KeyManagerException(Reason reason, String message) {
    this(reason, message, null);
  }

  KeyManagerException(Reason reason, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.reason = requireNonNull(reason, "reason");
  }

  public Reason reason() {
    return reason;
  }
}
