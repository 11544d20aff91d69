package io.github.credentialmanager.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import io.github.credentialmanager.benchmarks.AroundARefresh.Waits;
import io.github.credentialmanager.benchmarks.MemoryPerToken.Share;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import org.HdrHistogram.Histogram;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.VerboseMode;
import org.openjdk.jmh.util.Statistics;

/**
 * Runs everything and prints the figures of the README.
 *
 * <p>The lookups run in rounds, each once a round in a JVM of its own, and a figure is the median
 * of the rounds: what disturbs the machine for a while disturbs all of them.
 */
public final class Report {
  private static final String OURS = "tokenProvider(held=1)";
  private static final List<String> ALL_OURS =
      List.of(OURS, "hub4jProvider(held=1)", "hub4jProviderAsConnected()");
  private static final List<String> PEERS =
      List.of("hub4jOwn()", "googleRequestMetadata()", "awsCachedSupplier()");

  /**
   * Less than an object for each token is the JVM's own, which can be reached from a cache, too.
   */
  private static final int SMALLEST_OBJECT = 8;

  /** What one run of a benchmark may differ from the next without a reason. */
  private static final double NOISE = 1.1;

  private final PrintStream out;
  private final PrintStream log;

  Report(PrintStream out, PrintStream log) {
    this.out = out;
    this.log = log;
  }

  /**
   * Prints the figures.
   *
   * @param args a file for JMH's own output; rounds of lookups; seconds for each cache around a
   *     refresh
   */
  public static void main(String[] args) throws Exception {
    Locale.setDefault(Locale.ROOT);
    try (PrintStream log = new PrintStream(args[0], UTF_8)) {
      Report report = new Report(System.out, log);
      report.machine();
      report.lookups(Integer.parseInt(args[1]));
      report.coldKeys();
      report.aroundARefresh(
          AroundARefresh.measureAll(Duration.ofSeconds(Integer.parseInt(args[2]))));
      report.memory(MemoryPerToken.measure(MemoryPerToken.TOKENS), MemoryPerToken.baseline());
    }
  }

  void machine() throws IOException {
    out.printf(
        "%s, %d x %s, %s %s, load average before %.1f%n",
        LocalDate.now(ZoneOffset.UTC),
        Runtime.getRuntime().availableProcessors(),
        processor(),
        System.getProperty("java.vm.name"),
        System.getProperty("java.runtime.version"),
        ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage());
  }

  private static String processor() throws IOException {
    Path description = Path.of("/proc/cpuinfo");
    if (!Files.exists(description)) {
      return System.getProperty("os.arch");
    }
    try (Stream<String> lines = Files.lines(description)) {
      return lines
          .filter(line -> line.startsWith("model name"))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst()
          .orElse(System.getProperty("os.arch"));
    }
  }

  // ---- JMH

  private Collection<RunResult> run(ChainedOptionsBuilder options) throws RunnerException {
    return new Runner(
            options.build(), OutputFormatFactory.createFormatInstance(log, VerboseMode.NORMAL))
        .run();
  }

  /** The method and its parameters, {@code "tokenProvider(held=1)"}. */
  private static String name(RunResult result) {
    String benchmark = result.getParams().getBenchmark();
    List<String> parameters = new ArrayList<>();
    for (String key : result.getParams().getParamsKeys()) {
      parameters.add(key + "=" + result.getParams().getParam(key));
    }
    return benchmark.substring(benchmark.lastIndexOf('.') + 1)
        + "("
        + String.join(", ", parameters)
        + ")";
  }

  // ---- lookups

  /** One run of one lookup: time by the clock, time of the processor, and bytes, for each call. */
  private record Sample(double nanos, double processorNanos, double bytes) {
    static Sample of(RunResult result) {
      return new Sample(
          result.getPrimaryResult().getScore(),
          secondary(result, CpuTimeProfiler.RESULT),
          secondary(result, "gc.alloc.rate.norm"));
    }

    private static double secondary(RunResult result, String name) {
      return requireNonNull(result.getSecondaryResults().get(name), name).getScore();
    }
  }

  /** All runs of one lookup, with one thread and with eight. */
  private record Lookup(List<Sample> alone, List<Sample> together) {
    static double median(List<Sample> samples, ToDoubleFunction<Sample> figure) {
      double[] sorted = samples.stream().mapToDouble(figure).sorted().toArray();
      return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
    }

    double nanosAlone() {
      return median(alone, Sample::nanos);
    }

    double processorNanosAlone() {
      return median(alone, Sample::processorNanos);
    }

    double bytesAlone() {
      return median(alone, Sample::bytes);
    }

    double nanosTogether() {
      return median(together, Sample::nanos);
    }

    double processorNanosTogether() {
      return median(together, Sample::processorNanos);
    }

    double slowdown() {
      return processorNanosTogether() / processorNanosAlone();
    }
  }

