package io.github.credentialmanager.server.tracking;

import io.github.credentialmanager.server.outbound.DeadlineExceededException;
import java.util.Collection;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Does the same for many items, several at a time.
 *
 * <p>Items are taken up in their order, by the calling thread and by those of the executor that are
 * free. Since the calling thread does its share, an action may fan out again over the same
 * executor: where no thread is free it does all of it alone, and nobody waits for work that has not
 * begun.
 *
 * <p>Immutable, and safe for use by multiple threads.
 */
public final class FanOut {
  private final Executor executor;
  private final int width;

  /**
   * @param width the most items at a time
   */
  public FanOut(Executor executor, int width) {
    this.executor = executor;
    this.width = width;
  }

  /**
   * Returns when the action has ended for every item.
   *
   * @throws RuntimeException the first that an action threw, after the others have ended
   * @throws DeadlineExceededException if the calling thread is interrupted; what has begun goes on
   */
  public <T> void forEach(Collection<T> items, Consumer<T> action) {
    if (items.isEmpty()) {
      return;
    }
    Queue<T> open = new ConcurrentLinkedQueue<>(items);
    AtomicReference<@Nullable RuntimeException> failure = new AtomicReference<>();
    CountDownLatch unfinished = new CountDownLatch(items.size());
    Runnable worker =
        () -> {
          for (T item = open.poll(); item != null; item = open.poll()) {
            try {
              action.accept(item);
            } catch (RuntimeException e) {
              failure.compareAndSet(null, e);
            } finally {
              unfinished.countDown();
            }
          }
        };
    try {
      for (int helper = 1; helper < Math.min(width, items.size()); helper++) {
        executor.execute(worker);
      }
    } catch (RejectedExecutionException e) {
      // Shut down: the calling thread does it alone.
    }
    worker.run();
    try {
      unfinished.await();
    } catch (InterruptedException e) {
      open.clear();
      Thread.currentThread().interrupt();
      throw new DeadlineExceededException(e);
    }
    RuntimeException thrown = failure.get();
    if (thrown != null) {
      throw thrown;
    }
  }
}
