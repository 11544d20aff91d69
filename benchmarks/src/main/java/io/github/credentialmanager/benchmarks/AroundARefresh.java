package io.github.credentialmanager.benchmarks;

import com.google.auth.oauth2.OAuth2Credentials;
import io.github.credentialmanager.sdk.CachingTokenProvider;
import io.github.credentialmanager.sdk.TokenProvider;
import io.github.credentialmanager.sdk.TokenRequest;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;
import org.kohsuke.github.authorization.AuthorizationProvider;
import software.amazon.awssdk.utils.cache.CachedSupplier;

/**
 * How long do callers wait while the token is being replaced, if the upstream takes 200 ms?
 *
 * <p>Eight callers each ask every millisecond for as long as some refreshes take. Counted are the
 * calls during which the upstream was at work for some time. A caller who is held up does not ask
 * meanwhile, and would count once where it missed many calls; the histogram adds those
 * (HdrHistogram, {@code recordValueWithExpectedInterval}). Beside each call the caller makes the
 * {@link #baseline}, which waits for nothing but the machine.
 *
 * <pre>{@code
 * java -cp benchmarks/target/benchmarks.jar \
 *     io.github.credentialmanager.benchmarks.AroundARefresh
 * }</pre>
 */
public final class AroundARefresh {
  static final Duration LATENCY = Duration.ofMillis(200);

  private static final Duration FRESH_FOR = Duration.ofSeconds(2);
  private static final Duration INTERVAL = Duration.ofMillis(1);
  private static final int CALLERS = 8;
  private static final CachedLookup.Least LEAST = new CachedLookup.Least();

  /**
   * What callers of one cache waited while it was being refreshed.
   *
   * @param cache whose
   * @param refreshes how many there were
   * @param waits in nanoseconds
   * @param baseline what the {@link #baseline} took in the same time
   */
  record Waits(String cache, int refreshes, Histogram waits, Histogram baseline) {}

  private AroundARefresh() {}

  public static void main(String[] args) throws Exception {
    Duration length = Duration.ofSeconds(args.length == 0 ? 60 : Integer.parseInt(args[0]));
    Locale.setDefault(Locale.ROOT);
    new Report(System.out, System.err).aroundARefresh(measureAll(length));
  }

  static List<Waits> measureAll(Duration length) throws Exception {
    List<Waits> all = new ArrayList<>();
    all.add(ours(length));
    all.add(google(length));
    all.add(aws(length));
    all.add(hub4j(length));
    return all;
  }

  static Waits ours(Duration length) throws Exception {
    Upstream upstream = new Upstream(LATENCY, FRESH_FOR.multipliedBy(2));
    TokenRequest request = TokenRequest.installation(StubServer.APP_ID, StubServer.NODE_ID);
    try (TokenProvider provider =
        CachingTokenProvider.builder(upstream)
            .refreshMargin(FRESH_FOR)
            .expiryMargin(FRESH_FOR.dividedBy(2))
            .build()) {
      return measure("ours", () -> provider.getToken(request), upstream, length);
    }
  }

  private static Waits google(Duration length) throws Exception {
    Upstream upstream = new Upstream(LATENCY, FRESH_FOR);
    OAuth2Credentials credentials = Peers.google(upstream, FRESH_FOR);
    URI uri = URI.create("https://api.github.com/");
    return measure("google-auth", () -> credentials.getRequestMetadata(uri), upstream, length);
  }

  static Waits aws(Duration length) throws Exception {
    Upstream upstream = new Upstream(LATENCY, FRESH_FOR);
    try (CachedSupplier<String> supplier = Peers.aws(upstream, FRESH_FOR)) {
      return measure("AWS SDK", supplier::get, upstream, length);
    }
  }

  private static Waits hub4j(Duration length) throws Exception {
    Upstream upstream = new Upstream(LATENCY, FRESH_FOR);
    // Its answers have whole seconds, so add the half that is lost on average.
    Duration life = Peers.HUB4J_MARGIN.plus(FRESH_FOR).plusMillis(500);
    try (StubServer server = new StubServer(upstream, life)) {
      AuthorizationProvider provider = Peers.hub4j(server.url());
      return measure("hub4j", provider::getEncodedAuthorization, upstream, length);
    }
  }

  /**
   * What callers of this cache wait.
   *
   * @param upstream whom the cache asks
   */
  static Waits measure(String cache, Callable<?> lookup, Upstream upstream, Duration length)
      throws Exception {
    Histogram waits = new ConcurrentHistogram(3);
    Histogram baseline = new ConcurrentHistogram(3);
    lookup.call();
    int before = upstream.started();
    long end = System.nanoTime() + length.toNanos();
    ExecutorService callers = Executors.newFixedThreadPool(CALLERS);
    try {
      List<Future<?>> all = new ArrayList<>();
      for (int i = 0; i < CALLERS; i++) {
        all.add(callers.submit(() -> call(lookup, upstream, end, waits, baseline)));
      }
      for (Future<?> each : all) {
        each.get();
      }
    } catch (ExecutionException e) {
      throw new IllegalStateException(cache + " failed.", e.getCause());
    } finally {
      callers.shutdown();
    }
    return new Waits(cache, upstream.started() - before, waits, baseline);
  }

  /** A call that waits for nothing but the machine. */
  private static String baseline() {
    return LEAST.authorization();
  }

  private static Void call(
      Callable<?> lookup, Upstream upstream, long end, Histogram waits, Histogram baseline)
      throws Exception {
    long next = System.nanoTime();
    while (next - end < 0) {
      while (System.nanoTime() - next < 0) {
        LockSupport.parkNanos(next - System.nanoTime());
      }
      int finishedBefore = upstream.finished();
      long start = System.nanoTime();
      baseline();
      long middle = System.nanoTime();
      lookup.call();
      long stop = System.nanoTime();
      if (upstream.started() > finishedBefore) {
        baseline.recordValueWithExpectedInterval(middle - start, INTERVAL.toNanos());
        waits.recordValueWithExpectedInterval(stop - middle, INTERVAL.toNanos());
      }
      next = Math.max(next + INTERVAL.toNanos(), stop);
    }
    return null;
  }
}
