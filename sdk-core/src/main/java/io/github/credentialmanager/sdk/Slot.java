package io.github.credentialmanager.sdk;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * What the cache knows about one request.
 *
 * <p>A state machine over one immutable {@link State}: every change is a single compare-and-set,
 * nothing is ever locked, so nothing can be held across I/O. A {@link Flight} may write its outcome
 * only while it is the state's flight; once {@link #forget} has parted them its answer reaches
 * those who wait for it and nobody else.
 *
 * <p>Times are milliseconds of the wall clock, which may be set back: a moment in the future counts
 * as long ago.
 */
final class Slot {
  /** A refusal is repeated to callers for this long without asking again. */
  static final long DENIAL_MEMORY_MILLIS = 60_000;

  /** A 401 drops a token at most this often. */
  static final long REJECTION_INTERVAL_MILLIS = 30_000;

  /** A caller that asks for more life than a new token has costs at most one call in this time. */
  static final long TOO_SHORT_MEMORY_MILLIS = 30_000;

  /** A cache that is looked up all the time is told once in this time that a slot is in use. */
  private static final long USE_INTERVAL_MILLIS = 1_000;

  /** Not yet. Far enough in the past, near enough not to overflow. */
  private static final long NEVER = Long.MIN_VALUE / 2;

  private static final VarHandle STATE;

