package io.github.credentialmanager.benchmarks;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import org.jspecify.annotations.Nullable;

/** How callers wait: each on a thread of its own, or on a future. */
public enum Callers {
  /** Platform threads with small stacks. */
  THREADS {
    @Override
    void start(Runnable caller) {
      Thread thread = new Thread(null, caller, "caller", STACK_BYTES);
      thread.setDaemon(true);
      thread.start();
    }
  },
  /** Needs JDK 21. */
  VIRTUAL_THREADS {
    @Override
    void start(Runnable caller) {
      try {
        MethodHandle start = START_VIRTUAL_THREAD;
        if (start == null) {
          throw new UnsupportedOperationException("Virtual threads need JDK 21.");
        }
        start.invoke(caller);
      } catch (RuntimeException | Error e) {
        throw e;
      } catch (Throwable e) {
        throw new AssertionError(e);
      }
    }
  },
  /** One thread that asks for everybody and does not wait. */
  FUTURES {
    @Override
    void start(Runnable caller) {
      throw new UnsupportedOperationException("Futures have no threads.");
    }
  };

  /** Enough for a caller that only waits. */
  private static final long STACK_BYTES = 128 * 1024;

  private static final @Nullable MethodHandle START_VIRTUAL_THREAD = startVirtualThread();

  abstract void start(Runnable caller);

  boolean areThreads() {
    return this != FUTURES;
  }

  boolean areSupported() {
    return this != VIRTUAL_THREADS || START_VIRTUAL_THREAD != null;
  }

  private static @Nullable MethodHandle startVirtualThread() {
    try {
      return MethodHandles.publicLookup()
          .findStatic(
              Thread.class,
              "startVirtualThread",
              MethodType.methodType(Thread.class, Runnable.class));
    } catch (ReflectiveOperationException e) {
      return null;
    }
  }
}
