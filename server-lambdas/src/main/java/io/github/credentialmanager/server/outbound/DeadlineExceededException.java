package io.github.credentialmanager.server.outbound;

import org.jspecify.annotations.Nullable;

/** Says that the time of a request was up before there was an answer. */
public final class DeadlineExceededException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public DeadlineExceededException() {
    this(null);
  }

  public DeadlineExceededException(@Nullable Throwable cause) {
    super("the time is up", cause);
  }
}
