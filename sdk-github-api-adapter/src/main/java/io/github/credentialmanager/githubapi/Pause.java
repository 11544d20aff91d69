package io.github.credentialmanager.githubapi;

import java.io.InterruptedIOException;
import java.time.Duration;

/** How a thread spends a wait. */
@FunctionalInterface
interface Pause {
  Pause SLEEP = duration -> Thread.sleep(duration.toMillis());

  void spend(Duration duration) throws InterruptedException;

  /** Waits; an interrupt ends the wait as hub4j's callers know it, and stays set. */
  default void await(Duration duration) throws InterruptedIOException {
    if (duration.isZero()) {
      return;
    }
    try {
      spend(duration);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      InterruptedIOException interrupted =
          new InterruptedIOException("Interrupted while waiting to send the request again.");
      interrupted.initCause(e);
      throw interrupted;
    }
  }
}
