package io.github.credentialmanager.server.refresh;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.credentialmanager.server.refresh.History.Happened;
import io.github.credentialmanager.server.refresh.History.Sabotage;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The reconciler's rules against a model, in random histories.
 *
 * <p>{@code -Dhistories=100000} plays more of them, {@code -Dseed=…} others; a failure names its
 * seed.
 */
class ReconcilerHistoriesTest {
  private static final int HISTORIES = Integer.getInteger("histories", 10_000);
  private static final long SEED = Long.getLong("seed", 1);

  private final ExecutorService threads = Executors.newCachedThreadPool();

  @AfterEach
  void stop() {
    threads.shutdownNow();
  }

  @Test
  void everyChangeIsRightAndTheTableEndsAsTheRulesSay() {
    Map<Happened, Integer> all = new EnumMap<>(Happened.class);
    for (long seed = SEED; seed < SEED + HISTORIES; seed++) {
      try {
        new History(seed, Sabotage.NONE)
            .play(threads)
            .forEach((what, times) -> all.merge(what, times, Integer::sum));
      } catch (AssertionError e) {
        throw new AssertionError("history " + seed + ": " + e.getMessage(), e);
      }
    }
    System.out.println(HISTORIES + " histories: " + all);
    assertThat(all).as("what was put to the test").containsOnlyKeys(Happened.values());
    assertThat(all.values()).allSatisfy(times -> assertThat(times).isGreaterThan(HISTORIES / 100));
    assertThat(all).containsEntry(Happened.QUIET_RUN, HISTORIES);
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void theModelFindsAFault(Sabotage sabotage) {
    Optional<AssertionError> found =
        LongStream.range(SEED, SEED + HISTORIES)
            .mapToObj(seed -> failure(seed, sabotage))
            .flatMap(Optional::stream)
            .findFirst();
    assertThat(found).as(sabotage.name()).isPresent();
  }

  private Optional<AssertionError> failure(long seed, Sabotage sabotage) {
    try {
      new History(seed, sabotage).play(threads);
      return Optional.empty();
    } catch (AssertionError e) {
      return Optional.of(e);
    }
  }
}
