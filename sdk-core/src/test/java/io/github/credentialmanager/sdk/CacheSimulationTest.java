package io.github.credentialmanager.sdk;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A million random steps through the cache in virtual time.
 *
 * <p>Callers come and go, the upstream is quick, slow, failing, refusing or confused, the wall
 * clock is set back by up to an hour and forward by up to a day, the monotonic clock stands still.
 * After every answer the promises of {@link CachingTokenProvider} are checked. A failure names the
 * seed and the step; the same seed fails again (not always with the small cache, since Caffeine
 * evicts by chance).
 */
class CacheSimulationTest {
  private static final int STEPS_PER_SEED = 250_000;

  @ParameterizedTest
  @CsvSource({"1, 10000", "2, 10000", "3, 10000", "4, 40"})
  @Timeout(120)
  void keepsItsPromisesForAQuarterMillionSteps(long seed, int maximumSize) {
    Simulation simulation = new Simulation(seed, maximumSize);
    simulation.run(STEPS_PER_SEED);
    // A simulation in which nothing happens proves nothing.
    assertThat(simulation.served).isGreaterThan(STEPS_PER_SEED / 10);
    assertThat(simulation.upstreamCalls).isBetween(1_000, STEPS_PER_SEED / 2);
    assertThat(simulation.failuresSeen).isGreaterThan(500);
    assertThat(simulation.denialsSeen).isGreaterThan(500);
    assertThat(simulation.rejections).isGreaterThan(100);
    assertThat(simulation.clockJumps).isGreaterThan(500);
  }

  @Test
  @Timeout(120)
  void neverAnswersOneOfAMillionRandomRequestsWithAnothersToken() {
    Random random = new Random(20261123);
    int[] calls = {0};
    try (CachingTokenProvider cache =
        CachingTokenProvider.builder(
                request -> {
                  calls[0]++;
                  AccessToken.Builder token =
                      AccessToken.builder(
                          request.appId(),
                          Secret.of(describe(request).replace(" ", "")),
                          Instant.MAX);
                  request.nodeId().ifPresent(token::nodeId);
                  return token.build();
                })
            .executor(Runnable::run)
            .build()) {
      for (int i = 0; i < 1_000_000; i++) {
        long app = 1 + skewed(random, 6);
        String node = "O_" + skewed(random, 30);
        List<String> names = new ArrayList<>();
        List<Long> ids = new ArrayList<>();
        Map<String, Scope.Access> permissions = new HashMap<>();
        for (int n = random.nextInt(3); n > 0; n--) {
          names.add((random.nextBoolean() ? "repo-" : "REPO-") + random.nextInt(3));
          ids.add(1L + random.nextInt(3));
        }
        if (random.nextBoolean()) {
          permissions.put(
              random.nextBoolean() ? "contents" : "issues",
              Scope.Access.values()[random.nextInt(3)]);
        }
        String expected = expected(app, node, names, ids, permissions);
        assertThat(cache.getToken(request(app, node, names, ids, permissions)).secret().reveal())
            .isEqualTo(expected.replace(" ", ""));
      }
    }
    assertThat(calls[0]).as("both hits and misses").isBetween(10_000, 900_000);
  }

  private static TokenRequest request(
      long app,
      String node,
      List<String> names,
      List<Long> ids,
      Map<String, Scope.Access> permissions) {
    if (names.isEmpty() && ids.isEmpty() && permissions.isEmpty()) {
      return TokenRequest.installation(app, node);
    }
    Scope.Builder scope = Scope.builder();
    names.forEach(scope::repositories);
    ids.forEach(scope::repositoryIds);
    permissions.forEach(scope::permission);
    return TokenRequest.installation(app, node, scope.build());
  }

  /** What the request means, worked out without {@link Scope}. */
  private static String expected(
      long app,
      String node,
      List<String> names,
      List<Long> ids,
      Map<String, Scope.Access> permissions) {
    return app
        + "/"
        + node
        + "/"
        + names.stream().map(name -> name.replace("REPO", "repo")).distinct().sorted().toList()
        + ids.stream().distinct().sorted().toList()
        + permissions;
  }