  static {
    try {
      STATE = MethodHandles.lookup().findVarHandle(Slot.class, "state", State.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** All that is known at one moment. */
  static final class State {
    private static final State EMPTY = new State(null, null, null, NEVER, 0, NEVER, 0, NEVER);

    /** The token, also when it is no longer usable. */
    private final @Nullable HeldToken held;

    /** The call under way. */
    private final @Nullable Flight flight;

    /** The refusal, and then there is no token. */
    private final @Nullable TokenDeniedException denial;

    private final long deniedAt;

    /** How many calls have failed since the last answer. */
    private final int failures;

    /** When the last of them failed. */
    private final long failedAt;

    /** How long after that the background keeps quiet. */
    private final long retryDelay;

    /** When a token was last dropped for a 401. */
    private final long rejectedAt;

    // From the token held: each object between a lookup and its answer costs it a load to wait for.
    private final @Nullable AccessToken token;
    private final long receivedAt;
    private final long refreshAt;
    private final long expiresAt;

    State(
        @Nullable HeldToken held,
        @Nullable Flight flight,
        @Nullable TokenDeniedException denial,
        long deniedAt,
        int failures,
        long failedAt,
        long retryDelay,
        long rejectedAt) {
      this.held = held;
      this.flight = flight;
      this.denial = denial;
      this.deniedAt = deniedAt;
      this.failures = failures;
      this.failedAt = failedAt;
      this.retryDelay = retryDelay;
      this.rejectedAt = rejectedAt;
      this.token = held == null ? null : held.token();
      this.receivedAt = held == null ? NEVER : held.receivedAt();
      this.refreshAt = held == null ? NEVER : held.refreshAt();
      this.expiresAt = held == null ? NEVER : held.expiresAt();
    }

    @Nullable HeldToken held() {
      return held;
    }

    int failures() {
      return failures;
    }

    /** The token, if it need not be replaced yet and lives so long; for the usual lookup. */
    @Nullable AccessToken fresh(long now, long minRemaining) {
      return now < refreshAt && now >= receivedAt && expiresAt - now >= minRemaining ? token : null;
    }

    State withHeld(@Nullable HeldToken other) {
      return new State(other, flight, denial, deniedAt, failures, failedAt, retryDelay, rejectedAt);
    }

    State withFlight(Flight other) {
      return new State(held, other, denial, deniedAt, failures, failedAt, retryDelay, rejectedAt);
    }

    boolean remembersDenial(long now) {
      return denial != null && !hasPassed(deniedAt, DENIAL_MEMORY_MILLIS, now);
    }

    boolean mayRetry(long now) {
      return failures == 0 || hasPassed(failedAt, retryDelay, now);
    }
  }

  private final Object owner;
  private volatile State state = State.EMPTY;
  private volatile long usedAt = NEVER;

  /**
   * An empty slot.
   *
   * @param owner tells the slots of one cache from another's; not the cache itself, which a request
   *     that remembers the slot would keep in memory
   */
  Slot(Object owner) {
    this.owner = owner;
  }

  boolean isOf(Object other) {
    return owner == other;
  }

  /** Whether {@link #used} was called a moment ago. */
  boolean isInUse(long now) {
    return !hasPassed(usedAt, USE_INTERVAL_MILLIS, now);
  }

  void used(long now) {
    usedAt = now;
  }

  State state() {
    return state;
  }

  /** The token, usable or not. */
  @Nullable HeldToken held() {
    return state.held;
  }

  /** Whether {@link #startRefresh} has a chance; spares the attempt. */
  boolean mayRefresh(long now) {
    State current = state;
    return current.flight == null && current.mayRetry(now);
  }

  /**
   * Starts {@code candidate} as the background refresh, unless a call is under way, the token was
   * replaced meanwhile, or the last failure was not long enough ago.
   *
   * @return whether the caller has to fly it
   */
  boolean startRefresh(Flight candidate, long now) {
    State before = state;
    return before.flight == null
        && before.held != null
        && before.held.isStale(now)
        && before.mayRetry(now)
        && STATE.compareAndSet(this, before, before.withFlight(candidate));
  }

  /**
   * What a caller has to wait for: the call under way, or {@code candidate}, which the caller then
   * has to fly.
   *
   * <p>If there is a good token after all, a flight that has landed. A call that is overdue is left
   * to those who wait for it.
   *
   * @throws TokenDeniedException if a refusal is remembered
   */
  Flight join(TokenRequest request, Flight candidate, long now, long nanos) {
    while (true) {
      State before = state;
      if (!request.isFresh()) {
        HeldToken held = before.held;
        if (held != null && held.isUsable(now, request.minRemainingMillis())) {
          return Flight.landed(held);
        }
        if (before.denial != null && before.remembersDenial(now)) {
          throw before.denial.again();
        }
        if (held != null
            && held.isUsable(now, 0)
            && held.life() < request.minRemainingMillis()
            && !hasPassed(held.receivedAt(), TOO_SHORT_MEMORY_MILLIS, now)) {
          return Flight.landed(held);
        }
      }
      if (before.flight != null && !before.flight.isOverdue(nanos)) {
        return before.flight;
      }
      if (STATE.compareAndSet(this, before, before.withFlight(candidate))) {
        return candidate;
      }
    }
  }

  /** Stores a flight's token. */
  boolean landed(Flight flight, HeldToken held) {
    return finish(
        flight, before -> new State(held, null, null, NEVER, 0, NEVER, 0, before.rejectedAt));
  }

  /** Stores a flight's refusal, and drops the token it was to replace. */
  boolean denied(Flight flight, TokenDeniedException denial, long now) {
    return finish(
        flight, before -> new State(null, null, denial, now, 0, NEVER, 0, before.rejectedAt));
  }

  /**
   * Stores that a flight brought nothing; the token stays.
   *
   * @param retryDelay how long the background keeps quiet
   */
  boolean failed(Flight flight, long now, long retryDelay) {
    return finish(
        flight,
        before ->
            new State(
                before.held,
                null,
                before.denial,
                before.deniedAt,
                Math.min(before.failures, Integer.MAX_VALUE - 1) + 1,
                now,
                retryDelay,
                before.rejectedAt));
  }

  /**
   * Drops this token if it is the one held and the last drop is long enough ago.
   *
   * @return whether it was dropped
   */
  boolean reject(AccessToken token, long now) {
    while (true) {
      State before = state;
      if (before.held == null
          || !before.held.token().isSameSecret(token)
          || !hasPassed(before.rejectedAt, REJECTION_INTERVAL_MILLIS, now)) {
        return false;
      }
      State after =
          new State(
              null,
              before.flight,
              before.denial,
              before.deniedAt,
              before.failures,
              before.failedAt,
              before.retryDelay,
              now);
      if (STATE.compareAndSet(this, before, after)) {
        return true;
      }
    }
  }

  /** Gives up the token, because there are too many; all else stays. */
  void evicted() {
    while (true) {
      State before = state;
      if (before.held == null || STATE.compareAndSet(this, before, before.withHeld(null))) {
        return;
      }
    }
  }

  /**
   * Forgets everything except when a token was last rejected.
   *
   * @return the call that was under way, whose answer will not be stored; null if there was none
   */
  @Nullable Flight forget() {
    while (true) {
      State before = state;
      State after = new State(null, null, null, NEVER, 0, NEVER, 0, before.rejectedAt);
      if (STATE.compareAndSet(this, before, after)) {
        return before.flight;
      }
    }
  }

  /** One step for the flight that is under way; false if it no longer is. */
  private boolean finish(Flight flight, UnaryOperator<State> step) {
    while (true) {
      State before = state;
      if (before.flight != flight) {
        return false;
      }
      if (STATE.compareAndSet(this, before, step.apply(before))) {
        return true;
      }
    }
  }

  private static boolean hasPassed(long since, long duration, long now) {
    return now < since || now - since >= duration;
  }
}
