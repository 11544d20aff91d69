package io.github.credentialmanager.sdk;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.JRE;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;

/** Whether callers on virtual threads give their carriers back while they wait. */
@Timeout(120)
class VirtualThreadsTest {
  private static final int KEYS = 20;

  @Nested
  @EnabledForJreRange(min = JRE.JAVA_21)
  class AsTheVirtualMachineSeesIt {
    private final ManualTime time = new ManualTime();
    private final LoopbackServer server = new LoopbackServer();
    private final CredentialManagerClient client =
        CredentialManagerClient.builder()
            .endpoint(server.url())
            .region(Region.US_EAST_1)
            .credentialsProvider(
                StaticCredentialsProvider.create(AwsBasicCredentials.create("AKIDEXAMPLE", "key")))
            .build();
    private final AtomicInteger calls = new AtomicInteger();

    /** Holds the server's answers back, so that who asks has to wait. */
    private volatile CountDownLatch answers = new CountDownLatch(0);

    @TempDir private Path directory;

    AsTheVirtualMachineSeesIt() {
      server.always(
          request -> {
            calls.incrementAndGet();
            await(answers);
            return LoopbackServer.Reply.json(
                "{\"appToken\":\"token-%d\",\"expirationTime\":\"%s\"}"
                    .formatted(calls.get(), time.instant().plus(Duration.ofHours(1))));
          });
      // Classes are loaded and initialised once, and that pins.
      client.getAppToken(1);
      try (CachingTokenProvider cache = cache(null)) {
        cache.getToken(TokenRequest.app(1));
      }
      calls.set(0);
    }

    @AfterEach
    void close() {
      client.close();
      server.close();
    }

    /** Without this the other tests would prove nothing. */
    @Test
    void aPinnedThreadIsNoticed() throws Exception {
      assertThat(
              pinnedWhile(
                  threads ->
                      threads
                          .submit(
                              () -> {
                                assertThat(Pinned.WAITED).isTrue();
                                return null;
                              })
                          .get()))
          .isNotEmpty();
    }

    @Test
    void tenThousandColdCallersShareACallAndPinNoCarrier() throws Exception {
      answers = new CountDownLatch(1);
      try (CachingTokenProvider cache = cache(null)) {
        assertThat(
                pinnedWhile(
                    threads -> {
                      CountDownLatch asking = new CountDownLatch(10_000);
                      List<Future<AccessToken>> tokens =
                          submit(
                              threads,
                              10_000,
                              i -> {
                                asking.countDown();
                                return cache.getToken(TokenRequest.app(1));
                              });
                      await(asking);
                      answers.countDown();
                      get(tokens);
                    }))
            .isEmpty();
      }
      assertThat(calls).hasValue(1);
    }

    @Test
    void manyColdKeysPinNoCarrierEvenIfTheCallsAreOnVirtualThreadsToo() throws Exception {
      answers = new CountDownLatch(1);
      ExecutorService executor = virtualThreads();
      try (CachingTokenProvider cache = cache(executor)) {
        assertThat(pinnedWhile(threads -> get(askForEachKey(cache, threads, answers)))).isEmpty();
      } finally {
        executor.shutdownNow();
      }
      assertThat(calls).hasValue(KEYS);
    }

    @Test
    void aCachedTokenPinsNoCarrier() throws Exception {
      try (CachingTokenProvider cache = cache(null)) {
        cache.getToken(TokenRequest.app(1));
        assertThat(
                pinnedWhile(
                    threads ->
                        get(submit(threads, 10_000, i -> cache.getToken(TokenRequest.app(1))))))
            .isEmpty();
      }
      assertThat(calls).hasValue(1);
    }

    @Test
    void refreshesPinNoCarrier() throws Exception {
      ExecutorService executor = virtualThreads();
      try (CachingTokenProvider cache = cache(executor)) {
        for (int key = 1; key <= KEYS; key++) {
          cache.getToken(TokenRequest.app(key));
        }
        time.advance(Duration.ofMinutes(50));
        answers = new CountDownLatch(1);
        assertThat(
                pinnedWhile(
                    threads -> {
                      get(submit(threads, 50 * KEYS, i -> cache.getToken(app(i))));
                      awaitCalls(2 * KEYS);
                      time.advance(Duration.ofMinutes(9));
                      get(askForEachKey(cache, threads, answers));
                    }))
            .isEmpty();
      } finally {
        executor.shutdownNow();
      }
      assertThat(calls).as("one call for each key, and one refresh").hasValue(2 * KEYS);
    }