  private static String describe(TokenRequest request) {
    return request.appId()
        + "/"
        + request.nodeId().orElse("")
        + "/"
        + request
            .scope()
            .map(scope -> "" + scope.repositories() + scope.repositoryIds() + scope.permissions())
            .orElse("[][]{}");
  }

  /** Small numbers often, large ones seldom. */
  private static int skewed(Random random, int limit) {
    return (int) (limit * random.nextDouble() * random.nextDouble());
  }

  private static final class Simulation {
    private static final long EXPIRY_MARGIN = Duration.ofMinutes(2).toMillis();

    private final Random random;
    private final long seed;
    private final CachingTokenProvider cache;
    private final List<TokenRequest> requests = new ArrayList<>();

    /** The wall clock, which is the server's too, and the monotonic one. */
    private long wall = Instant.parse("2026-11-23T00:00:00Z").toEpochMilli();

    private long nanos;
    private int step;

    private final PriorityQueue<Call> calls = new PriorityQueue<>();
    private @Nullable Call landing;
    private @Nullable TokenRequest asking;
    private @Nullable Error broken;
    private final Map<TokenRequest, Call> underWay = new HashMap<>();

    /** Calls that an invalidation has cut off from the cache. */
    private final Set<Call> detached = new HashSet<>();

    private final Map<String, Minted> minted = new HashMap<>();
    private final Set<AccessToken> banned = new HashSet<>();
    private final Map<TokenRequest, Integer> deniedAtStep = new HashMap<>();
    private final Map<TokenRequest, Integer> invalidatedAtCall = new HashMap<>();
    private final List<AccessToken> servedTokens = new ArrayList<>();
    private final Map<AccessToken, TokenRequest> servedFor = new HashMap<>();
    private final Set<CompletableFuture<AccessToken>> waiting = new HashSet<>();

    private int failurePercent;
    private int denialPercent;
    private int confusionPercent;
    private int maxLatencySeconds = 2;

    int served;
    int upstreamCalls;
    int failuresSeen;
    int denialsSeen;
    int rejections;
    int clockJumps;

    Simulation(long seed, int maximumSize) {
      this.seed = seed;
      this.random = new Random(seed);
      Scope scope = Scope.builder().read("contents").build();
      for (int i = 1; i <= 8; i++) {
        requests.add(TokenRequest.app(i));
        for (int node = 0; node < 3; node++) {
          requests.add(TokenRequest.installation(i, "O_" + node));
          requests.add(TokenRequest.installation(i, "O_" + node, scope));
        }
      }
      this.cache =
          CachingTokenProvider.builder(this::upstream)
              .clock(
                  new InstantSource() {
                    @Override
                    public Instant instant() {
                      return Instant.ofEpochMilli(wall);
                    }

                    @Override
                    public long millis() {
                      return wall;
                    }
                  })
              .nanoClock(() -> nanos)
              .executor(new Upstream())
              .callbacks(Runnable::run)
              .timeout(Duration.ofDays(1))
              .random(random)
              .maximumSize(maximumSize)
              .listener(
                  new TokenListener() {
                    @Override
                    public void onRejected(TokenRequest request, AccessToken token) {
                      banned.add(token);
                      rejections++;
                    }
                  })
              .build();
    }

    /** One call to the delegate, from its start to the moment its answer arrives. */
    private record Call(Runnable task, TokenRequest identity, long due, int number, long startedAt)
        implements Comparable<Call> {
      @Override
      public int compareTo(Call other) {
        return due != other.due
            ? Long.compare(due, other.due)
            : Integer.compare(number, other.number);
      }
    }

    private record Minted(
        TokenRequest identity, int call, long receivedAt, long expiresAt, int landedAtStep) {}

