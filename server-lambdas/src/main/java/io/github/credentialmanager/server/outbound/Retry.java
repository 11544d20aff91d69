package io.github.credentialmanager.server.outbound;

import java.security.SecureRandom;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/**
 * Calls again what failed for a passing reason: three attempts, with a pause of full jitter
 * between.
 *
 * <p>A pause is random up to 100 ms, then up to 200 ms (AWS Architecture Blog, "Exponential Backoff
 * And Jitter"). A pause that the other side asked for is taken instead. Where the pause does not
 * fit into the deadline, the failure stands.
 *
 * <p>Immutable, and safe for use by multiple threads.
 */
public final class Retry {
  private static final int ATTEMPTS = 3;
  private static final Duration FIRST_PAUSE = Duration.ofMillis(100);

  private final RandomGenerator random;
  private final Sleeper sleeper;

  Retry(RandomGenerator random, Sleeper sleeper) {
    this.random = random;
    this.sleeper = sleeper;
  }

  public static Retry threeAttempts() {
    return new Retry(
        // The system's, and no seeded one: environments of one snapshot must not pause in step.
        new SecureRandom(), Sleeper.real());
  }

  /**
   * Runs the call until it succeeds, fails for good, or the attempts or the time are used up.
   *
   * @param retryable for a failure, empty: final; else the least pause before the next attempt
   * @throws RuntimeException the last failure
   */
  public <T> T call(
      Deadline deadline,
      Supplier<T> call,
      Function<RuntimeException, Optional<Duration>> retryable) {
    for (int attempt = 1; ; attempt++) {
      try {
        return call.get();
      } catch (RuntimeException e) {
        Optional<Duration> leastPause = retryable.apply(e);
        if (leastPause.isEmpty() || attempt == ATTEMPTS) {
          throw e;
        }
        Duration pause = pauseAfter(attempt, leastPause.get());
        if (pause.compareTo(deadline.remaining()) >= 0) {
          throw e;
        }
        try {
          sleeper.sleep(pause);
        } catch (InterruptedException interrupted) {
          Thread.currentThread().interrupt();
          throw e;
        }
      }
    }
  }

  private Duration pauseAfter(int attempt, Duration least) {
    Duration most = FIRST_PAUSE.multipliedBy(1L << (attempt - 1));
    Duration jittered = Duration.ofNanos(random.nextLong(most.toNanos()));
    return jittered.compareTo(least) < 0 ? least : jittered;
  }

  /** Waits; replaced where a test moves time itself. */
  public interface Sleeper {
    void sleep(Duration pause) throws InterruptedException;

    static Sleeper real() {
      return pause -> Thread.sleep(pause.toMillis());
    }
  }
}
