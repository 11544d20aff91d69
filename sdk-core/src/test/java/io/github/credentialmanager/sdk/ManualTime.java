package io.github.credentialmanager.sdk;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/** A wall clock and a monotonic one that move when the test says so. */
final class ManualTime implements InstantSource {
  static final Instant START = Instant.parse("2026-11-23T08:51:02Z");

  private volatile Instant now = START;
  private volatile long nanos;

  @Override
  public Instant instant() {
    return now;
  }

  long nanos() {
    return nanos;
  }

  /** Both go on. */
  void advance(Duration duration) {
    now = now.plus(duration);
    nanos += duration.toNanos();
  }

  /** Only the wall clock moves: it was set, or the process was frozen. */
  void set(Instant instant) {
    now = instant;
  }
}
