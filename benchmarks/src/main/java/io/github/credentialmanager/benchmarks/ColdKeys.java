package io.github.credentialmanager.benchmarks;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What happens when a crowd asks for tokens that nobody has yet?
 *
 * <p>Each run checks that there is one call to the upstream for each key, that no key waits for
 * another, and that every caller gets the token of its key; see {@link Crowd}. The upstream answers
 * as soon as everybody has asked, so the figure is the time that the cache and the threads need.
 *
 * <pre>{@code
 * java -jar benchmarks/target/benchmarks.jar ColdKeys -foe true
 * }</pre>
 *
 * <p>With virtual threads, on JDK 21 and later: {@code -p callers=VIRTUAL_THREADS}.
 */
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3)
@Measurement(iterations = 10)
@Fork(1)
public class ColdKeys {
  /** The callers of one key on a plain future: what they cost without a cache. */
  @Benchmark
  public void baseline(OneFuture state) throws InterruptedException {
    state.crowd.ask();
  }

  @Benchmark
  public void oneKey(OneKey state) throws InterruptedException {
    state.crowd.ask();
  }

  @Benchmark
  public void manyKeys(ManyKeys state) throws InterruptedException {
    state.crowd.ask();
  }

  /** 10,000 callers of one future. */
  @State(Scope.Benchmark)
  public static class OneFuture {
    @Param({"THREADS", "FUTURES"})
    Callers callers = Callers.THREADS;

    @Param("10000")
    int size;

    Crowd crowd;

    @Setup(Level.Invocation)
    public void gather() throws InterruptedException {
      crowd = new Crowd(callers, 1, size, Crowd::oneFuture);
    }
  }

  /** 10,000 callers of one key. */
  @State(Scope.Benchmark)
  public static class OneKey {
    @Param({"THREADS", "FUTURES"})
    Callers callers = Callers.THREADS;

    @Param("10000")
    int size;

    Crowd crowd;

    @Setup(Level.Invocation)
    public void gather() throws InterruptedException {
      crowd = new Crowd(callers, 1, size, Crowd::cachingTokenProvider);
    }

    @TearDown(Level.Invocation)
    public void leave() {
      crowd.close();
    }
  }

  /**
   * 50 callers of each of 1,000 keys; so many platform threads are more than a machine may have.
   */
  @State(Scope.Benchmark)
  public static class ManyKeys {
    @Param("FUTURES")
    Callers callers = Callers.FUTURES;

    @Param("1000")
    int keys;

    @Param("50")
    int callersOfEachKey;

    Crowd crowd;

    @Setup(Level.Invocation)
    public void gather() throws InterruptedException {
      crowd = new Crowd(callers, keys, callersOfEachKey, Crowd::cachingTokenProvider);
    }

    @TearDown(Level.Invocation)
    public void leave() {
      crowd.close();
    }
  }
}
