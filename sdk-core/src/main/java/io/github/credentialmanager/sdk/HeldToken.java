package io.github.credentialmanager.sdk;

import java.time.Instant;
import java.util.random.RandomGenerator;

/**
 * A token in memory, with the moments that decide about it, all in milliseconds of the wall clock.
 *
 * @param token the token
 * @param receivedAt when it was put here
 * @param refreshAt from when on a new one is got in the background
 * @param usableUntil from when on it is no longer handed out
 * @param expiresAt when GitHub stops accepting it
 */
record HeldToken(
    AccessToken token, long receivedAt, long refreshAt, long usableUntil, long expiresAt) {
  /**
   * A clock that goes back by less is being adjusted; by more it was set, and the token's age is
   * unknown.
   */
  private static final long CLOCK_TOLERANCE_MILLIS = 60_000;

  /** Stands for "never expires" and leaves room for sums. */
  private static final long FAR_FUTURE_MILLIS = Long.MAX_VALUE / 4;

  /**
   * A token received now.
   *
   * <p>Margins are cut to a half and a third of its life, so that a token that lives shorter than
   * they are long (an App's own lives 8 minutes) has a fresh time and a stale time too. Chance
   * comes after the cut: the short-lived ones of many processes must not fall due together either.
   */
  static HeldToken of(
      AccessToken token, long now, long refreshMargin, long expiryMargin, RandomGenerator random) {
    long expiresAt = epochMillis(token.expirationTime());
    long life = Math.max(0, expiresAt - now);
    long beforeExpiry = Math.min(expiryMargin, life / 3);
    long beforeRefresh =
        Math.max(beforeExpiry, Backoff.withTenthJitter(Math.min(refreshMargin, life / 2), random));
    return new HeldToken(
        token, now, expiresAt - beforeRefresh, expiresAt - beforeExpiry, expiresAt);
  }

  /** Whether it may be handed out to someone who needs it for so long. */
  boolean isUsable(long now, long minRemaining) {
    return now < usableUntil
        && expiresAt - now >= minRemaining
        && now >= receivedAt - CLOCK_TOLERANCE_MILLIS;
  }

  boolean isStale(long now) {
    return now >= refreshAt;
  }

  /** How long it had to live when it was received. */
  long life() {
    return expiresAt - receivedAt;
  }

  private static long epochMillis(Instant instant) {
    return instant.getEpochSecond() > FAR_FUTURE_MILLIS / 1000
        ? FAR_FUTURE_MILLIS
        : instant.toEpochMilli();
  }
}
