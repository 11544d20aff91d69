package io.github.credentialmanager.server.github;

import io.github.credentialmanager.server.outbound.Deadline;
import io.github.credentialmanager.server.outbound.DeadlineExceededException;
import io.github.credentialmanager.server.outbound.Retry;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * How many requests this service makes of GitHub: so many at a time in all, and so many points a
 * minute for each App.
 *
 * <p>GitHub allows 100 requests at a time and 900 points a minute; a {@code GET} is one point,
 * anything else five ("Rate limits for the REST API", secondary rate limits). All requests on
 * behalf of an App are counted together, those with tokens of its installations included.
 *
 * <p>Every attempt counts from when it may go out until a minute after it has ended, so that
 * whatever minute GitHub looks at, it sees no more, however long the requests were under way.
 *
 * <p>Safe for use by multiple threads.
 */
public final class RequestBudget {
  private static final Duration MINUTE = Duration.ofMinutes(1);
  // Where all points are with requests under way, none is free before one of them ends.
  private static final Duration LOOK_AGAIN = Duration.ofMillis(50);

  private final Semaphore slots;
  private final int pointsPerMinute;
  private final LongSupplier nanoTime;
  private final Retry.Sleeper sleeper;
  private final Map<Long, Window> windows = new ConcurrentHashMap<>();

  /**
   * @param concurrency requests at a time
   * @param pointsPerMinute for each App
   */
  public RequestBudget(int concurrency, int pointsPerMinute) {
    this(concurrency, pointsPerMinute, System::nanoTime, Retry.Sleeper.real());
  }

  /**
   * @param nanoTime as {@link System#nanoTime()}
   * @param sleeper waits for points
   */
  public RequestBudget(
      int concurrency, int pointsPerMinute, LongSupplier nanoTime, Retry.Sleeper sleeper) {
    this.slots = new Semaphore(concurrency, true);
    this.pointsPerMinute = pointsPerMinute;
    this.nanoTime = nanoTime;
    this.sleeper = sleeper;
  }

  /** The limit for requests on behalf of that App. */
  public RequestLimit of(long appId) {
    return new Reservation(window(appId), 0);
  }

  /**
   * Sets points aside for requests that must follow each other. More than these are taken from the
   * budget as they come.
   *
   * @throws DeadlineExceededException if they are not free in time
   */
  public Reservation reserve(long appId, int points, Deadline deadline) {
    Window window = window(appId);
    take(window, points, deadline);
    return new Reservation(window, points);
  }

  private Window window(long appId) {
    return windows.computeIfAbsent(appId, any -> new Window());
  }

  private void take(Window window, int points, Deadline deadline) {
    if (points > pointsPerMinute) {
      throw new IllegalArgumentException(points + " points are more than a minute has");
    }
    while (true) {
      Optional<Duration> wait = window.take(points);
      if (wait.isEmpty()) {
        return;
      }
      if (wait.get().compareTo(deadline.remaining()) >= 0) {
        throw new DeadlineExceededException();
      }
      try {
        sleeper.sleep(wait.get());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new DeadlineExceededException(e);
      }
    }
  }

  private <T> T inSlot(Deadline deadline, Supplier<T> request) {
    try {
      if (!slots.tryAcquire(deadline.remaining().toNanos(), TimeUnit.NANOSECONDS)) {
        throw new DeadlineExceededException();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DeadlineExceededException(e);
    }
    try {
      return request.get();
    } finally {
      slots.release();
    }
  }

  /** The limit for one App's requests, some points of which are set aside already. */
  public final class Reservation implements RequestLimit, AutoCloseable {
    private final Window window;
    private int reserved;

    private Reservation(Window window, int reserved) {
      this.window = window;
      this.reserved = reserved;
    }

    @Override
    public <T> T call(int points, Deadline deadline, Supplier<T> request) {
      if (!draw(points)) {
        take(window, points, deadline);
      }
      try {
        return inSlot(deadline, request);
      } finally {
        window.spent(points);
      }
    }

    private synchronized boolean draw(int points) {
      boolean enough = reserved >= points;
      reserved -= enough ? points : 0;
      return enough;
    }

    /**
     * Sets some of these points aside once more.
     *
     * @throws IllegalArgumentException if there are fewer
     */
    public Reservation split(int points) {
      if (!draw(points)) {
        throw new IllegalArgumentException("fewer than " + points + " points are left");
      }
      return new Reservation(window, points);
    }

    /** Gives back what was not used. */
    @Override
    public synchronized void close() {
      window.giveBack(reserved);
      reserved = 0;
    }
  }

  /** The points of one App. */
  private final class Window {
    private final Deque<Spent> lastMinute = new ArrayDeque<>();
    private int spent;
    private int underWay;

    /**
     * @return empty if they were taken, else when to ask again
     */
    synchronized Optional<Duration> take(int points) {
      long now = nanoTime.getAsLong();
      for (Spent oldest = lastMinute.peek();
          oldest != null && now - oldest.at() >= MINUTE.toNanos();
          oldest = lastMinute.peek()) {
        spent -= oldest.points();
        lastMinute.remove();
      }
      if (spent + underWay + points <= pointsPerMinute) {
        underWay += points;
        return Optional.empty();
      }
      Spent oldest = lastMinute.peek();
      return Optional.of(
          oldest == null
              ? LOOK_AGAIN
              : MINUTE.minus(Duration.ofNanos(Math.max(0, now - oldest.at()))));
    }

    synchronized void spent(int points) {
      underWay -= points;
      spent += points;
      lastMinute.add(new Spent(nanoTime.getAsLong(), points));
    }

    synchronized void giveBack(int points) {
      underWay -= points;
    }
  }

  private record Spent(long at, int points) {}
}