    private final class Upstream implements Executor {
      @Override
      public void execute(Runnable task) {
        upstreamCalls++;
        TokenRequest identity = asking;
        if (identity == null) {
          throw new AssertionError("a call that nobody asked for");
        }
        long latency = Duration.ofMillis(1 + random.nextInt(maxLatencySeconds * 1000)).toNanos();
        Call call = new Call(task, identity, nanos + latency, upstreamCalls, wall);
        if (underWay.put(identity, call) != null) {
          throw new AssertionError("two calls for one request at a time");
        }
        calls.add(call);
      }
    }

    /** Runs when the answer arrives; what it answers was decided when the call began. */
    private AccessToken upstream(TokenRequest request) {
      TokenRequest identity = request.identity();
      Call call = landing;
      if (call == null) {
        throw new AssertionError("no call under way");
      }
      int dice = random.nextInt(100);
      if (dice < failurePercent) {
        throw random.nextInt(10) == 0
            ? new IllegalStateException("broken")
            : new TokenUnavailableException(
                "down",
                random.nextBoolean() ? Reason.UNREACHABLE : Reason.THROTTLED,
                random.nextInt(5) == 0 ? Duration.ofSeconds(random.nextInt(600)) : null,
                null,
                null);
      }
      if (dice < failurePercent + denialPercent) {
        if (!detached.contains(call)) {
          deniedAtStep.put(identity, step);
        }
        throw new TokenDeniedException("no", Reason.INSTALLATION_SUSPENDED);
      }
      TokenRequest answered =
          dice >= 100 - confusionPercent ? requests.get(random.nextInt(requests.size())) : identity;
      long life =
          identity.nodeId().isEmpty()
              ? Duration.ofSeconds(470).toMillis()
              : Duration.ofHours(1).toMillis();
      String value = "token-" + call.number();
      AccessToken.Builder token =
          AccessToken.builder(
                  answered.appId(), Secret.of(value), Instant.ofEpochMilli(call.startedAt() + life))
              .issuedAt(Instant.ofEpochMilli(wall));
      answered.nodeId().ifPresent(token::nodeId);
      minted.put(value, new Minted(identity, call.number(), wall, call.startedAt() + life, step));
      return token.build();
    }

    void run(int steps) {
      for (step = 0; step < steps; step++) {
        try {
          oneStep();
          if (broken != null) {
            throw broken;
          }
        } catch (AssertionError | RuntimeException e) {
          throw new AssertionError("seed " + seed + ", step " + step, e);
        }
      }
      failurePercent = 0;
      denialPercent = 0;
      while (!calls.isEmpty()) {
        advance(Duration.ofSeconds(10));
      }
      assertThat(waiting).as("nobody waits forever").isEmpty();
      cache.close();
    }

    private void oneStep() {
      int dice = random.nextInt(1000);
      if (dice < 600) {
        ask(anyRequest());
      } else if (dice < 640) {
        ask(anyRequest().withMinRemaining(Duration.ofSeconds(random.nextInt(4000))));
      } else if (dice < 645) {
        ask(anyRequest().fresh());
      } else if (dice < 650) {
        invalidate(anyRequest());
      } else if (dice < 670) {
        reject();
      } else if (dice < 680) {
        changeUpstream();
      } else if (dice < 682) {
        jump();
      } else if (dice < 684) {
        freeze();
      } else if (dice < 900) {
        advance(Duration.ofMillis(random.nextInt(2_000)));
      } else {
        advance(Duration.ofSeconds(random.nextInt(60)));
      }
    }

    private void ask(TokenRequest request) {
      asking = request.identity();
      CompletableFuture<AccessToken> answer = cache.getTokenAsync(request);
      asking = null;
      int askedAt = step;
      if (answer.isDone()) {
        check(request, answer, askedAt, true);
      } else {
        waiting.add(answer);
        answer.whenComplete(
            (token, failure) -> {
              waiting.remove(answer);
              try {
                check(request, answer, askedAt, false);
              } catch (AssertionError e) {
                broken = e;
              }
            });
      }
    }

