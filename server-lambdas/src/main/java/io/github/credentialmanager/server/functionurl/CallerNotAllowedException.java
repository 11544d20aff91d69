package io.github.credentialmanager.server.functionurl;

/** Says that IAM let the caller in and the operator's own policy does not give him what he asks. */
public final class CallerNotAllowedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final String limit;

  /**
   * @param limit what the caller may not have, for the log
   */
  public CallerNotAllowedException(String limit) {
    super("the policy does not allow it: " + limit);
    this.limit = limit;
  }

  String limit() {
    return limit;
  }
}
