package io.github.credentialmanager.server.outbound;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class RetryTest {
  private final AtomicLong nanos = new AtomicLong();
  private final Deadline deadline = Deadline.in(Duration.ofSeconds(10), nanos::get);
  private final List<Duration> pauses = new ArrayList<>();
  private final Retry retry =
      new Retry(
          new Random(1),
          pause -> {
            pauses.add(pause);
            nanos.addAndGet(pause.toNanos());
          });
  private int attempts;

  @Test
  void asksThreeTimesAtMost() {
    assertThatExceptionOfType(IllegalStateException.class)
        .isThrownBy(() -> retry.call(deadline, this::fail, e -> Optional.of(Duration.ZERO)))
        .withMessage("attempt 3");
    assertThat(pauses).hasSize(2);
  }

  @Test
  void returnsWhatALaterAttemptBrings() {
    String answer =
        retry.call(
            deadline, () -> attempts == 1 ? "answer" : fail(), e -> Optional.of(Duration.ZERO));
    assertThat(answer).isEqualTo("answer");
    assertThat(attempts).isEqualTo(1);
  }

  @Test
  void leavesAFinalFailureAlone() {
    assertThatExceptionOfType(IllegalStateException.class)
        .isThrownBy(() -> retry.call(deadline, this::fail, e -> Optional.empty()))
        .withMessage("attempt 1");
  }

  @Test
  void pausesAtRandomUpToADoublingBound() {
    List<Duration> first = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      pauses.clear();
      nanos.set(0);
      attempts = 0;
      assertThatExceptionOfType(IllegalStateException.class)
          .isThrownBy(() -> retry.call(deadline, this::fail, e -> Optional.of(Duration.ZERO)));
      assertThat(pauses.get(0)).isLessThan(Duration.ofMillis(100));
      assertThat(pauses.get(1)).isLessThan(Duration.ofMillis(200));
      first.add(pauses.get(0));
    }
    assertThat(first).anyMatch(pause -> pause.toMillis() < 10);
    assertThat(first).anyMatch(pause -> pause.toMillis() > 90);
  }

  @Test
  void waitsAsLongAsItWasAskedTo() {
    Duration asked = Duration.ofSeconds(2);
    assertThatExceptionOfType(IllegalStateException.class)
        .isThrownBy(() -> retry.call(deadline, this::fail, e -> Optional.of(asked)));
    assertThat(pauses).containsExactly(asked, asked);
  }

  @Test
  void givesUpWhereThePauseWouldMissTheDeadline() {
    Duration asked = Duration.ofSeconds(6);
    assertThatExceptionOfType(IllegalStateException.class)
        .isThrownBy(() -> retry.call(deadline, this::fail, e -> Optional.of(asked)))
        .withMessage("attempt 2");
    assertThat(pauses).containsExactly(asked);
  }

  @Test
  void staysInterruptedWhereAPauseWas() {
    Retry interrupted =
        new Retry(
            new Random(1),
            pause -> {
              throw new InterruptedException();
            });
    assertThatExceptionOfType(IllegalStateException.class)
        .isThrownBy(() -> interrupted.call(deadline, this::fail, e -> Optional.of(Duration.ZERO)))
        .withMessage("attempt 1");
    assertThat(Thread.interrupted()).isTrue();
  }

  private String fail() {
    attempts++;
    throw new IllegalStateException("attempt " + attempts);
  }
}
