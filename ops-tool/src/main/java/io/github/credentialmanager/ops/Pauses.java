package io.github.credentialmanager.ops;

import io.github.credentialmanager.ops.KeyManagerException.Reason;
import java.time.Duration;

/** Waiting between two attempts. */
final class Pauses {
  private Pauses() {}

  static void sleep(Duration duration) {
    try {
      Thread.sleep(duration.toMillis());
    } catch (InterruptedException e) {
      throw interrupted();
    }
  }

  static KeyManagerException interrupted() {
    Thread.currentThread().interrupt();
    return new KeyManagerException(
        Reason.UNAVAILABLE, "Interrupted: run the same command again, it finishes what is left");
  }
}
