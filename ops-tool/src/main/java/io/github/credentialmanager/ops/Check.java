package io.github.credentialmanager.ops;

import static java.util.Objects.requireNonNull;

/**
 * One thing looked at, and what to do about it.
 *
 * @param fix what sets it right; empty if nothing is to be done
 */
record Check(String name, Outcome outcome, String detail, String fix) {
  enum Outcome {
    OK,
    WARNING,
    FAILED,
    SKIPPED
  }

  Check {
    requireNonNull(name, "name");
    requireNonNull(outcome, "outcome");
    requireNonNull(detail, "detail");
    requireNonNull(fix, "fix");
  }

  static Check ok(String name, String detail) {
    return new Check(name, Outcome.OK, detail, "");
  }

  static Check warning(String name, String detail, String fix) {
    return new Check(name, Outcome.WARNING, detail, fix);
  }

  static Check failed(String name, String detail, String fix) {
    return new Check(name, Outcome.FAILED, detail, fix);
  }

  /** A failure whose message says what and how to fix it, separated by a colon. */
  static Check failed(String name, KeyManagerException e) {
    String message = String.valueOf(e.getMessage());
    int colon = message.lastIndexOf(": ");
    return colon < 0
        ? failed(name, message, "run the same command with --verbose, and report it")
        : failed(name, message.substring(0, colon), message.substring(colon + 2));
  }

  static Check skipped(String name, String because) {
    return new Check(name, Outcome.SKIPPED, because, "");
  }

  boolean isFailed() {
    return outcome == Outcome.FAILED;
  }

  /** The same finding where it stops nothing. */
  Check asWarning() {
    return isFailed() ? new Check(name, Outcome.WARNING, detail, fix) : this;
  }

  Check named(String other) {
    return new Check(other, outcome, detail, fix);
  }
}
