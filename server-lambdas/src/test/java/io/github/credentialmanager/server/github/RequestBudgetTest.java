package io.github.credentialmanager.server.github;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.credentialmanager.server.VirtualTime;
import io.github.credentialmanager.server.outbound.Deadline;
import io.github.credentialmanager.server.outbound.DeadlineExceededException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class RequestBudgetTest {
  private final VirtualTime time = new VirtualTime();
  private final RequestBudget budget = new RequestBudget(20, 100, time::nanoTime, time::sleep);
  private final List<Sent> sent = new ArrayList<>();

  private Deadline in(Duration duration) {
    return Deadline.in(duration, time::nanoTime);
  }

  /** A request that GitHub notices at some moment of the time that it takes. */
  private void send(RequestLimit limit, int points, Duration before, Duration after) {
    limit.call(
        points,
        in(Duration.ofHours(1)),
        () -> {
          time.sleep(before);
          sent.add(new Sent(time.instant(), points));
          time.sleep(after);
          return true;
        });
  }

  private void requireNoMinuteHasMoreThan(int points) {
    for (Sent first : sent) {
      Instant end = first.at().plusSeconds(60);
      int inMinute =
          sent.stream()
              .filter(one -> !one.at().isBefore(first.at()) && one.at().isBefore(end))
              .mapToInt(Sent::points)
              .sum();
      assertThat(inMinute)
          .as("points in the minute from " + first.at())
          .isLessThanOrEqualTo(points);
    }
  }

  private record Sent(Instant at, int points) {}

  @Nested
  class PointsAMinute {
    @Test
    void areNeverMoreWhateverMinuteGitHubLooksAt() {
      Random random = new Random(1);
      RequestLimit limit = budget.of(1);
      for (int i = 0; i < 2_000; i++) {
        send(
            limit,
            random.nextBoolean() ? 1 : 5,
            Duration.ofMillis(random.nextInt(500)),
            Duration.ofMillis(random.nextInt(500)));
        time.sleep(Duration.ofMillis(random.nextInt(100)));
      }
      requireNoMinuteHasMoreThan(100);
    }

    @Test
    void areAllUsed() {
      Instant began = time.instant();
      for (int i = 0; i < 1_000; i++) {
        send(budget.of(1), 1, Duration.ZERO, Duration.ZERO);
      }
      assertThat(Duration.between(began, time.instant())).isEqualTo(Duration.ofMinutes(9));
    }

    @Test
    void areEachAppsOwn() {
      for (long appId = 1; appId <= 10; appId++) {
        send(budget.of(appId), 100, Duration.ZERO, Duration.ZERO);
      }
      assertThat(time.nanoTime()).isZero();
    }

    @Test
    void areNotWaitedForInVain() {
      send(budget.of(1), 100, Duration.ZERO, Duration.ZERO);
      assertThatExceptionOfType(DeadlineExceededException.class)
          .isThrownBy(() -> budget.of(1).call(1, in(Duration.ofSeconds(59)), () -> true));
      assertThat(time.nanoTime()).isZero();
    }

    @Test
    void areSpentByAFailedRequestToo() {
      assertThatExceptionOfType(IllegalStateException.class)
          .isThrownBy(
              () ->
                  budget
                      .of(1)
                      .call(
                          100,
                          in(Duration.ofHours(1)),
                          () -> {
                            throw new IllegalStateException();
                          }));
      send(budget.of(1), 1, Duration.ZERO, Duration.ZERO);
      assertThat(time.nanoTime()).isEqualTo(Duration.ofMinutes(1).toNanos());
    }

    @Test
    void thatNoMinuteHasAreRefused() {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> budget.of(1).call(101, in(Duration.ofHours(1)), () -> true));
    }
  }

  @Nested
  class AReservation {
    @Test
    void keepsItsPointsForRequestsThatFollow() {
      try (RequestBudget.Reservation points = budget.reserve(1, 11, in(Duration.ZERO))) {
        send(budget.of(1), 89, Duration.ZERO, Duration.ZERO);
        send(points, 5, Duration.ZERO, Duration.ZERO);
        send(points, 1, Duration.ZERO, Duration.ZERO);
        send(points, 5, Duration.ZERO, Duration.ZERO);
        assertThat(time.nanoTime()).isZero();
        send(points, 1, Duration.ZERO, Duration.ZERO);
        assertThat(time.instant()).isEqualTo(new VirtualTime().instant().plusSeconds(60));
      }
      requireNoMinuteHasMoreThan(100);
    }

    @Test
    void givesBackWhatItDidNotUse() {
      try (RequestBudget.Reservation points = budget.reserve(1, 100, in(Duration.ZERO))) {
        send(points, 5, Duration.ZERO, Duration.ZERO);
      }
      send(budget.of(1), 95, Duration.ZERO, Duration.ZERO);
      assertThat(time.nanoTime()).isZero();
    }

    @Test
    void canBeSplitSoThatOnePartCannotUseUpTheOther() {
      try (RequestBudget.Reservation points = budget.reserve(1, 11, in(Duration.ZERO));
          RequestBudget.Reservation last = points.split(5)) {
        send(budget.of(1), 89, Duration.ZERO, Duration.ZERO);
        send(points, 5, Duration.ZERO, Duration.ZERO);
        assertThatExceptionOfType(DeadlineExceededException.class)
            .isThrownBy(() -> points.call(5, in(Duration.ofSeconds(1)), () -> true));
        send(last, 5, Duration.ZERO, Duration.ZERO);
        assertThat(time.nanoTime()).isZero();
        assertThatIllegalArgumentException().isThrownBy(() -> points.split(2));
      }
    }
  }

  @Nested
  class RequestsAtATime {
    @Test
    void areNoMoreThanAllowedOverAllApps() throws Exception {
      RequestBudget three = new RequestBudget(3, 900);
      AtomicInteger underWay = new AtomicInteger();
      AtomicInteger most = new AtomicInteger();
      CountDownLatch arrived = new CountDownLatch(3);
      ExecutorService threads = Executors.newFixedThreadPool(12);
      try {
        List<Future<Boolean>> all = new ArrayList<>();
        for (long appId = 1; appId <= 12; appId++) {
          RequestLimit limit = three.of(appId);
          all.add(
              threads.submit(
                  () ->
                      limit.call(
                          1,
                          Deadline.in(Duration.ofSeconds(30)),
                          () -> {
                            most.accumulateAndGet(underWay.incrementAndGet(), Math::max);
                            arrived.countDown();
                            boolean reached = await(arrived);
                            underWay.decrementAndGet();
                            return reached;
                          })));
        }
        for (Future<Boolean> one : all) {
          assertThat(one.get(30, TimeUnit.SECONDS)).as("three at a time").isTrue();
        }
      } finally {
        threads.shutdownNow();
      }
      assertThat(most).hasValue(3);
    }

    @Test
    void areNotWaitedForPastTheDeadline() {
      RequestBudget one = new RequestBudget(1, 900);
      RequestLimit limit = one.of(1);
      limit.call(
          1,
          Deadline.in(Duration.ofSeconds(30)),
          () -> {
            assertThatExceptionOfType(DeadlineExceededException.class)
                .isThrownBy(() -> limit.call(1, Deadline.in(Duration.ofMillis(10)), () -> true));
            return true;
          });
    }

    private static boolean await(CountDownLatch latch) {
      try {
        return latch.await(30, TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        return false;
      }
    }
  }
}
