package io.github.credentialmanager.server.store;

/** Says why a table did not answer. */
public final class StoreException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** What kept the table from answering. */
  public enum Cause {
    /** DynamoDB asks for fewer requests. */
    THROTTLED,
    /** DynamoDB did not answer, or not as documented, or refuses this function. */
    UNAVAILABLE,
    /** The row is there and lacks what it must have. */
    DAMAGED
  }

  private final Cause reason;

  StoreException(Cause reason, String message, Throwable cause) {
    super(message, cause);
    this.reason = reason;
  }

  StoreException(Cause reason, String message) {
    super(message);
    this.reason = reason;
  }

  public Cause reason() {
    return reason;
  }
}
