package io.github.credentialmanager.sdk;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.stream.Collectors.joining;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.http.ExecutableHttpRequest;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.HttpExecuteResponse;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.auth.aws.signer.AwsV4HttpSigner;
import software.amazon.awssdk.http.auth.spi.signer.HttpSigner;
import software.amazon.awssdk.http.auth.spi.signer.SignedRequest;
import software.amazon.awssdk.identity.spi.AwsCredentialsIdentity;
import software.amazon.awssdk.identity.spi.IdentityProvider;
import software.amazon.awssdk.regions.Region;

/**
 * One signed call to a Function URL, tried again while that makes sense and there is time.
 *
 * <p>Tried again after a failed connection, a 5xx and a 429, with full jitter, and later if the
 * answer says {@code Retry-After}; at most {@link #MAX_ATTEMPTS} times, and never past the call's
 * deadline. A call refused while the server's {@code Date} is minutes away from this machine's
 * clock is signed once more with the server's time, which is kept for later calls.
 *
 * <p>Safe for use by multiple threads. Waits and reads without holding a lock.
 */
final class Transport implements AutoCloseable {
  static final int MAX_ATTEMPTS = 3;

  /** AWS Lambda quotas: the largest response of a synchronous invocation. */
  private static final int MAX_ANSWER_BYTES = 6 * 1024 * 1024;

  /** A longer wait is cut to this: no token lives longer, so nobody gains from waiting. */
  private static final Duration MAX_RETRY_AFTER = Duration.ofHours(1);

  private static final Duration ABORT_INTERVAL = Duration.ofMillis(100);
  private static final Duration BACKOFF_BASE = Duration.ofMillis(100);
  private static final Duration BACKOFF_CAP = Duration.ofSeconds(5);

  /** What does not get better within one call's time. */
  private static final Set<Reason> LASTING =
      EnumSet.of(Reason.APP_KEY_REJECTED, Reason.APP_KEY_UNAVAILABLE);

  /**
   * AWS refuses signatures more than 5 minutes off; from here on a refusal may be the clock's
   * fault.
   */
  private static final long SUSPICIOUS_SKEW_MILLIS = Duration.ofMinutes(4).toMillis();

  /** Waits between attempts; tests wait in virtual time. */
  @FunctionalInterface
  interface Sleeper {
    void sleep(Duration duration) throws InterruptedException;
  }

  /** A complete answer, of any status. */
  record Answer(int status, Map<String, List<String>> headers, byte[] body) {
    /** The first value of a header, in any case; null if there is none. */
    @Nullable String header(String name) {
      for (Map.Entry<String, List<String>> header : headers.entrySet()) {
        if (name.equalsIgnoreCase(header.getKey()) && !header.getValue().isEmpty()) {
          return header.getValue().get(0);
        }
      }
      return null;
    }

    /** All values of a header, in any case, as one; empty if there is none. */
    String joined(String name) {
      return headers.entrySet().stream()
          .filter(header -> name.equalsIgnoreCase(header.getKey()))
          .flatMap(header -> header.getValue().stream())
          .collect(joining(", "));
    }

    /** The first of these headers that has the form of a request id; null if none has. */
    @Nullable String requestId(String... names) {
      for (String name : names) {
        String id = header(name);
        if (id != null && WireFormat.REQUEST_ID.matcher(id).matches()) {
          return id;
        }
      }
      return null;
    }

    /**
     * {@code Retry-After}, seconds or a date (RFC 9110, section 10.2.3), at most an hour; null if
     * there is none.
     */
    @Nullable Duration retryAfter(Instant now) {
      String value = header("Retry-After");
      if (value == null) {
        return null;
      }
      try {
        return limited(
            value.strip().matches("\\d{1,9}")
                ? Duration.ofSeconds(Long.parseLong(value.strip()))
                : Duration.between(now, httpDate(value)));
      } catch (DateTimeParseException e) {
        return null;
      }
    }

    static @Nullable Duration limited(Duration wait) {
      if (wait.isNegative()) {
        return null;
      }
      return wait.compareTo(MAX_RETRY_AFTER) > 0 ? MAX_RETRY_AFTER : wait;
    }
  }

