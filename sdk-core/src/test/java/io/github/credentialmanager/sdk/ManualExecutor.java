package io.github.credentialmanager.sdk;

import java.util.Deque;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.Executor;

/** Runs nothing until the test says so, then on the test's thread. */
final class ManualExecutor implements Executor {
  private final Deque<Runnable> tasks = new ConcurrentLinkedDeque<>();

  @Override
  public void execute(Runnable task) {
    tasks.add(task);
  }

  int waiting() {
    return tasks.size();
  }

  void runNext() {
    tasks.remove().run();
  }

  /** Runs the task that came last before the others. */
  void runLast() {
    tasks.removeLast().run();
  }

  void runAll() {
    while (!tasks.isEmpty()) {
      runNext();
    }
  }
}
