package io.github.credentialmanager.server;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicLong;

/** Time that passes only where somebody sleeps, and then at once. */
public final class VirtualTime implements InstantSource {
  private static final Instant BEGINNING = Instant.parse("2026-11-23T09:00:00Z");

  private final AtomicLong nanos = new AtomicLong();

  public long nanoTime() {
    return nanos.get();
  }

  @Override
  public Instant instant() {
    return BEGINNING.plusNanos(nanos.get());
  }

  /** Several who sleep at once sleep side by side, not one after the other. */
  public void sleep(Duration pause) {
    long end = nanos.get() + pause.toNanos();
    nanos.accumulateAndGet(end, Math::max);
  }
}
