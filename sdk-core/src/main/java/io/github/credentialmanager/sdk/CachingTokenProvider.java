package io.github.credentialmanager.sdk;

import static java.util.Objects.requireNonNull;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.RemovalCause;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A {@link TokenProvider} that remembers what its delegate answered.
 *
 * <p>A token is <i>fresh</i>, then <i>stale</i> from the {@linkplain Builder#refreshMargin refresh
 * margin} before it expires, and <i>expired</i> from the {@linkplain Builder#expiryMargin expiry
 * margin} before. A stale token is returned at once while one background call gets the next,
 * however many callers ask; if that fails the old one goes on serving and the background tries
 * again after 30 s, later after up to 5 min. An expired token is never returned: callers wait for
 * the delegate and see its exception.
 *
 * <p>Requests that differ in App, account or scope never share a token. For each there is at most
 * one call to the delegate at a time, and no lock is held during it: a slow one delays nobody else.
 * Each caller has its own deadline, and one who gives up does not end the call for the others. Only
 * after {@link #invalidate} is a call that began before left to those who wait for it.
 *
 * <p>A refusal ({@link TokenDeniedException}) drops the token and is repeated to callers for 60 s.
 * A {@link TokenUnavailableException} is not remembered.
 *
 * <p>The wall clock decides on every read, since the monotonic one may stand still while a process
 * is frozen.
 *
 * <p>Safe for use by multiple threads, virtual ones included. A lookup that finds a token takes no
 * lock, starts no thread and allocates nothing.
 */
public final class CachingTokenProvider implements TokenProvider {
  private static final Logger log = LoggerFactory.getLogger(CachingTokenProvider.class);

  private static final long RETRY_BASE_MILLIS = Duration.ofSeconds(30).toMillis();
  private static final long RETRY_CAP_MILLIS = Duration.ofMinutes(5).toMillis();

  /** Without a failure for so long an outage is over, even if nobody saw the end. */
  private static final long OUTAGE_MEMORY_MILLIS = Duration.ofMinutes(10).toMillis();

  /** A call that takes longer is taken for lost, unless callers may wait longer. */
  private static final Duration MIN_FLIGHT_LIMIT = Duration.ofMinutes(2);

  /** GitHub counts 100 concurrent requests; warming up leaves most of them to others. */
  private static final int WARM_UP_LANES = 16;

  private static final long NO_OUTAGE = Long.MIN_VALUE / 2;

  private final TokenProvider delegate;
  private final InstantSource clock;
  private final LongSupplier nanoClock;
  private final RandomGenerator random;
  private final TokenListener listener;
  private final Executor executor;
  private final Executor callbacks;
  private final @Nullable ExecutorService ownExecutor;
  private final long refreshMargin;
  private final long expiryMargin;
  private final Duration timeout;
  private final long flightLimitNanos;
  private final boolean shared;

  private final Object owner = new Object();

  /** The slots that may have a token; it is dropped when Caffeine evicts one. */
  private final Cache<TokenRequest, Slot> slots;

  /**
   * Every slot that is in memory. One that was evicted while a call is under way or a request
   * remembers it is found here again, so that there is never a second call for the same request.
   */
  private final Cache<TokenRequest, Slot> reachableSlots =
      Caffeine.newBuilder().weakValues().build();

  /** When the current outage last showed itself; {@link #NO_OUTAGE} if there is none. */
  private final AtomicLong outageSeenAt = new AtomicLong(NO_OUTAGE);

  private final AtomicBoolean listenerHasFailed = new AtomicBoolean();

  private volatile boolean closed;

  private CachingTokenProvider(Builder builder) {
    this.delegate = builder.delegate;
    this.clock = builder.clock;
    this.nanoClock = builder.nanoClock;
    this.random = builder.random;
    this.listener = builder.listener;
    this.callbacks = builder.callbacks;
    this.ownExecutor = builder.executor == null ? ownExecutor() : null;
    this.executor = builder.executor == null ? requireNonNull(ownExecutor) : builder.executor;
    this.refreshMargin = builder.refreshMargin.toMillis();
    this.expiryMargin = builder.expiryMargin.toMillis();
    this.timeout = builder.timeout;
    this.shared = builder.shared;
    Duration twice = timeout.multipliedBy(2);
    this.flightLimitNanos =
        (twice.compareTo(MIN_FLIGHT_LIMIT) > 0 ? twice : MIN_FLIGHT_LIMIT).toNanos();
    this.slots =
        Caffeine.newBuilder()
            .maximumSize(builder.maximumSize)
            .executor(Runnable::run)
            .evictionListener(
                (@Nullable TokenRequest identity, @Nullable Slot slot, RemovalCause cause) ->
                    requireNonNull(slot).evicted())
            .build();
  }

  /** A builder of a cache in front of this provider. */
  public static Builder builder(TokenProvider delegate) {
    return new Builder(delegate);
  }

  /**
   * {@inheritDoc}
   *
   * <p>Waits at most {@link TokenRequest#withTimeout the request's} or {@linkplain Builder#timeout
   * this cache's} timeout.
   */
  @Override
  public AccessToken getToken(TokenRequest request) {
    AccessToken token = cached(request);
    return token != null ? token : await(request);
  }

  /**
   * {@inheritDoc}
   *
   * <p>Completes at once if there is a token, else in the common pool, a timeout included.
   */
  @Override
  public CompletableFuture<AccessToken> getTokenAsync(TokenRequest request) {
    AccessToken token = cached(request);
    if (token != null) {
      return CompletableFuture.completedFuture(token);
    }
    long start = nanoClock.getAsLong();
    Flight flight;
    try {
      flight = join(request);
    } catch (CredentialManagerException e) {
      return CompletableFuture.failedFuture(e);
    }
    return flight
        .result()
        .copy()
        .orTimeout(timeout(request).toNanos(), TimeUnit.NANOSECONDS)
        // On another thread, so that what the caller hangs on here delays neither who waits beside
        // nor, after a timeout, the one thread that watches over all timeouts of the process.
        .handleAsync(
            (held, failure) -> {
              waited(request, start);
              if (failure != null) {
                throw asException(request, failure);
              }
              return verified(request, held);
            },
            callbacks);
  }

  @Override
  public void rejected(TokenRequest request, AccessToken token) {
    requireNonNull(token, "token");
    Slot slot = slots.getIfPresent(request.identity());
    if (slot != null && slot.reject(token, clock.millis())) {
      log.debug("GitHub answers 401 to token {} of {}", token.hash(), request.describe());
      delegate.rejected(request, token);
      tell(() -> listener.onRejected(request, token));
    }
  }

  @Override
  public void invalidate(TokenRequest request) {
    Slot slot = reachableSlots.getIfPresent(request.identity());
    if (slot != null) {
      slot.forget();
    }
    delegate.invalidate(request);
  }

  /** {@inheritDoc} At most 16 calls at a time. */
  @Override
  public CompletableFuture<Void> warm(Collection<TokenRequest> requests) {
    Queue<TokenRequest> waiting = new ConcurrentLinkedQueue<>(requests);
    Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
    return CompletableFuture.allOf(
            Stream.generate(() -> warmNext(waiting, failures))
                .limit(Math.min(WARM_UP_LANES, requests.size()))
                .toArray(CompletableFuture<?>[]::new))
        .thenRun(
            () -> {
              Throwable first = failures.poll();
              if (first != null) {
                failures.forEach(first::addSuppressed);
                throw first instanceof RuntimeException e ? e : new CompletionException(first);
              }
            });
  }

  /**
   * Closes the delegate and gives up what is held. Who waits gets a {@link TokenDeniedException},
   * and so does who comes later. An executor that was given stays open.
   */
  @Override
  public void close() {
    if (shared) {
      return;
    }
    closed = true;
    for (Slot slot : reachableSlots.asMap().values()) {
      Flight flight = slot.forget();
      if (flight != null) {
        flight.result().completeExceptionally(closedException());
      }
    }
    slots.invalidateAll();
    if (ownExecutor != null) {
      ownExecutor.shutdownNow();
    }
    delegate.close();
  }

  // ---- looking

  /** The token in memory that will do. If it is stale, this starts its replacement. */
  private @Nullable AccessToken cached(TokenRequest request) {
    if (request.isFresh()) {
      return null;
    }
    Slot slot = request.slot();
    if (slot != null && slot.isOf(owner)) {
      Slot.State state = slot.state();
      long now = clock.millis();
      AccessToken token = state.fresh(now, request.minRemainingMillis());
      if (token != null && slot.isInUse(now)) {
        hit(request);
        return token;
      }
    }
    return find(request);
  }

  /**
   * The same by a search, which tells {@link #slots} that the slot is in use.
   *
   * <p>In between the request remembers it: recording every use would cost several times what the
   * rest of a lookup does, once there is enough to record.
   */
  private @Nullable AccessToken find(TokenRequest request) {
    Slot slot = slots.getIfPresent(request.identity());
    if (slot == null) {
      return null;
    }
    long now = clock.millis();
    slot.used(now);
    request.remember(slot);
    HeldToken held = slot.held();
    if (held == null || !held.isUsable(now, request.minRemainingMillis())) {
      return null;
    }
    if (held.isStale(now)) {
      refresh(request.identity(), slot, now);
    }
    hit(request);
    return held.token();
  }

  private Slot slot(TokenRequest identity) {
    Slot slot = slots.getIfPresent(identity);
    if (slot == null) {
      slot = reachableSlots.get(identity, key -> new Slot(owner));
      slots.put(identity, slot);
    }
    return slot;
  }

  /** As far as the garbage collector has been. */
  long slotsInMemory() {
    reachableSlots.cleanUp();
    return reachableSlots.estimatedSize();
  }

  // ---- waiting

  private AccessToken await(TokenRequest request) {
    long start = nanoClock.getAsLong();
    Flight flight = join(request);
    try {
      HeldToken held = flight.result().get(timeout(request).toNanos(), TimeUnit.NANOSECONDS);
      return verified(request, held);
    } catch (ExecutionException | TimeoutException e) {
      throw asException(request, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TokenUnavailableException(
          "No token for " + request.describe() + ": interrupted while waiting.",
          Reason.INTERRUPTED,
          null,
          null,
          e);
    } finally {
      waited(request, start);
    }
  }

  private Flight join(TokenRequest request) {
    tell(() -> listener.onMiss(request));
    TokenRequest identity = request.identity();
    Slot slot = slot(identity);
    long nanos = nanoClock.getAsLong();
    Flight candidate = Flight.starting(false, nanos + flightLimitNanos);
    if (closed) {
      throw closedException();
    }
    Flight flight = slot.join(request, candidate, clock.millis(), nanos);
    if (flight == candidate) {
      launch(request.isFresh() ? identity.fresh() : identity, slot, flight);
    }
    return flight;
  }

  /** The token, if this caller may have it: others it waited with may have needed less. */
  private AccessToken verified(TokenRequest request, HeldToken held) {
    long now = clock.millis();
    if (held.isUsable(now, request.minRemainingMillis())) {
      return held.token();
    }
    request.checkRemaining(held.token(), Instant.ofEpochMilli(now));
    throw new TokenUnavailableException(
        "No token for "
            + request.describe()
            + ": it expired while it was waited for. Check this machine's clock.",
        Reason.UNEXPECTED_ANSWER);
  }

  private Duration timeout(TokenRequest request) {
    return request.timeout().orElse(timeout);
  }

  private CredentialManagerException asException(TokenRequest request, Throwable failure) {
    Throwable cause = failure;
    while ((cause instanceof CompletionException || cause instanceof ExecutionException)
        && cause.getCause() != null) {
      cause = cause.getCause();
    }
    if (cause instanceof CredentialManagerException e) {
      return e.again();
    }
    if (cause instanceof TimeoutException) {
      return new TokenUnavailableException(
          "No token for " + request.describe() + " within " + timeout(request) + ".",
          Reason.TIMEOUT);
    }
    return new TokenUnavailableException(
        "No token for " + request.describe() + ": the provider failed.",
        Reason.UNKNOWN,
        null,
        null,
        cause);
  }

  // ---- asking the delegate

  private void refresh(TokenRequest identity, Slot slot, long now) {
    if (!slot.mayRefresh(now)) {
      return;
    }
    Flight flight = Flight.starting(true, nanoClock.getAsLong() + flightLimitNanos);
    if (slot.startRefresh(flight, now)) {
      launch(identity, slot, flight);
    }
  }

  private void launch(TokenRequest request, Slot slot, Flight flight) {
    try {
      executor.execute(() -> fly(request, slot, flight));
    } catch (RejectedExecutionException e) {
      failed(
          request,
          slot,
          flight,
          new TokenUnavailableException(
              "No token for " + request.describe() + ": the executor takes no more work.",
              Reason.UNKNOWN,
              null,
              null,
              e),
          Duration.ZERO);
    }
  }

  /**
   * Whatever happens in here, the flight ends: one that did not would leave its waiters to their
   * deadlines.
   */
  private void fly(TokenRequest request, Slot slot, Flight flight) {
    long start = nanoClock.getAsLong();
    try {
      AccessToken token = delegate.getToken(request);
      Duration took = since(start);
      long now = clock.millis();
      HeldToken held = HeldToken.of(token, now, refreshMargin, expiryMargin, random);
      checkAnswer(request, held);
      landed(request, slot, flight, held, took);
    } catch (TokenDeniedException e) {
      if (e.reason() == Reason.THROTTLED) {
        failed(request, slot, flight, notDenied(e), since(start));
      } else {
        denied(request, slot, flight, e);
      }
    } catch (TokenUnavailableException e) {
      failed(request, slot, flight, e, since(start));
    } catch (Throwable e) {
      TokenUnavailableException failure =
          new TokenUnavailableException(
              "No token for " + request.describe() + ": the provider failed.",
              Reason.UNKNOWN,
              null,
              null,
              e);
      failed(request, slot, flight, failure, since(start));
    }
  }

  /** A provider that mixes up its answers must not have them handed on. */
  private static void checkAnswer(TokenRequest request, HeldToken held) {
    AccessToken token = held.token();
    if (token.appId() != request.appId() || !token.nodeId().equals(request.nodeId())) {
      throw new TokenUnavailableException(
          "No token for " + request.describe() + ": the provider answered with someone else's.",
          Reason.UNEXPECTED_ANSWER);
    }
    if (held.life() <= 0) {
      throw new TokenUnavailableException(
          "No token for "
              + request.describe()
              + ": it arrived after its end at "
              + token.expirationTime()
              + ". Check this machine's clock.",
          Reason.UNEXPECTED_ANSWER);
    }
  }

  private void landed(
      TokenRequest request, Slot slot, Flight flight, HeldToken held, Duration took) {
    boolean recovered = slot.state().failures() > 0;
    // Stored first: who is woken and asks again must find it (google-auth-library-java#692).
    if (slot.landed(flight, held)) {
      slots.asMap().putIfAbsent(request.identity(), slot);
    }
    flight.result().complete(held);
    if (recovered && outageSeenAt.getAndSet(NO_OUTAGE) != NO_OUTAGE) {
      log.info("GitHub tokens can be refreshed again, {} first", request.describe());
    }
    tell(() -> listener.onRefreshed(request, held.token(), took));
  }

  private void denied(TokenRequest request, Slot slot, Flight flight, TokenDeniedException denial) {
    slot.denied(flight, denial, clock.millis());
    flight.result().completeExceptionally(denial);
    tell(() -> listener.onDenied(request, denial));
  }

  private void failed(
      TokenRequest request,
      Slot slot,
      Flight flight,
      TokenUnavailableException failure,
      Duration took) {
    long now = clock.millis();
    Slot.State before = slot.state();
    long delay =
        Math.max(
            Backoff.tenthJitterMillis(
                RETRY_BASE_MILLIS, RETRY_CAP_MILLIS, before.failures() + 1, random),
            failure.retryAfter().map(Duration::toMillis).orElse(0L));
    slot.failed(flight, now, delay);
    flight.result().completeExceptionally(failure);
    if (flight.isBackground()) {
      logOutage(request, before.held(), failure, now, delay);
    }
    tell(() -> listener.onRefreshFailed(request, failure, took));
  }

  private static TokenUnavailableException notDenied(TokenDeniedException throttled) {
    return new TokenUnavailableException(
        String.valueOf(throttled.getMessage()),
        Reason.THROTTLED,
        null,
        throttled.requestIdOrNull(),
        throttled);
  }

  // ---- telling

  /**
   * Nobody sees the exception of a background call, so the first of an outage is logged; the others
   * say the same.
   */
  private void logOutage(
      TokenRequest request,
      @Nullable HeldToken held,
      TokenUnavailableException failure,
      long now,
      long delay) {
    long seenAt = outageSeenAt.getAndSet(now);
    boolean known = now >= seenAt && now - seenAt < OUTAGE_MEMORY_MILLIS;
    if (held == null || known) {
      log.debug("Still no new token for {}: {}", request.describe(), failure.reason());
      return;
    }
    log.warn(
        "GitHub tokens cannot be refreshed ({}{}); for {} the token {} serves until {}, next try in {} s."
            + " Not logged again until it works.",
        failure.reason(),
        failure.requestId().map(id -> ", request id " + id).orElse(""),
        request.describe(),
        held.token().hash(),
        Instant.ofEpochMilli(held.usableUntil()),
        delay / 1000);
  }

  private void hit(TokenRequest request) {
    if (listener == NoListener.INSTANCE) {
      return;
    }
    try {
      listener.onHit(request);
    } catch (RuntimeException e) {
      listenerFailed(e);
    }
  }

  private void waited(TokenRequest request, long start) {
    tell(() -> listener.onWaited(request, since(start)));
  }

  private void tell(Runnable event) {
    try {
      event.run();
    } catch (RuntimeException e) {
      listenerFailed(e);
    }
  }

  /** It may fail at every lookup. */
  private void listenerFailed(RuntimeException e) {
    if (listenerHasFailed.getAndSet(true)) {
      log.debug("A token listener failed", e);
    } else {
      log.warn("A token listener failed; not logged again above debug", e);
    }
  }

  // ---- warming up, closing

  /** Gets tokens one after the other until none is waiting. */
  private CompletableFuture<Void> warmNext(Queue<TokenRequest> waiting, Queue<Throwable> failures) {
    TokenRequest next = waiting.poll();
    while (next != null && cached(next) != null) {
      next = waiting.poll();
    }
    if (next == null) {
      return CompletableFuture.completedFuture(null);
    }
    return getTokenAsync(next)
        .handleAsync(
            (token, failure) -> {
              if (failure != null) {
                failures.add(
                    failure instanceof CompletionException e && e.getCause() != null
                        ? e.getCause()
                        : failure);
              }
              return failures;
            },
            callbacks)
        .thenCompose(sameFailures -> warmNext(waiting, sameFailures));
  }

  private static TokenDeniedException closedException() {
    return new TokenDeniedException("No token: the provider is closed.", Reason.CLOSED);
  }

  private Duration since(long start) {
    return Duration.ofNanos(nanoClock.getAsLong() - start);
  }

  /**
   * As many threads as calls, because one that waits must not hold up another; they go when idle.
   */
  private static ExecutorService ownExecutor() {
    return new ThreadPoolExecutor(
        0,
        Integer.MAX_VALUE,
        10,
        TimeUnit.SECONDS,
        new SynchronousQueue<>(),
        task -> {
          Thread thread = new Thread(task, "credential-manager-refresh");
          thread.setDaemon(true);
          return thread;
        });
  }

  private enum NoListener implements TokenListener {
    INSTANCE
  }

  /** Builds a {@link CachingTokenProvider}. Not safe for use by multiple threads. */
  public static final class Builder {
    private final TokenProvider delegate;
    private Duration refreshMargin = Duration.ofMinutes(15);
    private Duration expiryMargin = Duration.ofMinutes(2);
    private Duration timeout = Duration.ofSeconds(35);
    private long maximumSize = 10_000;
    private @Nullable Executor executor;

    /**
     * Not the pool itself: on two processors CompletableFuture of JDK 17 takes that instance for
     * one new thread per task.
     */
    private Executor callbacks = task -> ForkJoinPool.commonPool().execute(task);

    private InstantSource clock;
    private LongSupplier nanoClock = System::nanoTime;
    private RandomGenerator random = ThreadSafeRandom.INSTANCE;
    private TokenListener listener = NoListener.INSTANCE;
    private boolean shared;

    private Builder(TokenProvider delegate) {
      this.delegate = requireNonNull(delegate, "delegate");
      this.clock =
          delegate instanceof CredentialManagerClient.UncachedTokens client
              ? client.pessimisticClock()
              : InstantSource.system();
    }

    /**
     * How long before its end a token is replaced in the background; default 15 min, or half its
     * life if that is less. A tenth more or less, by chance for each token, so that many do not
     * fall due together.
     *
     * @throws IllegalArgumentException if negative or more than a year
     */
    public Builder refreshMargin(Duration refreshMargin) {
      this.refreshMargin = checkMargin(refreshMargin, "refreshMargin");
      return this;
    }

    /**
     * How long before its end a token is no longer handed out; default 2 min. Never more than a
     * third of its life.
     *
     * @throws IllegalArgumentException if negative or more than a year
     */
    public Builder expiryMargin(Duration expiryMargin) {
      this.expiryMargin = checkMargin(expiryMargin, "expiryMargin");
      return this;
    }

    /**
     * How long a caller waits whose request does not say; default 35 s, a little longer than the
     * client's own timeout, whose exception says more.
     *
     * @throws IllegalArgumentException if not positive or more than a year
     */
    public Builder timeout(Duration timeout) {
      this.timeout = TokenRequest.checkTimeout(timeout);
      return this;
    }

    /**
     * How many requests are remembered; default 10,000.
     *
     * @throws IllegalArgumentException if less than 1
     */
    public Builder maximumSize(long maximumSize) {
      if (maximumSize < 1) {
        throw new IllegalArgumentException("maximumSize " + maximumSize + " is not positive.");
      }
      this.maximumSize = maximumSize;
      return this;
    }

    /**
     * What the delegate is called on; default daemon threads of the cache's own, as many as there
     * are calls under way.
     *
     * <p>A bounded one makes requests wait for each other. It stays open when the cache is closed.
     */
    public Builder executor(Executor executor) {
      this.executor = requireNonNull(executor, "executor");
      return this;
    }

    /**
     * The wall clock that tokens age by; default the system's, in front of a {@link
     * CredentialManagerClient} the later one of that client's clock and of its server's, as far as
     * it knows that.
     */
    public Builder clock(InstantSource clock) {
      this.clock = requireNonNull(clock, "clock");
      return this;
    }

    /** Who hears what happens; default nobody. */
    public Builder listener(TokenListener listener) {
      this.listener = requireNonNull(listener, "listener");
      return this;
    }

    Builder callbacks(Executor callbacks) {
      this.callbacks = callbacks;
      return this;
    }

    Builder nanoClock(LongSupplier nanoClock) {
      this.nanoClock = nanoClock;
      return this;
    }

    /** The process's own: nobody may close it for the others. */
    Builder shared() {
      this.shared = true;
      return this;
    }

    Builder random(RandomGenerator random) {
      this.random = random;
      return this;
    }

    /**
     * The cache.
     *
     * @throws IllegalArgumentException if the expiry margin is longer than the refresh margin
     */
    public CachingTokenProvider build() {
      if (expiryMargin.compareTo(refreshMargin) > 0) {
        throw new IllegalArgumentException(
            "expiryMargin "
                + expiryMargin
                + " is longer than refreshMargin "
                + refreshMargin
                + ".");
      }
      return new CachingTokenProvider(this);
    }

    private static Duration checkMargin(Duration margin, String name) {
      requireNonNull(margin, name);
      if (margin.isNegative() || margin.compareTo(Duration.ofDays(366)) > 0) {
        throw new IllegalArgumentException(
            name + " " + margin + " is negative or more than a year.");
      }
      return margin;
    }
  }
}
