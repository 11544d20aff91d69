package io.github.credentialmanager.server.tracking;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.credentialmanager.server.outbound.DeadlineExceededException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class FanOutTest {
  private final ExecutorService threads = Executors.newFixedThreadPool(3);
  private final FanOut fanOut = new FanOut(threads, 4);

  @AfterEach
  void stop() {
    threads.shutdownNow();
  }

  private static List<Integer> numbers(int count) {
    return IntStream.range(0, count).boxed().toList();
  }

  @Test
  void doesEachItemOnce() {
    Set<Integer> done = ConcurrentHashMap.newKeySet();
    fanOut.forEach(numbers(1_000), i -> assertThat(done.add(i)).isTrue());
    assertThat(done).hasSize(1_000);
  }

  @Test
  void doesSeveralAtATimeTheCallersThreadAmongThem() {
    CyclicBarrier four = new CyclicBarrier(4);
    Set<Thread> workers = ConcurrentHashMap.newKeySet();
    fanOut.forEach(
        numbers(4),
        i -> {
          workers.add(Thread.currentThread());
          await(four);
        });
    assertThat(workers).hasSize(4).contains(Thread.currentThread());
  }

  @Test
  void mayFanOutAgainOverTheSameThreads() {
    Set<List<Integer>> done = ConcurrentHashMap.newKeySet();
    fanOut.forEach(
        numbers(20),
        i ->
            fanOut.forEach(
                numbers(20), j -> fanOut.forEach(numbers(3), k -> done.add(List.of(i, j, k)))));
    assertThat(done).hasSize(20 * 20 * 3);
  }

  @Test
  void isDoneByTheCallerAloneWhereThereIsNobodyElse() {
    threads.shutdownNow();
    List<Integer> done = new ArrayList<>();
    fanOut.forEach(numbers(5), done::add);
    assertThat(done).containsExactly(0, 1, 2, 3, 4);
    fanOut.forEach(List.of(), i -> done.clear());
    assertThat(done).hasSize(5);
  }

  @Test
  void doesTheOthersWhenOneThrows() {
    Set<Integer> done = ConcurrentHashMap.newKeySet();
    assertThatIllegalStateException()
        .isThrownBy(
            () ->
                fanOut.forEach(
                    numbers(100),
                    i -> {
                      if (i == 7) {
                        throw new IllegalStateException();
                      }
                      done.add(i);
                    }));
    assertThat(done).hasSize(99);
  }

  @Test
  void leavesWhatHasNotBegunWhenInterrupted() {
    CountDownLatch never = new CountDownLatch(1);
    Set<Integer> begun = ConcurrentHashMap.newKeySet();
    Thread caller = Thread.currentThread();
    assertThatExceptionOfType(DeadlineExceededException.class)
        .isThrownBy(
            () ->
                new FanOut(threads, 2)
                    .forEach(
                        numbers(2),
                        i -> {
                          begun.add(i);
                          if (!Thread.currentThread().equals(caller)) {
                            caller.interrupt();
                            await(never);
                          }
                          while (begun.size() < 2) {
                            Thread.onSpinWait();
                          }
                        }));
    assertThat(Thread.interrupted()).isTrue();
  }

  private static void await(CyclicBarrier barrier) {
    try {
      barrier.await(30, TimeUnit.SECONDS);
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
