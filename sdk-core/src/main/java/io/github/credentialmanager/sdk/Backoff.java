package io.github.credentialmanager.sdk;

import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * How long to wait before trying again: longer after each failure, up to a limit, and not everyone
 * at the same time.
 */
final class Backoff {
  /**
   * Doublings after which no limit in use here is left to reach; keeps the shift from overflowing.
   */
  private static final int MAX_DOUBLINGS = 30;

  private Backoff() {}

  /**
   * Anything from zero to {@code base * 2^(failures - 1)}, at most to {@code cap} ("full jitter",
   * AWS Architecture Blog, "Exponential Backoff And Jitter").
   */
  static Duration fullJitter(Duration base, Duration cap, int failures, RandomGenerator random) {
    long ceiling = exponential(base.toMillis(), cap.toMillis(), failures);
    return Duration.ofMillis(random.nextLong(ceiling + 1));
  }

  /** {@code base * 2^(failures - 1)}, at most {@code cap}, and a tenth more or less of that. */
  static long tenthJitterMillis(
      long baseMillis, long capMillis, int failures, RandomGenerator random) {
    return withTenthJitter(exponential(baseMillis, capMillis, failures), random);
  }

  /** The value, and a tenth more or less of it. */
  static long withTenthJitter(long millis, RandomGenerator random) {
    return millis + Math.round(millis * 0.1 * (2 * random.nextDouble() - 1));
  }

  private static long exponential(long base, long cap, int failures) {
    int doublings = Math.min(Math.max(failures - 1, 0), MAX_DOUBLINGS);
    return base > cap >> doublings ? cap : base << doublings;
  }
}