    @Test
    void theClientItselfPinsNoCarrier() throws Exception {
      answers = new CountDownLatch(1);
      assertThat(
              pinnedWhile(
                  threads -> {
                    List<Future<AccessToken>> tokens =
                        submit(threads, KEYS, i -> client.getAppToken(1 + i));
                    awaitCalls(KEYS);
                    answers.countDown();
                    get(tokens);
                  }))
          .isEmpty();
    }

    private CachingTokenProvider cache(@Nullable ExecutorService executor) {
      CachingTokenProvider.Builder builder =
          CachingTokenProvider.builder(request -> client.getAppToken(request.appId())).clock(time);
      return (executor == null ? builder : builder.executor(executor)).build();
    }

    /** Until the server has so many requests, or this test's time is over. */
    private void awaitCalls(int count) {
      while (calls.get() < count && !Thread.currentThread().isInterrupted()) {
        Thread.onSpinWait();
      }
    }

    /** Fifty callers for each key, who all wait before anyone is answered. */
    private List<Future<AccessToken>> askForEachKey(
        CachingTokenProvider cache, ExecutorService threads, CountDownLatch answers) {
      CountDownLatch asking = new CountDownLatch(50 * KEYS);
      List<Future<AccessToken>> tokens =
          submit(
              threads,
              50 * KEYS,
              i -> {
                asking.countDown();
                return cache.getToken(app(i));
              });
      await(asking);
      answers.countDown();
      return tokens;
    }

    private interface Work {
      void doWith(ExecutorService threads) throws Exception;
    }

    /** The moments at which a virtual thread kept its carrier while it waited in code of ours. */
    private List<RecordedEvent> pinnedWhile(Work work) throws Exception {
      ExecutorService threads = virtualThreads();
      Path file = directory.resolve("pinned.jfr");
      try (Recording recording = new Recording()) {
        recording.enable("jdk.VirtualThreadPinned").withThreshold(Duration.ZERO).withStackTrace();
        recording.start();
        work.doWith(threads);
        recording.stop();
        recording.dump(file);
      } finally {
        threads.shutdownNow();
      }
      return RecordingFile.readAllEvents(file).stream().filter(this::isOurs).toList();
    }

    private boolean isOurs(RecordedEvent event) {
      return event.getStackTrace() == null
          || event.getStackTrace().getFrames().stream()
              .anyMatch(
                  frame -> frame.getMethod().getType().getName().contains("credentialmanager"));
    }
  }

  /** Before JDK 24 a thread that waits inside a monitor keeps its carrier. */
  @Test
  void noCodeOfOursTakesAMonitor() throws IOException {
    try (Stream<Path> sources = Files.walk(Path.of("src/main/java"))) {
      List<Path> files = sources.filter(file -> file.toString().endsWith(".java")).toList();
      assertThat(files).hasSizeGreaterThan(30);
      assertThat(files)
          .allSatisfy(
              file -> assertThat(file).content().doesNotContainPattern("\\bsynchronized\\b"));
    }
  }

  private static TokenRequest app(int i) {
    return TokenRequest.app(1 + i % KEYS);
  }

  /** Waits in its initialiser, which runs below a native frame. */
  private static final class Pinned {
    static final boolean WAITED;

    static {
      LockSupport.parkNanos(Duration.ofMillis(50).toNanos());
      WAITED = true;
    }
  }

  @FunctionalInterface
  private interface Question {
    AccessToken ask(int caller);
  }

  private static List<Future<AccessToken>> submit(
      ExecutorService threads, int callers, Question question) {
    List<Future<AccessToken>> tokens = new ArrayList<>();
    for (int i = 0; i < callers; i++) {
      int caller = i;
      Callable<AccessToken> task = () -> question.ask(caller);
      tokens.add(threads.submit(task));
    }
    return tokens;
  }

  private static void get(List<Future<AccessToken>> tokens) throws Exception {
    for (Future<AccessToken> token : tokens) {
      assertThat(token.get()).isNotNull();
    }
  }

  /** {@code Executors.newVirtualThreadPerTaskExecutor()}, which JDK 17 does not have. */
  private static ExecutorService virtualThreads() {
    try {
      return (ExecutorService)
          Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(e);
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(60, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
