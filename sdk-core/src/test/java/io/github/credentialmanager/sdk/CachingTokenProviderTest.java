package io.github.credentialmanager.sdk;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.sun.management.ThreadMXBean;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ForkJoinWorkerThread;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class CachingTokenProviderTest {
  private static final TokenRequest REQUEST = TokenRequest.installation(1001, "O_x");

  private final ManualTime time = new ManualTime();
  private final ManualExecutor background = new ManualExecutor();
  private final ScriptedProvider source = new ScriptedProvider(time);
  private final CachingTokenProvider cache = builder().executor(background).build();

  @AfterEach
  void close() {
    cache.close();
  }

  private CachingTokenProvider.Builder builder() {
    return CachingTokenProvider.builder(source)
        .clock(time)
        .nanoClock(time::nanos)
        .callbacks(Runnable::run)
        .random(new Random(1));
  }

  /** A call that has to wait for the source, on one thread. */
  private AccessToken get(TokenRequest request) {
    CompletableFuture<AccessToken> answer = cache.getTokenAsync(request);
    background.runAll();
    assertThat(answer).isDone();
    return answer.join();
  }

  private <T extends Throwable> T failure(TokenRequest request, Class<T> type) {
    CompletableFuture<AccessToken> answer = cache.getTokenAsync(request);
    background.runAll();
    assertThat(answer).isCompletedExceptionally();
    ExecutionException e = catchThrowableOfType(ExecutionException.class, answer::get);
    assertThat(e.getCause()).isInstanceOf(type);
    return requireNonNull(type.cast(e.getCause()));
  }

  private static String value(AccessToken token) {
    return token.secret().reveal();
  }

  private static TokenUnavailableException outage() {
    return new TokenUnavailableException("down", Reason.UNREACHABLE);
  }

  private static TokenDeniedException denial() {
    return new TokenDeniedException("no", Reason.INSTALLATION_SUSPENDED);
  }

  @Nested
  class WhileFresh {
    @Test
    void asksTheSourceOnce() {
      AccessToken first = get(REQUEST);
      time.advance(Duration.ofMinutes(43));
      assertThat(cache.getToken(REQUEST)).isSameAs(first);
      assertThat(cache.getTokenAsync(REQUEST)).isCompletedWithValue(first);
      assertThat(source.calls()).isEqualTo(1);
      assertThat(background.waiting()).isZero();
    }

    @Test
    void keepsRequestsThatDifferApart() {
      Scope read = Scope.builder().read("contents").build();
      Scope write = Scope.builder().write("contents").build();
      List<TokenRequest> requests =
          List.of(
              REQUEST,
              TokenRequest.app(1001),
              TokenRequest.app(1002),
              TokenRequest.installation(1002, "O_x"),
              TokenRequest.installation(1001, "O_X"),
              TokenRequest.installation(1001, "O_x", read),
              TokenRequest.installation(1001, "O_x", write));
      requests.forEach(CachingTokenProviderTest.this::get);
      assertThat(source.calls()).isEqualTo(requests.size());
      assertThat(requests.stream().map(cache::getToken).map(AccessToken::hash))
          .doesNotHaveDuplicates();
    }

    @Test
    void sharesATokenAmongRequestsThatMeanTheSame() {
      Scope one = Scope.builder().repositories("B", "a", "b").read("Issues").build();
      Scope other = Scope.builder().read("issues").repositories("A").repositories("b").build();
      get(TokenRequest.installation(1001, "O_x", one));
      cache.getToken(
          TokenRequest.installation(1001, "O_x", other).withTimeout(Duration.ofSeconds(1)));
      assertThat(source.calls()).isEqualTo(1);
    }

    @Test
    void allocatesNothing() {
      TokenRequest request = REQUEST.withMinRemaining(Duration.ofMinutes(5));
      get(request);
      ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      int calls = 100_000;
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < calls; i++) {
        cache.getToken(request);
      }
      // The JVM itself allocates a little while it compiles; no object is smaller than 8 bytes.
      assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(calls);
    }
  }

  @Nested
  class OnceStale {
    @Test
    void answersAtOnceWithTheOldToken() {
      AccessToken old = get(REQUEST);
      time.advance(Duration.ofMinutes(47));
      assertThat(cache.getToken(REQUEST)).isSameAs(old);
    }

    @Test
    void refreshesOnceHoweverManyAsk() {
      get(REQUEST);
      time.advance(Duration.ofMinutes(47));
      for (int i = 0; i < 100; i++) {
        cache.getToken(REQUEST);
      }
      assertThat(background.waiting()).isEqualTo(1);
      background.runAll();
      assertThat(value(cache.getToken(REQUEST))).isEqualTo("token-2");
      assertThat(source.calls()).isEqualTo(2);
    }

    @Test
    void aRefreshedTokenLivesItsOwnFullLife() {
      get(REQUEST);
      time.advance(Duration.ofMinutes(47));
      cache.getToken(REQUEST);
      background.runAll();
      time.advance(Duration.ofMinutes(43));
      assertThat(value(cache.getToken(REQUEST))).isEqualTo("token-2");
      assertThat(background.waiting()).isZero();
    }

    @ParameterizedTest
    @CsvSource({"3600, 900", "470, 235"})
    void fallsDueSomewhereInATenthAroundTheMargin(long lifeSeconds, long marginSeconds) {
      source.life(Duration.ofSeconds(lifeSeconds));
      Random random = new Random(3);
      long[] dueBeforeEnd =
          IntStream.range(0, 1000)
              .mapToLong(
                  i -> {
                    HeldToken held =
                        HeldToken.of(
                            source.token(REQUEST, "t"),
                            time.millis(),
                            Duration.ofMinutes(15).toMillis(),
                            Duration.ofMinutes(2).toMillis(),
                            random);
                    return held.expiresAt() - held.refreshAt();
                  })
              .sorted()
              .toArray();
      assertThat(dueBeforeEnd[0]).isBetween(marginSeconds * 900, marginSeconds * 905);
      assertThat(dueBeforeEnd[999]).isBetween(marginSeconds * 1095, marginSeconds * 1100);
    }

    @Test
    void aTokenShorterThanTheMarginsIsFreshForAboutHalfItsLifeAndStaleUntilItsLastThird() {
      source.life(Duration.ofSeconds(60));
      get(REQUEST);
      time.advance(Duration.ofSeconds(26));
      cache.getToken(REQUEST);
      assertThat(background.waiting()).isZero();
      time.advance(Duration.ofSeconds(8));
      assertThat(value(cache.getToken(REQUEST))).isEqualTo("token-1");
      assertThat(background.waiting()).isEqualTo(1);
      time.advance(Duration.ofSeconds(6));
      assertThat(cache.getTokenAsync(REQUEST)).isNotDone();
    }

    @Test
    void theAppsOwnTokenKeepsTheWholeExpiryMargin() {
      source.life(Duration.ofSeconds(470));
      get(REQUEST);
      time.advance(Duration.ofSeconds(349));
      assertThat(value(cache.getToken(REQUEST))).isEqualTo("token-1");
      time.advance(Duration.ofSeconds(1));
      assertThat(cache.getTokenAsync(REQUEST)).isNotDone();
    }
  }

  @Nested
  class WithTheDefaultCallbacks {
    /** On two processors CompletableFuture of JDK 17 would start a thread for each caller. */
    @Test
    void completesInTheCommonPool() {
      try (CachingTokenProvider plain =
          CachingTokenProvider.builder(source).clock(time).executor(background).build()) {
        CompletableFuture<Thread> thread =
            plain.getTokenAsync(REQUEST).thenApply(token -> Thread.currentThread());
        background.runAll();
        assertThat(thread.orTimeout(20, TimeUnit.SECONDS).join())
            .isInstanceOf(ForkJoinWorkerThread.class);
      }
    }

    /** The thread that notices would be the one that every timeout of the process waits for. */
    @Test
    void timesOutInTheCommonPool() {
      try (CachingTokenProvider plain =
          CachingTokenProvider.builder(source).clock(time).executor(background).build()) {
        CompletableFuture<Thread> thread =
            plain
                .getTokenAsync(REQUEST.withTimeout(Duration.ofMillis(50)))
                .handle((token, failure) -> Thread.currentThread());
        assertThat(thread.orTimeout(20, TimeUnit.SECONDS).join())
            .isInstanceOf(ForkJoinWorkerThread.class);
      }
    }
  }

  @Nested
  class OnceExpired {
    @Test
    void neverReturnsTheOldToken() {
      get(REQUEST);
      time.advance(Duration.ofMinutes(58));
      CompletableFuture<AccessToken> answer = cache.getTokenAsync(REQUEST);
      assertThat(answer).isNotDone();
      background.runAll();
      assertThat(value(answer.join())).isEqualTo("token-2");
    }

    @Test
    void returnsItUntilTheLastMillisecondBefore() {
      get(REQUEST);
      time.advance(Duration.ofMinutes(58).minusMillis(1));
      assertThat(value(cache.getToken(REQUEST))).isEqualTo("token-1");
    }

    @Test
    void showsTheFailureOfTheSource() {
      get(REQUEST);
      time.advance(Duration.ofMinutes(59));
      source.next(outage());
      assertThat(failure(REQUEST, TokenUnavailableException.class)).hasMessage("down");
    }

    @Test
    void isDecidedByTheWallClockWhileTheOtherStandsStill() {
      get(REQUEST);
      time.set(ManualTime.START.plus(Duration.ofMinutes(58)));
      assertThat(cache.getTokenAsync(REQUEST)).isNotDone();
    }

    @Test
    void countsATokenAsExpiredIfTheClockWasSetBackBehindItsStart() {
      get(REQUEST);
      time.set(ManualTime.START.minus(Duration.ofHours(1)));
      assertThat(cache.getTokenAsync(REQUEST)).isNotDone();
    }

    @Test
    void takesAnAdjustmentOfTheClockForWhatItIs() {
      get(REQUEST);
      time.set(ManualTime.START.minus(Duration.ofSeconds(30)));
      assertThat(value(cache.getToken(REQUEST))).isEqualTo("token-1");
    }
  }

  @Nested
  class WhenARefreshFails {
    @Test
    void theOldTokenGoesOnServing() {
      AccessToken old = staleWithFailedRefresh(outage());
      assertThat(cache.getToken(REQUEST)).isSameAs(old);
    }

    @Test
    void theNextTryIsAfterHalfAMinuteThenLaterUpToFive() {
      source.life(Duration.ofDays(1));
      try (CachingTokenProvider patient =
          builder().executor(background).refreshMargin(Duration.ofHours(12)).build()) {
        CompletableFuture<AccessToken> first = patient.getTokenAsync(REQUEST);
        background.runAll();
        time.advance(Duration.ofHours(14));
        List<Long> gaps = new ArrayList<>();
        for (int failures = 1; failures <= 7; failures++) {
          source.next(outage());
          assertThat(patient.getToken(REQUEST)).isSameAs(first.join());
          background.runAll();
          long gap = 0;
          while (background.waiting() == 0) {
            time.advance(Duration.ofSeconds(1));
            gap++;
            patient.getToken(REQUEST);
          }
          gaps.add(gap);
        }
        assertThat(gaps.get(0)).isBetween(27L, 33L);
        assertThat(gaps.get(1)).isBetween(54L, 66L);
        assertThat(gaps.get(2)).isBetween(108L, 132L);
        assertThat(gaps.get(3)).isBetween(216L, 264L);
        assertThat(gaps.subList(4, 7)).allSatisfy(gap -> assertThat(gap).isBetween(270L, 330L));
      }
    }

    @Test
    void theDelayIsClampedHoweverManyFailuresThereWere() {
      Random random = new Random(5);
      for (int failures : new int[] {5, 58, 64, 65, 1_000_000, Integer.MAX_VALUE}) {
        assertThat(Backoff.tenthJitterMillis(30_000, 300_000, failures, random))
            .isBetween(270_000L, 330_000L);
      }
    }

    @Test
    void aRetryAfterIsHonoured() {
      staleWithFailedRefresh(
          new TokenUnavailableException(
              "slow down", Reason.THROTTLED, Duration.ofMinutes(8), null, null));
      time.advance(Duration.ofMinutes(8).minusSeconds(1));
      cache.getToken(REQUEST);
      assertThat(background.waiting()).isZero();
      time.advance(Duration.ofSeconds(1));
      cache.getToken(REQUEST);
      assertThat(background.waiting()).isEqualTo(1);
    }

    @Test
    void whoHasNoTokenIsNotMadeToWaitForTheNextTry() {
      source.next(outage());
      failure(REQUEST, TokenUnavailableException.class);
      assertThat(value(get(REQUEST))).isEqualTo("token-2");
    }

    @Test
    void throttlingIsNoDenialWhateverAProviderCallsIt() {
      AccessToken old =
          staleWithFailedRefresh(new TokenDeniedException("slow down", Reason.THROTTLED));
      assertThat(cache.getToken(REQUEST)).isSameAs(old);
    }

    @ParameterizedTest
    @ValueSource(classes = {IllegalStateException.class, NullPointerException.class})
    void aProviderThatBreaksIsAFailureToo(Class<? extends RuntimeException> type) throws Exception {
      source.next(type.getConstructor(String.class).newInstance("oops"));
      assertThat(failure(REQUEST, TokenUnavailableException.class)).hasRootCauseInstanceOf(type);
      assertThat(value(get(REQUEST))).isEqualTo("token-2");
    }

    @Test
    void aTokenThatArrivesDeadIsAFailureToo() {
      source.life(Duration.ofSeconds(-1));
      assertThat(failure(REQUEST, TokenUnavailableException.class))
          .hasMessageContaining("clock")
          .hasMessageNotContaining("token-1");
    }

    @Test
    void aTokenForSomeoneElseIsNotHandedOut() {
      source.next(request -> source.token(TokenRequest.installation(1001, "O_other"), "t"));
      assertThat(failure(REQUEST, TokenUnavailableException.class).reason())
          .isEqualTo(Reason.UNEXPECTED_ANSWER);
      source.next(request -> source.token(TokenRequest.installation(1002, "O_x"), "t"));
      assertThat(failure(REQUEST, TokenUnavailableException.class).reason())
          .isEqualTo(Reason.UNEXPECTED_ANSWER);
    }

    @Test
    void anOutageIsLoggedOnceWithTheHashAndNotTheToken() {
      PrintStream before = System.err;
      ByteArrayOutputStream log = new ByteArrayOutputStream();
      System.setErr(new PrintStream(log, true, StandardCharsets.UTF_8));
      try {
        TokenRequest other = TokenRequest.installation(1001, "O_y");
        AccessToken token = get(REQUEST);
        get(other);
        time.advance(Duration.ofMinutes(47));
        for (int i = 0; i < 3; i++) {
          source.next(outage()).next(outage());
          cache.getToken(REQUEST);
          cache.getToken(other);
          background.runAll();
          time.advance(Duration.ofSeconds(150));
        }
        String text = log.toString(StandardCharsets.UTF_8);
        assertThat(text.lines().filter(line -> line.contains("WARN"))).hasSize(1);
        assertThat(text).contains(token.hash(), "UNREACHABLE").doesNotContain("token-");
        cache.getToken(REQUEST);
        background.runAll();
        assertThat(log.toString(StandardCharsets.UTF_8)).contains("again");
      } finally {
        System.setErr(before);
      }
    }

    private AccessToken staleWithFailedRefresh(RuntimeException failure) {
      AccessToken old = get(REQUEST);
      time.advance(Duration.ofMinutes(47));
      source.next(failure);
      cache.getToken(REQUEST);
      background.runAll();
      assertThat(source.calls()).isEqualTo(2);
      return old;
    }
  }

  @Nested
  class WhenDenied {
    @Test
    void theTokenIsDroppedAtOnce() {
      get(REQUEST);
      time.advance(Duration.ofMinutes(47));
      source.next(denial());
      cache.getToken(REQUEST);
      background.runAll();
      assertThat(failure(REQUEST, TokenDeniedException.class).reason())
          .isEqualTo(Reason.INSTALLATION_SUSPENDED);
    }

    @Test
    void theDenialIsRepeatedForAMinute() {
      source.next(denial());
      TokenDeniedException first = failure(REQUEST, TokenDeniedException.class);
      time.advance(Duration.ofSeconds(59));
      TokenDeniedException later = failure(REQUEST, TokenDeniedException.class);
      assertThat(later).isNotSameAs(first).hasMessage("no").hasRootCauseMessage("no");
      assertThat(source.calls()).isEqualTo(1);
      time.advance(Duration.ofSeconds(1));
      assertThat(value(get(REQUEST))).isEqualTo("token-2");
    }

    @Test
    void otherRequestsAreNotConcerned() {
      source.next(denial());
      failure(REQUEST, TokenDeniedException.class);
      get(TokenRequest.installation(1001, "O_y"));
    }

    @Test
    void whoAsksForAFreshTokenAsksTheSource() {
      source.next(denial());
      failure(REQUEST, TokenDeniedException.class);
      assertThat(value(get(REQUEST.fresh()))).isEqualTo("token-2");
      assertThat(value(cache.getToken(REQUEST))).isEqualTo("token-2");
    }

    @Test
    void invalidatingForgetsIt() {
      source.next(denial());
      failure(REQUEST, TokenDeniedException.class);
      cache.invalidate(REQUEST);
      get(REQUEST);
    }
  }

  @Nested
  class WhenATokenIsRejected {
    @Test
    void theNextCallerGetsAnother() {
      AccessToken old = get(REQUEST);
      cache.rejected(REQUEST, old);
      assertThat(value(get(REQUEST))).isEqualTo("token-2");
      assertThat(source.rejectedTokens()).containsExactly(old);
    }

    @Test
    void aTokenThatWasReplacedMeanwhileChangesNothing() {
      AccessToken old = get(REQUEST);
      get(REQUEST.fresh());
      cache.rejected(REQUEST, old);
      assertThat(value(cache.getToken(REQUEST))).isEqualTo("token-2");
      assertThat(source.rejectedTokens()).isEmpty();
    }

    @Test
    void itCostsAtMostOneTokenInHalfAMinute() {
      cache.rejected(REQUEST, get(REQUEST));
      AccessToken second = get(REQUEST);
      cache.rejected(REQUEST, second);
      assertThat(cache.getToken(REQUEST)).isSameAs(second);
      time.advance(Duration.ofSeconds(30));
      cache.rejected(REQUEST, second);
      assertThat(value(get(REQUEST))).isEqualTo("token-3");
    }

    @Test
    void otherKeysHaveTheirOwnHalfMinute() {
      TokenRequest other = TokenRequest.installation(1001, "O_y");
      AccessToken mine = get(REQUEST);
      AccessToken theirs = get(other);
      cache.rejected(REQUEST, mine);
      cache.rejected(other, theirs);
      assertThat(cache.getTokenAsync(REQUEST)).isNotDone();
      assertThat(cache.getTokenAsync(other)).isNotDone();
    }
  }

  @Nested
  class WithMinRemaining {
    @Test
    void aTokenThatIsTooShortIsReplaced() {
      get(REQUEST);
      time.advance(Duration.ofMinutes(20));
      assertThat(value(get(REQUEST.withMinRemaining(Duration.ofMinutes(50))))).isEqualTo("token-2");
      assertThat(value(cache.getToken(REQUEST))).isEqualTo("token-2");
    }

    @Test
    void aTokenThatIsLongEnoughIsNot() {
      AccessToken first = get(REQUEST);
      time.advance(Duration.ofMinutes(10));
      assertThat(cache.getToken(REQUEST.withMinRemaining(Duration.ofMinutes(50)))).isSameAs(first);
    }

    @Test
    void moreThanATokenLivesIsRefusedWithoutASecondCall() {
      TokenRequest greedy = REQUEST.withMinRemaining(Duration.ofMinutes(90));
      TokenDeniedException e = failure(greedy, TokenDeniedException.class);
      assertThat(e.reason()).isEqualTo(Reason.INVALID_REQUEST);
      assertThat(e).hasMessageContaining("PT1H30M");
      failure(greedy, TokenDeniedException.class);
      assertThat(source.calls()).isEqualTo(1);
      time.advance(Duration.ofSeconds(30));
      failure(greedy, TokenDeniedException.class);
      assertThat(source.calls()).isEqualTo(2);
    }

    @Test
    void othersAreServedAfterSuchARefusal() {
      failure(REQUEST.withMinRemaining(Duration.ofMinutes(90)), TokenDeniedException.class);
      assertThat(value(cache.getToken(REQUEST))).isEqualTo("token-1");
    }
  }

  @Nested
  class WhenAskedForAFreshToken {
    @Test
    void theOneInMemoryIsReplaced() {
      get(REQUEST);
      assertThat(value(get(REQUEST.fresh()))).isEqualTo("token-2");
      assertThat(value(cache.getToken(REQUEST))).isEqualTo("token-2");
      assertThat(source.asked())
          .last()
          .satisfies(request -> assertThat(request.isFresh()).isTrue());
    }

    @Test
    void aCallUnderWayIsShared() {
      CompletableFuture<AccessToken> first = cache.getTokenAsync(REQUEST);
      CompletableFuture<AccessToken> second = cache.getTokenAsync(REQUEST.fresh());
      background.runAll();
      assertThat(first.join()).isSameAs(second.join());
    }
  }

  @Nested
  class AfterInvalidation {
    @Test
    void theNextCallerGetsAnother() {
      get(REQUEST);
      cache.invalidate(REQUEST.withTimeout(Duration.ofSeconds(1)));
      assertThat(value(get(REQUEST))).isEqualTo("token-2");
    }

    @Test
    void aCallThatBeganBeforeReachesThoseWhoWaitAndNobodyElse() {
      CompletableFuture<AccessToken> before = cache.getTokenAsync(REQUEST);
      cache.invalidate(REQUEST);
      CompletableFuture<AccessToken> after = cache.getTokenAsync(REQUEST);
      background.runAll();
      assertThat(value(before.join())).isEqualTo("token-1");
      assertThat(value(after.join())).isEqualTo("token-2");
      assertThat(value(cache.getToken(REQUEST))).isEqualTo("token-2");
    }
  }

  @Nested
  class WhileACallIsUnderWay {
    @Test
    void itsAnswerIsNotRememberedAfterAnInvalidation() {
      CompletableFuture<AccessToken> before = cache.getTokenAsync(REQUEST);
      cache.invalidate(REQUEST);
      background.runAll();
      assertThat(value(before.join())).isEqualTo("token-1");
      assertThat(value(get(REQUEST))).isEqualTo("token-2");
    }

    @Test
    void itsAnswerIsNotRememberedIfItCameAfterThatOfItsSuccessor() {
      CompletableFuture<AccessToken> overdue = cache.getTokenAsync(REQUEST);
      time.advance(Duration.ofMinutes(2).plusNanos(1));
      cache.getTokenAsync(REQUEST);
      background.runLast();
      background.runAll();
      assertThat(value(overdue.join())).isEqualTo("token-2");
      assertThat(value(cache.getToken(REQUEST))).isEqualTo("token-1");
    }

    @Test
    void whoGivesUpDoesNotEndItForTheOthers() {
      CompletableFuture<AccessToken> impatient = cache.getTokenAsync(REQUEST);
      CompletableFuture<AccessToken> patient = cache.getTokenAsync(REQUEST);
      impatient.cancel(true);
      background.runAll();
      assertThat(impatient).isCancelled();
      assertThat(value(patient.join())).isEqualTo("token-1");
    }

    @Test
    void whoCompletesAFutureConcernsNobodyElse() {
      CompletableFuture<AccessToken> mine = cache.getTokenAsync(REQUEST);
      CompletableFuture<AccessToken> theirs = cache.getTokenAsync(REQUEST);
      mine.complete(source.token(REQUEST, "forged"));
      background.runAll();
      assertThat(value(theirs.join())).isEqualTo("token-1");
      assertThat(value(cache.getToken(REQUEST))).isEqualTo("token-1");
    }

    @Test
    void eachHasADeadlineOfItsOwn() {
      TokenRequest hasty = REQUEST.withTimeout(Duration.ofMillis(50));
      CompletableFuture<AccessToken> patient = cache.getTokenAsync(REQUEST);
      assertThatExceptionOfType(TokenUnavailableException.class)
          .isThrownBy(() -> cache.getToken(hasty))
          .withMessageContaining("PT0.05S")
          .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.TIMEOUT));
      assertThat(cache.getTokenAsync(hasty))
          .failsWithin(Duration.ofSeconds(30))
          .withThrowableOfType(ExecutionException.class)
          .withCauseInstanceOf(TokenUnavailableException.class);
      background.runAll();
      assertThat(value(patient.join())).isEqualTo("token-1");
    }

    @Test
    void anInterruptedCallerStaysInterrupted() {
      Thread.currentThread().interrupt();
      assertThatExceptionOfType(TokenUnavailableException.class)
          .isThrownBy(() -> cache.getToken(REQUEST))
          .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.INTERRUPTED));
      assertThat(Thread.interrupted()).isTrue();
      background.runAll();
      assertThat(value(cache.getToken(REQUEST))).isEqualTo("token-1");
    }

    @Test
    void oneThatIsLostIsReplaced() {
      CompletableFuture<AccessToken> lost = cache.getTokenAsync(REQUEST);
      time.advance(Duration.ofMinutes(2).plusNanos(1));
      cache.getTokenAsync(REQUEST);
      assertThat(background.waiting()).isEqualTo(2);
      assertThat(lost).isNotDone();
    }

    @Test
    void anEvictedKeyStillHasOnlyOne() {
      try (CachingTokenProvider small = builder().executor(background).maximumSize(1).build()) {
        List<CompletableFuture<AccessToken>> answers = new ArrayList<>();
        for (int round = 0; round < 3; round++) {
          for (int i = 0; i < 50; i++) {
            answers.add(small.getTokenAsync(TokenRequest.installation(1, "O_" + i)));
          }
        }
        background.runAll();
        assertThat(answers).allSatisfy(answer -> assertThat(answer).isDone());
        assertThat(source.calls()).isEqualTo(50);
      }
    }

    @Test
    void anExecutorThatTakesNoMoreWorkIsAFailure() {
      try (CachingTokenProvider full =
          builder()
              .executor(
                  task -> {
                    throw new RejectedExecutionException();
                  })
              .build()) {
        assertThatExceptionOfType(TokenUnavailableException.class)
            .isThrownBy(() -> full.getToken(REQUEST))
            .withMessageContaining("executor");
      }
    }
  }

  @Nested
  class WithManyThreads {
    @Test
    void concurrentFirstCallersShareOneCall() throws Exception {
      AtomicInteger calls = new AtomicInteger();
      CountDownLatch answer = new CountDownLatch(1);
      ExecutorService threads = Executors.newFixedThreadPool(64);
      try (CachingTokenProvider shared =
          CachingTokenProvider.builder(
                  request -> {
                    calls.incrementAndGet();
                    await(answer);
                    return source.token(request, "t");
                  })
              .clock(time)
              .build()) {
        List<Future<AccessToken>> answers = new ArrayList<>();
        for (int i = 0; i < 64; i++) {
          answers.add(threads.submit(() -> shared.getToken(REQUEST)));
        }
        waitUntil(() -> calls.get() > 0);
        answer.countDown();
        AccessToken first = answers.get(0).get();
        for (Future<AccessToken> each : answers) {
          assertThat(each.get()).isSameAs(first);
        }
        assertThat(calls).hasValue(1);
      } finally {
        threads.shutdownNow();
      }
    }

    @Test
    void aThousandKeysWithFiftyCallersEachAreAThousandCalls() throws Exception {
      AtomicInteger calls = new AtomicInteger();
      ExecutorService threads = Executors.newFixedThreadPool(50);
      try (CachingTokenProvider shared =
          CachingTokenProvider.builder(
                  request -> {
                    calls.incrementAndGet();
                    return source.token(request, "t");
                  })
              .clock(time)
              .build()) {
        List<Future<?>> callers = new ArrayList<>();
        for (int caller = 0; caller < 50; caller++) {
          callers.add(
              threads.submit(
                  () ->
                      IntStream.rangeClosed(1, 1_000)
                          .forEach(i -> shared.getToken(TokenRequest.app(i)))));
        }
        for (Future<?> caller : callers) {
          caller.get();
        }
        assertThat(calls).hasValue(1_000);
      } finally {
        threads.shutdownNow();
      }
    }

    @Test
    void aSlowKeyDelaysNoOther() {
      CountDownLatch never = new CountDownLatch(1);
      try (CachingTokenProvider shared =
          CachingTokenProvider.builder(
                  request -> {
                    if (request.appId() == 1) {
                      await(never);
                    }
                    return source.token(request, "t");
                  })
              .clock(time)
              .build()) {
        CompletableFuture<AccessToken> slow = shared.getTokenAsync(TokenRequest.app(1));
        for (int i = 2; i < 200; i++) {
          shared.getToken(TokenRequest.app(i));
        }
        assertThat(slow).isNotDone();
        never.countDown();
      }
    }

    /** google-auth-library-java#692: who is woken too early asks once more. */
    @Test
    void whoIsWokenFindsTheTokenInMemory() {
      AtomicInteger misses = new AtomicInteger();
      TokenListener listener =
          new TokenListener() {
            @Override
            public void onMiss(TokenRequest request) {
              misses.incrementAndGet();
            }
          };
      try (CachingTokenProvider observed =
          builder().executor(background).listener(listener).build()) {
        CompletableFuture<AccessToken> again =
            observed.getTokenAsync(REQUEST).thenCompose(token -> observed.getTokenAsync(REQUEST));
        background.runAll();
        assertThat(value(again.join())).isEqualTo("token-1");
        assertThat(misses).hasValue(1);
      }
    }

    @Test
    void whatACallerHangsOnItsFutureDelaysNobody() {
      CountDownLatch asked = new CountDownLatch(1);
      CountDownLatch never = new CountDownLatch(1);
      try (CachingTokenProvider shared =
          CachingTokenProvider.builder(
                  request -> {
                    await(asked);
                    return source.token(request, "t");
                  })
              .clock(time)
              .build()) {
        CompletableFuture<Void> blocked =
            shared.getTokenAsync(REQUEST).thenAccept(token -> await(never));
        CompletableFuture<AccessToken> other = shared.getTokenAsync(REQUEST);
        asked.countDown();
        shared.getToken(REQUEST);
        assertThat(other).succeedsWithin(Duration.ofSeconds(30));
        assertThat(blocked).isNotDone();
        never.countDown();
      }
    }

    private void waitUntil(BooleanSupplier condition) {
      while (!condition.getAsBoolean() && !Thread.currentThread().isInterrupted()) {
        Thread.onSpinWait();
      }
    }

    private void await(CountDownLatch latch) {
      try {
        latch.await(30, TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  @Nested
  class WhenWarmedUp {
    @Test
    void allTokensAreThere() {
      List<TokenRequest> requests =
          IntStream.rangeClosed(1, 100).mapToObj(i -> TokenRequest.app(i)).toList();
      CompletableFuture<Void> warm = cache.warm(requests);
      background.runAll();
      assertThat(warm).isCompleted();
      requests.forEach(cache::getToken);
      assertThat(source.calls()).isEqualTo(100);
    }

    @Test
    void noMoreThanSixteenCallsAreUnderWay() {
      cache.warm(IntStream.rangeClosed(1, 100).mapToObj(i -> TokenRequest.app(i)).toList());
      assertThat(background.waiting()).isEqualTo(16);
    }

    @Test
    void aFailureIsToldAfterAllWereTried() {
      source.next(denial());
      List<TokenRequest> requests =
          IntStream.rangeClosed(1, 40).mapToObj(i -> TokenRequest.app(i)).toList();
      CompletableFuture<Void> warm = cache.warm(requests);
      background.runAll();
      assertThat(warm)
          .failsWithin(Duration.ZERO)
          .withThrowableOfType(ExecutionException.class)
          .withCauseInstanceOf(TokenDeniedException.class);
      assertThat(source.calls()).isEqualTo(40);
    }

    @Test
    void whatIsThereAlreadyIsNotAskedForHoweverMuchItIs() {
      get(REQUEST);
      assertThat(cache.warm(Collections.nCopies(100_000, REQUEST))).isCompleted();
      assertThat(source.calls()).isEqualTo(1);
    }

    @Test
    void nothingToDoIsDoneAtOnce() {
      assertThat(cache.warm(List.of())).isCompleted();
    }
  }

  @Nested
  class OnceClosed {
    @Test
    void whoWaitsAndWhoComesLaterIsRefused() {
      CompletableFuture<AccessToken> waiting = cache.getTokenAsync(REQUEST);
      cache.close();
      assertThat(waiting).isCompletedExceptionally();
      assertThatExceptionOfType(TokenDeniedException.class)
          .isThrownBy(() -> cache.getToken(REQUEST))
          .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.CLOSED));
      assertThat(source.isClosed()).isTrue();
    }

    @Test
    void nothingIsHandedOutFromMemory() {
      get(REQUEST);
      CompletableFuture<AccessToken> late = cache.getTokenAsync(REQUEST.fresh());
      cache.close();
      background.runAll();
      assertThat(late).isCompletedExceptionally();
      assertThatExceptionOfType(TokenDeniedException.class)
          .isThrownBy(() -> cache.getToken(REQUEST));
    }
  }

  @Nested
  class TheListener {
    private final List<String> heard = new ArrayList<>();

    @Test
    void hearsEverything() {
      try (CachingTokenProvider observed =
          builder().executor(Runnable::run).listener(new Recorder()).build()) {
        AccessToken token = observed.getToken(REQUEST);
        observed.getToken(REQUEST);
        observed.rejected(REQUEST, token);
        source.next(outage()).next(denial());
        assertThatExceptionOfType(TokenUnavailableException.class)
            .isThrownBy(() -> observed.getToken(REQUEST));
        assertThatExceptionOfType(TokenDeniedException.class)
            .isThrownBy(() -> observed.getToken(REQUEST));
      }
      assertThat(heard)
          .containsExactly(
              "miss",
              "refreshed",
              "waited",
              "hit",
              "rejected",
              "miss",
              "failed UNREACHABLE",
              "waited",
              "miss",
              "denied INSTALLATION_SUSPENDED",
              "waited");
    }

    @Test
    void mayFailWithoutHarm() {
      TokenListener broken =
          new TokenListener() {
            @Override
            public void onHit(TokenRequest request) {
              throw new IllegalStateException("listener");
            }

            @Override
            public void onRefreshed(TokenRequest request, AccessToken token, Duration took) {
              throw new IllegalStateException("listener");
            }
          };
      PrintStream before = System.err;
      ByteArrayOutputStream log = new ByteArrayOutputStream();
      System.setErr(new PrintStream(log, true, StandardCharsets.UTF_8));
      try (CachingTokenProvider observed =
          builder().executor(Runnable::run).listener(broken).build()) {
        assertThat(observed.getToken(REQUEST)).isSameAs(observed.getToken(REQUEST));
      } finally {
        System.setErr(before);
      }
      assertThat(log.toString(StandardCharsets.UTF_8).lines())
          .filteredOn(line -> line.contains("WARN"))
          .as("not for each lookup")
          .hasSize(1);
    }

    private final class Recorder implements TokenListener {
      @Override
      public void onHit(TokenRequest request) {
        heard.add("hit");
      }

      @Override
      public void onMiss(TokenRequest request) {
        heard.add("miss");
      }

      @Override
      public void onRefreshed(TokenRequest request, AccessToken token, Duration took) {
        heard.add("refreshed");
      }

      @Override
      public void onRefreshFailed(
          TokenRequest request, TokenUnavailableException failure, Duration took) {
        heard.add("failed " + failure.reason());
      }

      @Override
      public void onDenied(TokenRequest request, TokenDeniedException denial) {
        heard.add("denied " + denial.reason());
      }

      @Override
      public void onRejected(TokenRequest request, AccessToken token) {
        heard.add("rejected");
      }

      @Override
      public void onWaited(TokenRequest request, Duration waited) {
        heard.add("waited");
      }
    }
  }

  @Nested
  class OnceFull {
    private static final int SIZE = 100;

    private final AtomicInteger hits = new AtomicInteger();
    private final TokenListener counter =
        new TokenListener() {
          @Override
          public void onHit(TokenRequest request) {
            hits.incrementAndGet();
          }
        };

    private final CachingTokenProvider small =
        builder().executor(Runnable::run).maximumSize(SIZE).listener(counter).build();

    private final List<TokenRequest> others =
        IntStream.rangeClosed(1, 100 * SIZE).mapToObj(TokenRequest::app).toList();

    @AfterEach
    void close() {
      small.close();
    }

    @Test
    void holdsNoMoreThanItsSizeThoughTheRequestsAreKept() {
      for (TokenRequest other : others) {
        small.getToken(other);
        small.getToken(other);
      }
      assertThat(source.calls()).isEqualTo(others.size());
      assertThat(others.stream().filter(other -> requireNonNull(other.slot()).held() != null))
          .hasSizeLessThanOrEqualTo(SIZE);
    }

    @Test
    void forgetsWhatNobodyHoldsOnTo() {
      others.stream().map(TokenRequest::fresh).forEach(small::getToken);
      for (int i = 0; i < 500 && small.slotsInMemory() > SIZE; i++) {
        System.gc();
      }
      assertThat(small.slotsInMemory()).isLessThanOrEqualTo(SIZE);
    }

    @Test
    void holdsATokenThatCameAfterItsSlotWasEvicted() {
      ManualExecutor slow = new ManualExecutor();
      try (CachingTokenProvider cache =
          builder().executor(slow).maximumSize(SIZE).listener(counter).build()) {
        CompletableFuture<AccessToken> waiting = cache.getTokenAsync(REQUEST);
        others.forEach(cache::getTokenAsync);
        slow.runNext();
        assertThat(waiting).isCompleted();
        cache.getToken(TokenRequest.installation(1001, "O_x"));
        assertThat(hits).hasValue(1);
      }
    }

    @Test
    void keepsWhatIsInUse() {
      small.getToken(REQUEST);
      for (TokenRequest other : others) {
        small.getToken(other);
        small.getToken(REQUEST);
        time.advance(Duration.ofMillis(250));
      }
      hits.set(0);
      small.getToken(TokenRequest.installation(1001, "O_x"));
      assertThat(hits).hasValue(1);
    }
  }

  @Test
  void answersNobodyWithTheTokenOfAnotherCache() {
    ScriptedProvider otherSource = new ScriptedProvider(time);
    try (CachingTokenProvider other =
        CachingTokenProvider.builder(otherSource).clock(time).executor(Runnable::run).build()) {
      AccessToken mine = get(REQUEST);
      AccessToken theirs = other.getToken(REQUEST);
      for (int i = 0; i < 3; i++) {
        assertThat(cache.getToken(REQUEST)).isSameAs(mine);
        assertThat(other.getToken(REQUEST)).isSameAs(theirs);
      }
      assertThat(source.calls()).isEqualTo(1);
      assertThat(otherSource.calls()).isEqualTo(1);
    }
  }

  @Test
  void refusesMarginsThatMakeNoSense() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder().expiryMargin(Duration.ofMinutes(20)).build());
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder().refreshMargin(Duration.ofMinutes(-1)));
    assertThatIllegalArgumentException().isThrownBy(() -> builder().maximumSize(0));
    assertThatIllegalArgumentException().isThrownBy(() -> builder().timeout(Duration.ZERO));
  }
}
