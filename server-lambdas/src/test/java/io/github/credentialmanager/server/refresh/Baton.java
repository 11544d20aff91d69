package io.github.credentialmanager.server.refresh;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Lets several actors take turns on one thread at a time, in an order that a seed decides.
 *
 * <p>Only who holds the baton runs. At every step it may have to hand it on.
 */
final class Baton {
  private static final int HAND_ON_ONE_IN = 3;

  private final Random random;
  private final List<Actor> waiting = new ArrayList<>();
  private volatile @Nullable Throwable failure;

  Baton(Random random) {
    this.random = random;
  }

  /** Runs the actors to their ends. */
  void run(ExecutorService threads, List<Runnable> actors) {
    CountDownLatch ended = new CountDownLatch(actors.size());
    actors.forEach(work -> waiting.add(new Actor(work, ended)));
    List.copyOf(waiting).forEach(threads::execute);
    handOn();
    try {
      ended.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
    if (failure instanceof Error e) {
      throw e;
    }
    if (failure != null) {
      throw new AssertionError(failure);
    }
  }

  /** A place where another actor may come in. */
  void step() {
    if (Actor.CURRENT.get() instanceof Actor actor
        && !waiting.isEmpty()
        && random.nextInt(HAND_ON_ONE_IN) == 0) {
      Actor next = waiting.remove(random.nextInt(waiting.size()));
      waiting.add(actor);
      actor.hasBaton = false;
      next.take();
      actor.await();
    }
  }

  private void handOn() {
    if (!waiting.isEmpty()) {
      waiting.remove(random.nextInt(waiting.size())).take();
    }
  }

  private final class Actor implements Runnable {
    private static final ThreadLocal<@Nullable Object> CURRENT = new ThreadLocal<>();

    private final Runnable work;
    private final CountDownLatch ended;
    private volatile @Nullable Thread thread;
    private volatile boolean hasBaton;

    Actor(Runnable work, CountDownLatch ended) {
      this.work = work;
      this.ended = ended;
    }

    @Override
    public void run() {
      thread = Thread.currentThread();
      CURRENT.set(this);
      try {
        await();
        work.run();
      } catch (Throwable e) {
        failure = e;
      } finally {
        CURRENT.remove();
        handOn();
        ended.countDown();
      }
    }

    void take() {
      hasBaton = true;
      LockSupport.unpark(thread);
    }

    void await() {
      while (!hasBaton) {
        LockSupport.park(this);
      }
    }
  }
}
