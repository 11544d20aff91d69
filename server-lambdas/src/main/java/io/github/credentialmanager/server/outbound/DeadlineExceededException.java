package io.github.credentialmanager.server.outbound;

/** Says that the time of a request was up before there was an answer. */
public final class DeadlineExceededException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public DeadlineExceededException(Throwable cause) {
    super("the time is up", cause);
  }
}
