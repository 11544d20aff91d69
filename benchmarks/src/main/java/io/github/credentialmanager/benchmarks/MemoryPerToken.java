package io.github.credentialmanager.benchmarks;

import io.github.credentialmanager.sdk.CachingTokenProvider;
import io.github.credentialmanager.sdk.TokenProvider;
import io.github.credentialmanager.sdk.TokenRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import org.openjdk.jol.info.GraphLayout;

/**
 * How much memory does a cached token take, and what is it made of?
 *
 * <p>All objects that can be reached from a cache are counted when it is empty and when it is full;
 * the difference belongs to the tokens and their requests.
 *
 * <pre>{@code
 * java -Djol.magicFieldOffset=true -cp benchmarks/target/benchmarks.jar \
 *     io.github.credentialmanager.benchmarks.MemoryPerToken
 * }</pre>
 */
public final class MemoryPerToken {
  /** The default maximum of the cache. */
  static final int TOKENS = 10_000;

  /**
   * What one class takes for each token.
   *
   * @param type the class
   * @param objects how many of them
   * @param bytes of all of these
   */
  record Share(String type, double objects, double bytes) {}

  private MemoryPerToken() {}

  public static void main(String[] args) {
    Locale.setDefault(Locale.ROOT);
    new Report(System.out, System.err).memory(measure(TOKENS), baseline());
  }

  /** The bytes of a token by itself: one string. */
  static long baseline() {
    String token = new Upstream(Duration.ZERO, Duration.ZERO).issue(StubServer.APP_ID);
    return GraphLayout.parseInstance(token).totalSize();
  }

  /** The shares of all classes, the biggest first. */
  static List<Share> measure(int tokens) {
    try (TokenProvider full = cache(tokens);
        TokenProvider empty = cache(tokens)) {
      for (int i = 0; i < tokens; i++) {
        full.getToken(TokenRequest.installation(StubServer.APP_ID, "O_kgDOB%07d".formatted(i)));
      }
      GraphLayout with = GraphLayout.parseInstance(full);
      GraphLayout without = GraphLayout.parseInstance(empty);
      List<Share> shares = new ArrayList<>();
      for (Class<?> type : with.getClasses()) {
        long objects = with.getClassCounts().count(type) - without.getClassCounts().count(type);
        long bytes = with.getClassSizes().count(type) - without.getClassSizes().count(type);
        if (bytes != 0) {
          shares.add(
              new Share(type.getTypeName(), (double) objects / tokens, (double) bytes / tokens));
        }
      }
      shares.sort(Comparator.comparingDouble(Share::bytes).reversed());
      return shares;
    }
  }

  private static TokenProvider cache(int tokens) {
    return CachingTokenProvider.builder(new Upstream(Duration.ZERO, Duration.ofHours(1)))
        .maximumSize(tokens)
        .executor(Runnable::run)
        .build();
  }
}
