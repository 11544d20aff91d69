package io.github.credentialmanager.server.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.credentialmanager.server.outbound.Deadline;
import io.github.credentialmanager.server.outbound.DeadlineExceededException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class SingleFlightCacheTest {
  private static final int CALLERS = 32;

  private final SingleFlightCache<String, Integer> cache = new SingleFlightCache<>(3);
  private final AtomicInteger loads = new AtomicInteger();
  private final Deadline deadline = Deadline.in(Duration.ofSeconds(10));
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private boolean usable = true;

  @AfterEach
  void stopThreads() {
    threads.shutdownNow();
  }

  private int get(String key) {
    return get(key, loads::incrementAndGet);
  }

  private int get(String key, Supplier<Integer> loader) {
    return cache.get(key, value -> usable, deadline, loader);
  }

  @Nested
  class OnOneThread {
    @Test
    void loadsAKeyOnceWhileItIsUsable() {
      assertThat(get("a")).isEqualTo(1);
      assertThat(get("a")).isEqualTo(1);
      assertThat(get("b")).isEqualTo(2);
    }

    @Test
    void loadsAgainWhatIsNotUsableAnyMore() {
      get("a");
      usable = false;
      assertThat(get("a")).isEqualTo(2);
    }

    @Test
    void doesNotRememberAFailure() {
      assertThatIllegalStateException().isThrownBy(() -> get("a", SingleFlightCacheTest::fail));
      assertThat(get("a")).isEqualTo(1);
    }

    @Test
    void forgetsAValueOnlyIfItIsStillTheOne() {
      get("a");
      cache.forget("a", 99);
      assertThat(get("a")).isEqualTo(1);
      cache.forget("a", 1);
      assertThat(get("a")).isEqualTo(2);
    }

    @Test
    void staysSmall() {
      for (int i = 0; i < 100; i++) {
        get("key " + i);
      }
      assertThat(get("key 99")).as("the last one is kept").isEqualTo(100);
      assertThat(get("key 0")).as("the first one was dropped").isEqualTo(101);
    }

    @Test
    void isEmptyOnceCleared() {
      get("a");
      cache.clear();
      assertThat(get("a")).isEqualTo(2);
    }
  }

  @Nested
  class OnManyThreads {
    private final CountDownLatch loading = new CountDownLatch(1);
    private final CountDownLatch proceed = new CountDownLatch(1);

    private int slow() {
      loading.countDown();
      await(proceed);
      return loads.incrementAndGet();
    }

    @Test
    void loadsOnceHoweverManyAsk() throws Exception {
      List<Future<Integer>> answers = new ArrayList<>();
      for (int i = 0; i < CALLERS; i++) {
        answers.add(threads.submit(() -> get("a", this::slow)));
      }
      await(loading);
      proceed.countDown();
      for (Future<Integer> answer : answers) {
        assertThat(answer.get()).isEqualTo(1);
      }
      assertThat(loads).hasValue(1);
    }

    @Test
    void aSlowKeyDelaysNoOther() throws Exception {
      Future<Integer> slow = threads.submit(() -> get("slow", this::slow));
      await(loading);
      for (int i = 0; i < CALLERS; i++) {
        get("key " + i, () -> 7);
      }
      assertThat(slow.isDone()).isFalse();
      proceed.countDown();
      assertThat(slow.get()).isEqualTo(1);
    }

    @Test
    void whoWaitsWaitsToTheirOwnDeadline() throws Exception {
      Future<Integer> slow = threads.submit(() -> get("a", this::slow));
      await(loading);
      assertThatExceptionOfType(DeadlineExceededException.class)
          .isThrownBy(() -> cache.get("a", value -> true, Deadline.in(Duration.ZERO), () -> 99));
      proceed.countDown();
      assertThat(slow.get()).isEqualTo(1);
    }

    @Test
    void whatIsLoadedAcrossAClearIsDeliveredAndNotKept() throws Exception {
      Future<Integer> slow = threads.submit(() -> get("a", this::slow));
      await(loading);
      cache.clear();
      proceed.countDown();
      assertThat(slow.get()).isEqualTo(1);
      assertThat(get("a")).isEqualTo(2);
    }
  }

  private static int fail() {
    throw new IllegalStateException("made to fail");
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
