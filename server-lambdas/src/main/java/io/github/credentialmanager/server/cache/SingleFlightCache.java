package io.github.credentialmanager.server.cache;

import io.github.credentialmanager.server.outbound.Deadline;
import io.github.credentialmanager.server.outbound.DeadlineExceededException;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * Remembers what was loaded, and has each key loaded once however many ask at a time.
 *
 * <p>Whether a value is still good is asked on every read, so that it can be decided by wall clock:
 * a timer would stand still while the environment is frozen. A failure is told to everyone who
 * waits for it and is not remembered.
 *
 * <p>Safe for use by multiple threads. The first to ask loads on its own thread, the others wait,
 * each to its own deadline. No lock is held while loading: a slow key delays no other.
 *
 * @param <K> what is asked for
 * @param <V> what is remembered
 */
public final class SingleFlightCache<K, V> {
  private final int maxSize;
  private final Map<K, CompletableFuture<V>> flights = new ConcurrentHashMap<>();

  /**
   * @param maxSize how many keys to remember; beyond that, everything is forgotten and loaded anew
   */
  public SingleFlightCache(int maxSize) {
    this.maxSize = maxSize;
  }

  /**
   * The remembered value if it is usable, else a newly loaded one, which is not asked whether it
   * is.
   *
   * @throws DeadlineExceededException if another thread's load takes longer
   * @throws RuntimeException what the loader throws, here or in another thread
   */
  public V get(K key, Predicate<V> usable, Deadline deadline, Supplier<V> loader) {
    while (true) {
      CompletableFuture<V> flight = flights.get(key);
      if (flight != null) {
        V value = await(flight, deadline);
        if (usable.test(value)) {
          return value;
        }
        flights.remove(key, flight);
      }
      CompletableFuture<V> mine = new CompletableFuture<>();
      if (flights.putIfAbsent(key, mine) == null) {
        return load(key, mine, loader);
      }
    }
  }

  private V load(K key, CompletableFuture<V> mine, Supplier<V> loader) {
    try {
      V value = loader.get();
      if (flights.size() > maxSize) {
        flights.keySet().removeIf(other -> !other.equals(key));
      }
      mine.complete(value);
      return value;
    } catch (Throwable e) {
      flights.remove(key, mine);
      mine.completeExceptionally(e);
      throw e;
    }
  }

  private V await(CompletableFuture<V> flight, Deadline deadline) {
    try {
      return flight.get(deadline.remaining().toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      throw new DeadlineExceededException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DeadlineExceededException(e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      throw new IllegalStateException(e.getCause());
    }
  }

  /** Remembers a value. */
  public void put(K key, V value) {
    flights.put(key, CompletableFuture.completedFuture(value));
  }

  /** Forgets that value, unless another is remembered by now. */
  public void forget(K key, V value) {
    flights.computeIfPresent(
        key,
        (same, flight) ->
            flight.isDone() && !flight.isCompletedExceptionally() && value.equals(flight.join())
                ? null
                : flight);
  }

  /** Forgets everything. What is being loaded is still delivered to those who wait. */
  public void clear() {
    flights.clear();
  }
}
