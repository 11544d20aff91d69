package io.github.credentialmanager.benchmarks;

import io.github.credentialmanager.sdk.AccessToken;
import io.github.credentialmanager.sdk.CachingTokenProvider;
import io.github.credentialmanager.sdk.TokenListener;
import io.github.credentialmanager.sdk.TokenProvider;
import io.github.credentialmanager.sdk.TokenRequest;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Callers at the door of an empty cache.
 *
 * <p>The upstream answers nobody before every caller has missed and every key has its call under
 * way. So a second call for a key is counted, and a key that waited for another would wait for
 * ever.
 */
final class Crowd implements AutoCloseable {
  private static final Duration TOO_LONG = Duration.ofSeconds(60);

  /** What the callers ask. */
  @FunctionalInterface
  interface Cache {
    /**
     * A cache with nothing in it.
     *
     * @param listener is told each miss
     */
    TokenProvider over(TokenProvider upstream, TokenListener listener);
  }

  private final Callers callers;
  private final List<TokenRequest> requests;
  private final int size;
  private final TokenProvider cache;
  private final AtomicInteger calls = new AtomicInteger();
  private final AtomicInteger wrong = new AtomicInteger();
  private final CountDownLatch ready;
  private final CountDownLatch door = new CountDownLatch(1);
  private final CountDownLatch served;

  /** Gathers the callers; those that are threads have started when this returns. */
  Crowd(Callers callers, int keys, int callersOfEachKey, Cache cache) throws InterruptedException {
    this.callers = callers;
    this.requests =
        IntStream.range(0, keys)
            .mapToObj(i -> TokenRequest.installation(StubServer.APP_ID, StubServer.NODE_ID + i))
            .toList();
    this.size = keys * callersOfEachKey;
    this.served = new CountDownLatch(size);
    this.ready = new CountDownLatch(callers.areThreads() ? size : 0);
    CountDownLatch misses = new CountDownLatch(size);
    this.cache =
        cache.over(
            upstream(misses),
            new TokenListener() {
              @Override
              public void onMiss(TokenRequest request) {
                misses.countDown();
              }
            });
    if (callers.areThreads()) {
      for (int caller = 0; caller < size; caller++) {
        TokenRequest request = request(caller);
        callers.start(() -> call(request));
      }
      await(ready, "threads");
    }
  }

  /**
   * Lets everybody ask, and waits until everybody is served.
   *
   * @throws AssertionError if there was more than one call for a key, or a caller without the token
   *     of its key
   */
  void ask() throws InterruptedException {
    door.countDown();
    if (!callers.areThreads()) {
      for (int caller = 0; caller < size; caller++) {
        TokenRequest request = request(caller);
        CompletableFuture<AccessToken> unused =
            cache.getTokenAsync(request).whenComplete((token, failure) -> serve(request, token));
      }
    }
    await(served, "answers");
    if (calls.get() != requests.size() || wrong.get() != 0) {
      throw new AssertionError(
          "%d calls for %d keys, %d of %d callers without their token"
              .formatted(calls.get(), requests.size(), wrong.get(), size));
    }
  }

  @Override
  public void close() {
    cache.close();
  }

  private TokenRequest request(int caller) {
    return requests.get(caller % requests.size());
  }

  private void call(TokenRequest request) {
    AccessToken token = null;
    ready.countDown();
    try {
      door.await();
      token = cache.getToken(request);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      serve(request, token);
    }
  }

  private void serve(TokenRequest request, @Nullable AccessToken token) {
    if (token == null || !token.nodeId().equals(request.nodeId())) {
      wrong.incrementAndGet();
    }
    served.countDown();
  }

  private TokenProvider upstream(CountDownLatch misses) {
    Upstream upstream = new Upstream(Duration.ZERO, Duration.ofHours(1));
    CountDownLatch keysUnderWay = new CountDownLatch(requests.size());
    return request -> {
      calls.incrementAndGet();
      keysUnderWay.countDown();
      try {
        await(keysUnderWay, "keys");
        await(misses, "callers");
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("Interrupted before everybody had asked.", e);
      }
      return upstream.getToken(request);
    };
  }

  private static void await(CountDownLatch latch, String what) throws InterruptedException {
    if (!latch.await(TOO_LONG.toSeconds(), TimeUnit.SECONDS)) {
      throw new AssertionError(latch.getCount() + " " + what + " missing after " + TOO_LONG);
    }
  }

  /** Ours. */
  static TokenProvider cachingTokenProvider(TokenProvider upstream, TokenListener listener) {
    return CachingTokenProvider.builder(upstream)
        .timeout(TOO_LONG.multipliedBy(2))
        .listener(listener)
        .build();
  }

  /** One future for everybody: no cache can do with less. */
  static TokenProvider oneFuture(TokenProvider upstream, TokenListener listener) {
    CompletableFuture<AccessToken> answer = new CompletableFuture<>();
    TokenRequest only = TokenRequest.installation(StubServer.APP_ID, StubServer.NODE_ID + 0);
    Callers.THREADS.start(() -> answer.complete(upstream.getToken(only)));
    return new TokenProvider() {
      @Override
      public AccessToken getToken(TokenRequest request) {
        listener.onMiss(request);
        return answer.join();
      }

      @Override
      public CompletableFuture<AccessToken> getTokenAsync(TokenRequest request) {
        listener.onMiss(request);
        return answer.copy();
      }
    };
  }
}
