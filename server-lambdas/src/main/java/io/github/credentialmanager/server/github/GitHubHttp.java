package io.github.credentialmanager.server.github;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import io.github.credentialmanager.server.json.JsonException;
import io.github.credentialmanager.server.json.JsonObject;
import io.github.credentialmanager.server.outbound.Deadline;
import io.github.credentialmanager.server.outbound.Retry;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.format.DateTimeParseException;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Sends one request to GitHub, within bounds, and says what a refusal means.
 *
 * <p>An attempt ends after 3 s, the body included, however slowly it drips; a body ends at 5 MiB (a
 * token for 500 repositories comes with 500 descriptions of about 7 KB). Server errors, lost
 * connections and throttling that fits into the deadline are tried again.
 *
 * <p>HTTP/1.1, because there an attempt that timed out takes its connection with it. Over HTTP/2
 * the next attempt would meet the same dead connection, as an environment that was frozen has them.
 */
final class GitHubHttp {
  private static final Duration ATTEMPT_TIMEOUT = Duration.ofSeconds(3);
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(2);
  private static final int MAX_BODY_BYTES = 5 * 1024 * 1024;
  private static final int MAX_MESSAGE_LENGTH = 300;
  private static final Pattern LAST_PAGE =
      Pattern.compile("[?&]page=([0-9]{1,6})(?:&[^>]*)?>; rel=\"last\"");
  // GitHub, "Rate limits for the REST API": without a header to go by, wait at least one minute.
  private static final Duration UNTOLD_WAIT = Duration.ofMinutes(1);

  private final String root;
  private final InstantSource clock;
  private final Retry retry = Retry.threeAttempts();
  private final AtomicReference<HttpClient> client;
  private final RequestLimit limit;

  GitHubHttp(URI root, InstantSource clock) {
    this(
        root.toString().replaceAll("/+$", ""),
        clock,
        new AtomicReference<>(newClient()),
        RequestLimit.none());
  }

  private GitHubHttp(
      String root, InstantSource clock, AtomicReference<HttpClient> client, RequestLimit limit) {
    this.root = root;
    this.clock = clock;
    this.client = client;
    this.limit = limit;
  }

  GitHubHttp limitedBy(RequestLimit limit) {
    return new GitHubHttp(root, clock, client, limit);
  }

  private static HttpClient newClient() {
    return HttpClient.newBuilder()
        .version(HttpClient.Version.HTTP_1_1)
        .followRedirects(HttpClient.Redirect.NEVER)
        .connectTimeout(CONNECT_TIMEOUT)
        .build();
  }

  void replaceClient() {
    client.set(newClient());
  }

  Answer get(String path, String credential, Deadline deadline) {
    return send(request(path, credential).GET(), deadline);
  }

  Answer post(String path, String credential, String json, Deadline deadline) {
    return send(
        request(path, credential)
            .header("content-type", "application/json")
            .POST(BodyPublishers.ofString(json)),
        deadline);
  }

  Answer delete(String path, String credential, Deadline deadline) {
    return send(request(path, credential).DELETE(), deadline);
  }

  private HttpRequest.Builder request(String path, String credential) {
    return HttpRequest.newBuilder(URI.create(root + path))
        .header("accept", "application/vnd.github+json")
        .header("authorization", "Bearer " + credential)
        .header("user-agent", "credential-manager")
        .header("x-github-api-version", "2022-11-28");
  }

  private Answer send(HttpRequest.Builder request, Deadline deadline) {
    HttpRequest built = request.build();
    return retry.call(
        deadline,
        () -> limit.call(points(built), deadline, () -> attempt(built, deadline)),
        GitHubHttp::leastPause);
  }

  /** GitHub, "Rate limits for the REST API", points for the secondary rate limit. */
  private static int points(HttpRequest request) {
    return request.method().equals("GET") ? 1 : 5;
  }

  /** Empty if another attempt would change nothing. */
  private static Optional<Duration> leastPause(RuntimeException e) {
    return e instanceof GitHubException failure && failure.isPassing()
        ? Optional.of(failure.retryAfter().orElse(Duration.ZERO))
        : Optional.empty();
  }