  private final SdkHttpClient http;
  private final IdentityProvider<? extends AwsCredentialsIdentity> credentials;
  private final InstantSource clock;
  private final Sleeper sleeper;
  private final RandomGenerator random;
  private final AwsV4HttpSigner signer = AwsV4HttpSigner.create();
  private final ScheduledThreadPoolExecutor deadlines;

  /** What to add to the clock to have the server's time. */
  private volatile long clockOffsetMillis;

  Transport(
      SdkHttpClient http,
      IdentityProvider<? extends AwsCredentialsIdentity> credentials,
      InstantSource clock,
      Sleeper sleeper,
      RandomGenerator random) {
    this.http = http;
    this.credentials = credentials;
    this.clock = clock;
    this.sleeper = sleeper;
    this.random = random;
    this.deadlines = new ScheduledThreadPoolExecutor(1, Transport::deadlineThread);
    deadlines.setRemoveOnCancelPolicy(true);
    deadlines.setKeepAliveTime(10, TimeUnit.SECONDS);
    deadlines.allowCoreThreadTimeOut(true);
  }

  /**
   * Calls an operation.
   *
   * @param body the JSON, or null to send none
   * @param wanted what the call is for, to begin a failure's message with
   * @return an answer with status 200
   * @throws TokenDeniedException if refused
   * @throws TokenUnavailableException if there was no answer in time
   */
  Answer call(
      Operation operation,
      URI url,
      Region region,
      byte @Nullable [] body,
      Duration timeout,
      String wanted) {
    Failures failures = new Failures(operation, url, wanted);
    String invocationId = UUID.randomUUID().toString();
    long deadline = System.nanoTime() + timeout.toNanos();
    boolean clockCorrected = false;
    for (int attempt = 1; ; attempt++) {
      SdkHttpRequest request = request(url, body, invocationId, attempt);
      TokenUnavailableException failure;
      try {
        Answer answer = send(request, body, region, deadline, failures);
        if (answer.status() == 200) {
          return answer;
        }
        if (answer.status() == 403 && !clockCorrected && correctClock(answer)) {
          clockCorrected = true;
          attempt--;
          continue;
        }
        failure = failures.unavailableOrThrow(answer, clock.instant());
      } catch (IOException e) {
        failure = failures.unreachable(e);
      }
      Duration pause = pause(attempt, failure);
      if (attempt >= MAX_ATTEMPTS
          || LASTING.contains(failure.reason())
          || pause.compareTo(remaining(deadline)) >= 0) {
        throw failure;
      }
      sleep(pause, failures);
    }
  }

  /** Ends its thread; what it was given stays open. */
  @Override
  public void close() {
    deadlines.shutdownNow();
  }

  /** The later of this machine's clock and the server's, as far as that is known. */
  InstantSource pessimisticClock() {
    return new InstantSource() {
      @Override
      public Instant instant() {
        return Instant.ofEpochMilli(millis());
      }

      @Override
      public long millis() {
        return clock.millis() + Math.max(0, clockOffsetMillis);
      }
    };
  }

  private SdkHttpRequest request(
      URI url, byte @Nullable [] body, String invocationId, int attempt) {
    SdkHttpRequest.Builder request =
        SdkHttpRequest.builder()
            .method(SdkHttpMethod.POST)
            .uri(url)
            .putHeader("User-Agent", "credential-manager-sdk-java")
            .putHeader("amz-sdk-invocation-id", invocationId)
            .putHeader("amz-sdk-request", "attempt=" + attempt + "; max=" + MAX_ATTEMPTS);
    if (body != null) {
      request
          .putHeader("Content-Type", "application/json")
          .putHeader("Content-Length", Integer.toString(body.length));
    }
    return request.build();
  }