    private void check(
        TokenRequest request, CompletableFuture<AccessToken> answer, int askedAt, boolean hit) {
      if (answer.isCompletedExceptionally()) {
        answer.handle(
            (token, failure) -> {
              Throwable cause = failure.getCause() == null ? failure : failure.getCause();
              if (failure instanceof TokenDeniedException
                  || cause instanceof TokenDeniedException) {
                denialsSeen++;
              } else {
                failuresSeen++;
              }
              return 0;
            });
        return;
      }
      AccessToken token = answer.join();
      served++;
      Minted origin = minted.get(token.secret().reveal());
      if (origin == null) {
        throw new AssertionError("a token that was never minted");
      }
      require(
          origin.identity().equals(request.identity())
              && token.appId() == request.appId()
              && token.nodeId().equals(request.nodeId()),
          "another request's token");
      long remaining = token.expirationTime().toEpochMilli() - wall;
      long life = origin.expiresAt() - origin.receivedAt();
      require(remaining > 0, "an expired token");
      require(wall >= origin.receivedAt() - 60_000, "a token of unknown age");
      require(remaining >= Math.min(EXPIRY_MARGIN, life / 3), "less life than the margin");
      require(
          request.minRemaining().isEmpty() || remaining >= request.minRemaining().get().toMillis(),
          "less life than asked for");
      require(!banned.contains(token), "a token that GitHub has rejected");
      if (request.isFresh()) {
        require(origin.landedAtStep() >= askedAt, "an old token for who wants a fresh one");
      }
      if (hit) {
        Integer denied = deniedAtStep.get(request.identity());
        require(denied == null || origin.landedAtStep() >= denied, "a token from before a denial");
        require(
            origin.call() > invalidatedAtCall.getOrDefault(request.identity(), 0),
            "a token from before an invalidation");
      }
      if (servedTokens.size() < 1000) {
        servedTokens.add(token);
      } else {
        servedTokens.set(random.nextInt(1000), token);
      }
      servedFor.put(token, request);
    }

    private static void require(boolean promise, String broken) {
      if (!promise) {
        throw new AssertionError("served " + broken);
      }
    }

    private TokenRequest anyRequest() {
      return requests.get(random.nextInt(requests.size()));
    }

    private void invalidate(TokenRequest request) {
      cache.invalidate(request);
      invalidatedAtCall.put(request, upstreamCalls);
      deniedAtStep.remove(request);
      Call call = underWay.remove(request);
      if (call != null) {
        detached.add(call);
      }
    }

    private void reject() {
      if (!servedTokens.isEmpty()) {
        AccessToken token =
            servedTokens.get(
                servedTokens.size() - 1 - random.nextInt(Math.min(servedTokens.size(), 20)));
        TokenRequest request = servedFor.get(token);
        if (request != null) {
          cache.rejected(request, token);
        }
      }
    }

    private void changeUpstream() {
      failurePercent = random.nextInt(3) == 0 ? random.nextInt(101) : 0;
      denialPercent = random.nextInt(4) == 0 ? random.nextInt(101 - failurePercent) : 0;
      confusionPercent = random.nextInt(10) == 0 ? 5 : 0;
      maxLatencySeconds = random.nextInt(4) == 0 ? 100 : 2;
    }

    /** Someone sets the clock, from an hour back to a day ahead. */
    private void jump() {
      clockJumps++;
      wall += Duration.ofMinutes(random.nextInt(25 * 60) - 60).toMillis();
    }

    /** The process is frozen: time goes by and the monotonic clock does not notice. */
    private void freeze() {
      clockJumps++;
      wall += Duration.ofMinutes(random.nextInt(120)).toMillis();
    }

    private void advance(Duration duration) {
      long end = nanos + duration.toNanos();
      for (Call next = calls.peek(); next != null && next.due() <= end; next = calls.peek()) {
        calls.remove();
        long passed = next.due() - nanos;
        nanos += passed;
        wall += Duration.ofNanos(passed).toMillis();
        landing = next;
        underWay.remove(next.identity(), next);
        next.task().run();
        landing = null;
        detached.remove(next);
      }
      wall += Duration.ofNanos(end - nanos).toMillis();
      nanos = end;
    }
  }
}
