package io.github.credentialmanager.benchmarks;

import static java.util.Objects.requireNonNull;

import com.google.auth.oauth2.OAuth2Credentials;
import io.github.credentialmanager.githubapi.Hub4jLookup;
import io.github.credentialmanager.sdk.AccessToken;
import io.github.credentialmanager.sdk.CachingTokenProvider;
import io.github.credentialmanager.sdk.TokenProvider;
import io.github.credentialmanager.sdk.TokenRequest;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.kohsuke.github.authorization.AuthorizationProvider;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import software.amazon.awssdk.utils.cache.CachedSupplier;

/**
 * What does a token cost that is in the cache already, and how does that grow with threads?
 *
 * <pre>{@code
 * java -jar benchmarks/target/benchmarks.jar CachedLookup -t 1 -prof gc
 * java -jar benchmarks/target/benchmarks.jar CachedLookup -t 8 -prof gc
 * }</pre>
 *
 * <p>Processor time, see {@link CpuTimeProfiler}, of {@link #tokenProvider} with one token held:
 * 20.3 ns and 0 bytes, with 8 threads 20.6 ns; baseline 17.6 ns (2 x Xeon, JDK 17.0.15,
 * 2026-11-23).
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(5)
public class CachedLookup {
  private static final Duration HOUR = Duration.ofHours(1);
  private static final URI ANY_URI = URI.create("https://api.github.com/");

  /**
   * The least that a lookup by wall clock can do: reads the token, reads the clock, compares. It
   * finds nothing among many, and shares nothing that is written.
   */
  @Benchmark
  public String baseline(Least least) {
    return least.authorization();
  }

  @Benchmark
  public String tokenProvider(OurCache cache) {
    return cache.provider.getToken(cache.request).authorization();
  }

  /** What hub4j asks for each request's header. */
  @Benchmark
  public String hub4jProvider(OurCache cache) throws IOException {
    return cache.hub4j.getEncodedAuthorization();
  }

  /** The same with {@link TokenProvider#credentialManager()}, which {@code connect} uses. */
  @Benchmark
  public String hub4jProviderAsConnected(OurProcess process) throws IOException {
    return process.hub4j.getEncodedAuthorization();
  }

  @Benchmark
  public String hub4jOwn(Hub4jOwn own) throws IOException {
    return own.provider.getEncodedAuthorization();
  }

  @Benchmark
  public Map<String, List<String>> googleRequestMetadata(Google google) throws IOException {
    return google.credentials.getRequestMetadata(ANY_URI);
  }

  /** Does not look whether the token has expired. */
  @Benchmark
  public String googleAccessToken(Google google) {
    return requireNonNull(google.credentials.getAccessToken()).getTokenValue();
  }

  @Benchmark
  public String awsCachedSupplier(Aws aws) {
    return aws.supplier.get();
  }

  /** One token in a field. */
  @State(Scope.Benchmark)
  public static class Least {
    private volatile AccessToken token =
        new Upstream(Duration.ZERO, HOUR).getToken(TokenRequest.app(StubServer.APP_ID));
    private final long usableUntil = token.expirationTime().toEpochMilli();

    String authorization() {
      AccessToken current = token;
      if (System.currentTimeMillis() >= usableUntil) {
        throw new IllegalStateException("The token has expired.");
      }
      return current.authorization();
    }
  }

  /** Our cache over an upstream in memory. */
  @State(Scope.Benchmark)
  public static class OurCache {
    /** Tokens held. From half its maximum of 10,000 on, the cache keeps track of what is used. */
    @Param({"1", "9000"})
    int held;

    TokenRequest request = request(0);
    TokenProvider provider;
    AuthorizationProvider hub4j;

    @Setup
    public void fill() {
      provider =
          CachingTokenProvider.builder(new Upstream(Duration.ZERO, HOUR))
              .executor(Runnable::run)
              .build();
      hub4j = Hub4jLookup.of(provider, request);
      for (int i = 0; i < held; i++) {
        provider.getToken(request(i));
      }
      // Eight busy threads on two processors leave the compiler no time to learn that hits matter
      // more than the misses above.
      for (int i = 0; i < 20_000_000; i++) {
        provider.getToken(request);
      }
    }

    @TearDown
    public void close() {
      provider.close();
    }

    private static TokenRequest request(int i) {
      return TokenRequest.installation(StubServer.APP_ID, StubServer.NODE_ID + i);
    }
  }

  /** What a process gets that is configured by its environment. */
  @State(Scope.Benchmark)
  public static class OurProcess {
    private StubServer server;
    AuthorizationProvider hub4j;

    @Setup
    public void connect() throws IOException {
      server = new StubServer(new Upstream(Duration.ZERO, HOUR), HOUR);
      System.setProperty("credential.manager.endpoint", server.url().toString());
      System.setProperty("aws.region", "us-east-1");
      System.setProperty("aws.accessKeyId", "an-access-key");
      System.setProperty("aws.secretAccessKey", "a-secret-key");
      hub4j =
          Hub4jLookup.of(
              TokenProvider.credentialManager(),
              TokenRequest.installation(StubServer.APP_ID, StubServer.NODE_ID));
      hub4j.getEncodedAuthorization();
    }

    @TearDown
    public void close() {
      server.close();
    }
  }

  /** hub4j's own provider. */
  @State(Scope.Benchmark)
  public static class Hub4jOwn {
    private StubServer server;
    AuthorizationProvider provider;

    @Setup
    public void connect() throws IOException {
      server = new StubServer(new Upstream(Duration.ZERO, HOUR), HOUR);
      provider = Peers.hub4j(server.url());
      provider.getEncodedAuthorization();
    }

    @TearDown
    public void close() {
      server.close();
    }
  }

  /** google-auth's. */
  @State(Scope.Benchmark)
  public static class Google {
    OAuth2Credentials credentials = Peers.google(new Upstream(Duration.ZERO, HOUR), HOUR);

    @Setup
    public void warm() throws IOException {
      credentials.getRequestMetadata(ANY_URI);
    }
  }

  /** The AWS SDK's. */
  @State(Scope.Benchmark)
  public static class Aws {
    CachedSupplier<String> supplier = Peers.aws(new Upstream(Duration.ZERO, HOUR), HOUR);

    @Setup
    public void warm() {
      supplier.get();
    }

    @TearDown
    public void close() {
      supplier.close();
    }
  }
}