  private Answer send(
      SdkHttpRequest request,
      byte @Nullable [] body,
      Region region,
      long deadline,
      Failures failures)
      throws IOException {
    SignedRequest signed =
        sign(request, body == null ? new byte[0] : body, region, deadline, failures);
    HttpExecuteRequest.Builder execute = HttpExecuteRequest.builder().request(signed.request());
    if (body != null) {
      // For an empty one the URL connection would add a content type of its own, which the server
      // refuses.
      signed.payload().ifPresent(execute::contentStreamProvider);
    }
    ExecutableHttpRequest call = http.prepareRequest(execute.build());
    AtomicBoolean late = new AtomicBoolean();
    // Repeated, because the URL connection ignores it until it is connected.
    ScheduledFuture<?> abort =
        deadlines.scheduleWithFixedDelay(
            () -> {
              late.set(true);
              call.abort();
            },
            remaining(deadline).toNanos(),
            ABORT_INTERVAL.toNanos(),
            TimeUnit.NANOSECONDS);
    Answer head = null;
    try {
      HttpExecuteResponse response = call.call();
      head =
          new Answer(
              response.httpResponse().statusCode(), response.httpResponse().headers(), new byte[0]);
      try (InputStream in =
          response
              .responseBody()
              .<InputStream>map(stream -> stream)
              .orElseGet(() -> new ByteArrayInputStream(new byte[0]))) {
        byte[] answer = in.readNBytes(MAX_ANSWER_BYTES + 1);
        if (answer.length > MAX_ANSWER_BYTES) {
          call.abort();
          throw failures.unexpected("an answer of more than " + MAX_ANSWER_BYTES + " bytes", head);
        }
        return new Answer(head.status(), head.headers(), answer);
      }
    } catch (IOException | RuntimeException e) {
      if (late.get()) {
        throw failures.timeout(e, head);
      }
      throw e;
    } finally {
      abort.cancel(false);
    }
  }

  private SignedRequest sign(
      SdkHttpRequest request, byte[] body, Region region, long deadline, Failures failures) {
    AwsCredentialsIdentity identity;
    try {
      identity =
          credentials.resolveIdentity().get(remaining(deadline).toNanos(), TimeUnit.NANOSECONDS);
    } catch (SdkException | ExecutionException | TimeoutException e) {
      throw failures.noCredentials(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw failures.interrupted(e);
    }
    SignedRequest signed =
        signer.sign(
            sign ->
                sign.identity(identity)
                    .request(request)
                    .payload(() -> new ByteArrayInputStream(body))
                    .putProperty(AwsV4HttpSigner.SERVICE_SIGNING_NAME, "lambda")
                    .putProperty(AwsV4HttpSigner.REGION_NAME, region.id())
                    .putProperty(
                        HttpSigner.SIGNING_CLOCK,
                        Clock.fixed(
                            clock.instant().plusMillis(clockOffsetMillis), ZoneOffset.UTC)));
    // The signer lets line breaks through (tried), and a session token is a header value.
    signed
        .request()
        .forEachHeader(
            (name, values) -> {
              if (values.stream().anyMatch(Transport::hasControlCharacter)) {
                throw failures.malformedCredentials(name);
              }
            });
    return signed;
  }

  private static boolean hasControlCharacter(String value) {
    return value.chars().anyMatch(c -> c < ' ' || c == 0x7f)
        || !US_ASCII.newEncoder().canEncode(value);
  }

  /** Takes over the server's time if a refusal can be the clock's fault; whether it did. */
  private boolean correctClock(Answer answer) {
    String date = answer.header("Date");
    if (date == null) {
      return false;
    }
    try {
      long offset = httpDate(date).toEpochMilli() - clock.millis();
      if (Math.abs(offset - clockOffsetMillis) < SUSPICIOUS_SKEW_MILLIS) {
        return false;
      }
      clockOffsetMillis = offset;
      return true;
    } catch (DateTimeParseException e) {
      return false;
    }
  }

  private static Instant httpDate(String date) {
    return ZonedDateTime.parse(date.strip(), DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
  }

  private Duration pause(int attempt, TokenUnavailableException failure) {
    Duration pause = Backoff.fullJitter(BACKOFF_BASE, BACKOFF_CAP, attempt, random);
    Optional<Duration> asked = failure.retryAfter();
    return asked.isPresent() && asked.get().compareTo(pause) > 0 ? asked.get() : pause;
  }

  private static Duration remaining(long deadline) {
    return Duration.ofNanos(Math.max(0, deadline - System.nanoTime()));
  }

  private void sleep(Duration pause, Failures failures) {
    try {
      sleeper.sleep(pause);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw failures.interrupted(e);
    }
  }

  private static Thread deadlineThread(Runnable task) {
    Thread thread = new Thread(task, "credential-manager-deadlines");
    thread.setDaemon(true);
    return thread;
  }
}