  void lookups(int rounds) throws RunnerException {
    SortedMap<String, Lookup> lookups = new TreeMap<>();
    for (int i = 0; i < rounds; i++) {
      round(1, lookups, Lookup::alone);
      round(8, lookups, Lookup::together);
    }
    out.printf(
        "%n| cached lookup | 1 thread: ns | CPU ns | bytes | 8 threads: ns | CPU ns |%n"
            + "|---|--:|--:|--:|--:|--:|%n");
    lookups.forEach(
        (name, lookup) ->
            out.printf(
                "| `%s` | %.1f | %.1f | %.2f | %.1f | %.1f |%n",
                name,
                lookup.nanosAlone(),
                lookup.processorNanosAlone(),
                lookup.bytesAlone(),
                lookup.nanosTogether(),
                lookup.processorNanosTogether()));
    out.println();
    for (String name : ALL_OURS) {
      goals(name, lookup(lookups, name), lookup(lookups, "baseline()"));
    }
    Lookup ours = lookup(lookups, OURS);
    for (String name : PEERS) {
      Lookup peer = lookup(lookups, name);
      double nanos = peer.nanosTogether() / ours.nanosTogether();
      double processorNanos = peer.processorNanosTogether() / ours.processorNanosTogether();
      goal(
          nanos > 1 && processorNanos > 1,
          "ahead of `%s` with 8 threads: it takes x %.2f, CPU time x %.2f",
          name,
          nanos,
          processorNanos);
    }
  }

  private void goals(String name, Lookup ours, Lookup baseline) {
    goal(
        ours.processorNanosAlone() <= 50 && ours.bytesAlone() < 0.1,
        "`%s`, at most 50 ns and 0 bytes: CPU time %.1f ns, %.2f bytes",
        name,
        ours.processorNanosAlone(),
        ours.bytesAlone());
    goal(
        ours.slowdown() <= baseline.slowdown() * NOISE,
        "`%s`, no slower with 8 threads: CPU time x %.2f, baseline's x %.2f",
        name,
        ours.slowdown(),
        baseline.slowdown());
  }

  private void round(
      int threads, Map<String, Lookup> lookups, Function<Lookup, List<Sample>> samples)
      throws RunnerException {
    Collection<RunResult> results =
        run(
            new OptionsBuilder()
                .include(CachedLookup.class.getName() + "\\.")
                .threads(threads)
                .forks(1)
                .addProfiler(GCProfiler.class)
                .addProfiler(CpuTimeProfiler.class)
                .shouldFailOnError(true));
    for (RunResult result : results) {
      Lookup lookup =
          lookups.computeIfAbsent(
              name(result), name -> new Lookup(new ArrayList<>(), new ArrayList<>()));
      samples.apply(lookup).add(Sample.of(result));
    }
  }

  private static Lookup lookup(Map<String, Lookup> lookups, String name) {
    return requireNonNull(lookups.get(name), name);
  }

  private void goal(boolean met, String text, Object... figures) {
    out.printf((met ? "- met: " : "- **missed**: ") + text + "%n", figures);
  }

  // ---- cold keys

  void coldKeys() {
    out.printf("%n| crowd at an empty cache | ms, median | longest |%n|---|--:|--:|%n");
    for (Callers callers : Callers.values()) {
      if (callers.areSupported()) {
        coldKeys("baseline", callers);
        coldKeys("oneKey", callers);
        if (callers != Callers.THREADS) {
          coldKeys("manyKeys", callers);
        }
      }
    }
  }

  private void coldKeys(String benchmark, Callers callers) {
    try {
      RunResult result =
          run(new OptionsBuilder()
                  .include(ColdKeys.class.getName() + "\\." + benchmark + "$")
                  .param("callers", callers.name())
                  .shouldFailOnError(true))
              .iterator()
              .next();
      Statistics figures = result.getPrimaryResult().getStatistics();
      out.printf(
          "| `%s` | %.1f | %.1f |%n", name(result), figures.getPercentile(50), figures.getMax());
    } catch (RunnerException e) {
      out.printf("| `%s`, %s | **failed** | |%n", benchmark, callers);
    }
  }

  // ---- around a refresh

  void aroundARefresh(List<Waits> all) {
    out.printf(
        "%n| waits around a refresh, ms | refreshes | calls | p50 | p99 | p99.99 | longest | baseline: p99.99 |%n"
            + "|---|--:|--:|--:|--:|--:|--:|--:|%n");
    for (Waits each : all) {
      out.printf(
          "| %s | %d | %d | %.3f | %.3f | %.3f | %.3f | %.3f |%n",
          each.cache(),
          each.refreshes(),
          each.waits().getTotalCount(),
          millis(each.waits(), 50),
          millis(each.waits(), 99),
          millis(each.waits(), 99.99),
          millis(each.waits(), 100),
          millis(each.baseline(), 99.99));
    }
    double ours = millis(all.get(0).waits(), 99.99);
    out.println();
    goal(ours <= 5, "%s, p99.99 at most 5 ms: %.3f ms", all.get(0).cache(), ours);
  }

  private static double millis(Histogram histogram, double percentile) {
    return histogram.getValueAtPercentile(percentile) / 1e6;
  }

  // ---- memory

  /**
   * @param shares of all classes, the biggest first
   * @param baseline bytes of the token by itself
   */
  void memory(List<Share> shares, long baseline) {
    out.printf("%n| memory per cached token | objects | bytes |%n|---|--:|--:|%n");
    double total = 0;
    double small = 0;
    for (Share share : shares) {
      total += share.bytes();
      if (Math.abs(share.bytes()) < SMALLEST_OBJECT) {
        small += share.bytes();
      } else {
        out.printf("| `%s` | %.2f | %.1f |%n", share.type(), share.objects(), share.bytes());
      }
    }
    out.printf("| all others | | %.1f |%n| **all** | | %.1f |%n", small, total);
    out.printf("| baseline: the token as one string | 2.00 | %d |%n", baseline);
  }
}
