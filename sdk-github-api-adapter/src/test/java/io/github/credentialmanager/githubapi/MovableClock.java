package io.github.credentialmanager.githubapi;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/** A wall clock that moves when told to. */
final class MovableClock implements InstantSource {
  private volatile Instant now = Instant.parse("2026-11-23T09:00:00Z");

  @Override
  public Instant instant() {
    return now;
  }

  synchronized void advance(Duration duration) {
    now = now.plus(duration);
  }
}
