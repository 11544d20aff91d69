package io.github.credentialmanager.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.credentialmanager.benchmarks.AroundARefresh.Waits;
import io.github.credentialmanager.benchmarks.MemoryPerToken.Share;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/** That the benchmarks run and see what they are for; what they measure here means nothing. */
class BenchmarksTest {
  /** Until the first refresh, and through it. */
  private static final Duration ONE_REFRESH = Duration.ofMillis(2500);

  @Test
  void eachLookupRuns() throws RunnerException {
    Collection<RunResult> results =
        run(
            once(CachedLookup.class)
                .measurementTime(TimeValue.milliseconds(5))
                .threads(2)
                .addProfiler(GCProfiler.class)
                .addProfiler(CpuTimeProfiler.class));

    assertThat(results)
        .extracting(result -> result.getPrimaryResult().getLabel())
        .contains("baseline", "tokenProvider", "hub4jProvider", "hub4jOwn", "awsCachedSupplier");
    assertThat(results)
        .allSatisfy(
            result -> {
              assertThat(result.getPrimaryResult().getScore()).isPositive();
              assertThat(result.getSecondaryResults())
                  .containsKeys(CpuTimeProfiler.RESULT, "gc.alloc.rate.norm");
            });
  }

  @Nested
  class Crowds {
    @Test
    void areServed() throws RunnerException {
      Collection<RunResult> results =
          run(
              once(ColdKeys.class)
                  .param("size", "100")
                  .param("keys", "10")
                  .param("callersOfEachKey", "5"));

      assertThat(results).hasSize(5);
    }

    @ParameterizedTest
    @EnumSource(names = {"THREADS", "FUTURES"})
    void noticeASecondCall(Callers callers) throws InterruptedException {
      Crowd.Cache none =
          (upstream, listener) ->
              request -> {
                listener.onMiss(request);
                return upstream.getToken(request);
              };

      try (Crowd crowd = new Crowd(callers, 1, 2, none)) {
        assertThatThrownBy(crowd::ask).hasMessageStartingWith("2 calls for 1 keys");
      }
    }
  }

  @Nested
  class AroundOneRefresh {
    @Test
    void ourCallersAreCounted() throws Exception {
      Waits waits = AroundARefresh.ours(ONE_REFRESH);

      assertThat(waits.refreshes()).isPositive();
      assertThat(waits.waits().getTotalCount()).isPositive();
    }

    @Test
    void aCallerWhoIsHeldUpIsSeen() throws Exception {
      Waits waits = AroundARefresh.aws(ONE_REFRESH);

      assertThat(waits.waits().getMaxValue())
          .isGreaterThan(AroundARefresh.LATENCY.dividedBy(2).toNanos());
    }
  }

  @Test
  void theMemoryOfATokenIsMoreThanTheToken() {
    // So many that what the JVM itself keeps and drops meanwhile does not matter.
    List<Share> shares = MemoryPerToken.measure(MemoryPerToken.TOKENS);

    assertThat(shares.stream().mapToDouble(Share::bytes).sum())
        .isGreaterThan((double) MemoryPerToken.baseline());
    assertThat(MemoryPerToken.baseline()).isGreaterThan(Upstream.TOKEN_LENGTH);
  }

  private static ChainedOptionsBuilder once(Class<?> benchmarks) {
    return new OptionsBuilder()
        .include(benchmarks.getName() + "\\.")
        .forks(0)
        .warmupIterations(0)
        .measurementIterations(1)
        .verbosity(VerboseMode.SILENT)
        .shouldFailOnError(true);
  }

  private static Collection<RunResult> run(ChainedOptionsBuilder options) throws RunnerException {
    return new Runner(options.build()).run();
  }
}
