package io.github.credentialmanager.sdk;

import java.util.concurrent.CompletableFuture;

/** One call to the delegate, and everyone who waits for it. */
final class Flight {
  private final CompletableFuture<HeldToken> result;
  private final boolean background;
  private final long overdueAtNanos;

  private Flight(CompletableFuture<HeldToken> result, boolean background, long overdueAtNanos) {
    this.result = result;
    this.background = background;
    this.overdueAtNanos = overdueAtNanos;
  }

  /**
   * One that is about to start.
   *
   * @param background whether nobody in particular asked, so that nobody sees its exception
   * @param overdueAtNanos the {@link System#nanoTime()} after which it is taken for lost
   */
  static Flight starting(boolean background, long overdueAtNanos) {
    return new Flight(new CompletableFuture<>(), background, overdueAtNanos);
  }

  /** One that is over, for a caller who finds that there is nothing to wait for. */
  static Flight landed(HeldToken held) {
    return new Flight(CompletableFuture.completedFuture(held), false, Long.MAX_VALUE);
  }

  /** The token, or the exception. */
  CompletableFuture<HeldToken> result() {
    return result;
  }

  boolean isBackground() {
    return background;
  }

  boolean isOverdue(long nanos) {
    return nanos - overdueAtNanos > 0;
  }
}