  private Answer attempt(HttpRequest request, Deadline deadline) {
    CompletableFuture<HttpResponse<byte[]>> response =
        requireNonNull(client.get()).sendAsync(request, headers -> new BoundedBody(MAX_BODY_BYTES));
    try {
      // HttpRequest.timeout would end with the headers and let the body drip on.
      return answer(
          response.get(deadline.atMost(ATTEMPT_TIMEOUT).toMillis(), TimeUnit.MILLISECONDS));
    } catch (TimeoutException e) {
      throw GitHubException.timeout(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw GitHubException.timeout(e);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof BoundedBody.TooLarge tooLarge
          ? GitHubException.undocumented(Optional.empty(), tooLarge)
          : GitHubException.noAnswer(e.getCause());
    } finally {
      response.cancel(true);
    }
  }

  private Answer answer(HttpResponse<byte[]> response) {
    Answer answer =
        new Answer(
            response.headers(),
            new String(response.body(), UTF_8),
            response.headers().firstValue("x-github-request-id"));
    int status = response.statusCode();
    if (status >= 200 && status < 300) {
      return answer;
    }
    throw refusal(status, answer);
  }

  private GitHubException refusal(int status, Answer answer) {
    Optional<String> message = answer.message();
    GitHubException.Cause cause =
        switch (status) {
          case 401 -> GitHubException.Cause.UNAUTHORIZED;
          case 403 -> causeOf403(answer.headers(), message.orElse("").toLowerCase(Locale.ROOT));
          case 404 -> GitHubException.Cause.NOT_FOUND;
          case 422 -> GitHubException.Cause.UNPROCESSABLE;
          case 429 -> GitHubException.Cause.THROTTLED;
          default -> GitHubException.Cause.UNAVAILABLE;
        };
    boolean throttled = cause == GitHubException.Cause.THROTTLED;
    Optional<Duration> wait = retryAfter(answer.headers());
    return new GitHubException(
        cause,
        message,
        throttled ? wait.or(() -> Optional.of(UNTOLD_WAIT)) : wait,
        answer.requestId(),
        throttled || status >= 500,
        null);
  }

  /** GitHub says 403 for "not allowed" as well as for "not now" (same document). */
  private static GitHubException.Cause causeOf403(HttpHeaders headers, String message) {
    if (message.contains("suspended")) {
      return GitHubException.Cause.SUSPENDED;
    }
    boolean throttled =
        headers.firstValue("retry-after").isPresent()
            || headers.firstValue("x-ratelimit-remaining").filter("0"::equals).isPresent()
            || message.contains("rate limit");
    return throttled ? GitHubException.Cause.THROTTLED : GitHubException.Cause.FORBIDDEN;
  }

  private Optional<Duration> retryAfter(HttpHeaders headers) {
    return seconds(headers, "retry-after")
        .map(Duration::ofSeconds)
        .or(
            () ->
                headers
                    .firstValue("x-ratelimit-remaining")
                    .filter("0"::equals)
                    .flatMap(none -> seconds(headers, "x-ratelimit-reset"))
                    .map(reset -> Duration.between(clock.instant(), Instant.ofEpochSecond(reset)))
                    .map(wait -> wait.isNegative() ? Duration.ZERO : wait));
  }

  /** The header, if it is a number of at most ten digits. */
  private static Optional<Long> seconds(HttpHeaders headers, String name) {
    return headers
        .firstValue(name)
        .filter(value -> value.matches("[0-9]{1,10}"))
        .map(Long::valueOf);
  }

  /** What GitHub answered. */
  record Answer(HttpHeaders headers, String body, Optional<String> requestId) {
    <T> T read(Function<String, T> reader) {
      try {
        return reader.apply(body);
      } catch (JsonException | DateTimeParseException e) {
        throw GitHubException.undocumented(requestId, e);
      }
    }

    boolean hasNextPage() {
      return headers.allValues("link").stream().anyMatch(link -> link.contains("rel=\"next\""));
    }

    /** The number of the last page, if GitHub says it. */
    OptionalInt lastPage() {
      return headers.allValues("link").stream()
          .map(LAST_PAGE::matcher)
          .filter(Matcher::find)
          .mapToInt(match -> Integer.parseInt(match.group(1)))
          .findFirst();
    }

    /** What GitHub says of a refusal, and where it says more. */
    Optional<String> message() {
      try {
        JsonObject refusal = JsonObject.parse(body);
        String link = refusal.string("documentation_url").map(url -> " - " + url).orElse("");
        return refusal
            .string("message")
            .map(message -> (message + link).replaceAll("[^\\x20-\\x7e]", " "))
            .map(message -> message.substring(0, Math.min(message.length(), MAX_MESSAGE_LENGTH)));
      } catch (JsonException e) {
        return Optional.empty();
      }
    }

    @Override
    public String toString() {
      return "Answer[requestId=" + requestId + "]";
    }
  }
}
