package io.github.credentialmanager.server.outbound;

import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * The moment by which a request must have been answered, whatever its parts take.
 *
 * <p>Measured by elapsed time, not by wall clock: an invocation is never frozen half way, and a
 * corrected clock must neither cut it short nor prolong it.
 *
 * <p>Immutable.
 */
public final class Deadline {
  private final LongSupplier nanoTime;
  private final long end;

  private Deadline(LongSupplier nanoTime, long end) {
    this.nanoTime = nanoTime;
    this.end = end;
  }

  /** The deadline that ends that much later than now. */
  public static Deadline in(Duration time) {
    return in(time, System::nanoTime);
  }

  /**
   * The deadline that ends that much later than now, by a clock of its own.
   *
   * @param nanoTime as {@link System#nanoTime()}
   */
  public static Deadline in(Duration time, LongSupplier nanoTime) {
    return new Deadline(nanoTime, nanoTime.getAsLong() + time.toNanos());
  }

  /** What is left, never negative. */
  public Duration remaining() {
    return Duration.ofNanos(Math.max(0, end - nanoTime.getAsLong()));
  }

  /**
   * What is left, but no more than that.
   *
   * @throws DeadlineExceededException if nothing is left
   */
  public Duration atMost(Duration limit) {
    Duration remaining = remaining();
    if (remaining.isZero()) {
      throw new DeadlineExceededException(null);
    }
    return remaining.compareTo(limit) < 0 ? remaining : limit;
  }

  /** The deadline that ends that much later than now, or with this one if that is sooner. */
  public Deadline within(Duration limit) {
    return in(atMost(limit), nanoTime);
  }

  /** The deadline that ends that much before this one. */
  public Deadline earlierBy(Duration time) {
    return new Deadline(nanoTime, end - time.toNanos());
  }

  public boolean hasPassed() {
    return remaining().isZero();
  }
}
