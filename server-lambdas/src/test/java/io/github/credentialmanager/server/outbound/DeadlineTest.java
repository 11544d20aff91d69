package io.github.credentialmanager.server.outbound;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class DeadlineTest {
  private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 5);
  private final Deadline deadline = Deadline.in(Duration.ofSeconds(10), nanos::get);

  @Test
  void leavesLessAndLess() {
    assertThat(deadline.remaining()).isEqualTo(Duration.ofSeconds(10));
    nanos.addAndGet(Duration.ofSeconds(7).toNanos()); // Past the largest long, as nanoTime may go.
    assertThat(deadline.remaining()).isEqualTo(Duration.ofSeconds(3));
    assertThat(deadline.atMost(Duration.ofSeconds(1))).isEqualTo(Duration.ofSeconds(1));
    assertThat(deadline.atMost(Duration.ofSeconds(9))).isEqualTo(Duration.ofSeconds(3));
  }

  @Test
  void leavesNothingInTheEnd() {
    nanos.addAndGet(Duration.ofSeconds(11).toNanos());
    assertThat(deadline.remaining()).isZero();
    assertThatExceptionOfType(DeadlineExceededException.class)
        .isThrownBy(() -> deadline.atMost(Duration.ofSeconds(1)));
  }
}
