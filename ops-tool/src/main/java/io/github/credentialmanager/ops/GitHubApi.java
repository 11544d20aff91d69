package io.github.credentialmanager.ops;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.MILLISECONDS;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.credentialmanager.ops.KeyManagerException.Reason;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;

/**
 * The few calls to GitHub that a key is proven with. The JWT is sent to the configured API root
 * alone, and redirects are not followed.
 *
 * <p>No answer, 5xx and throttling are tried three times; everything else is final at once.
 */
final class GitHubApi {
  static final URI GITHUB_COM = URI.create("https://api.github.com");

  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);
  private static final Duration ATTEMPT_TIMEOUT = Duration.ofSeconds(15);
  private static final int ATTEMPTS = 3;

  /** A clock further off than the 60 s of back-dating makes GitHub refuse every JWT. */
  private static final Duration TOLERATED_SKEW = Duration.ofSeconds(50);

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Set<String> LOOPBACK = Set.of("localhost", "127.0.0.1", "[::1]");

  private final URI root;
  private final InstantSource clock;
  private final Pause pause;
  private final HttpClient http;

  /** What {@code GET /app} tells of an App. */
  record App(long id, String slug) {}

  GitHubApi(URI root, InstantSource clock, Pause pause) {
    this.root = checked(root);
    this.clock = clock;
    this.pause = pause;
    this.http =
        HttpClient.newBuilder()
            .connectTimeout(CONNECT_TIMEOUT)
            .followRedirects(HttpClient.Redirect.NEVER)
            .build();
  }

  /**
   * Proves that GitHub accepts JWTs of {@code signer} as App {@code appId}.
   *
   * @param fingerprint of the key that signs, for the message
   */
  App prove(long appId, AppJwt.Signer signer, String fingerprint) {
    JsonNode app = get("/app", appId, signer, fingerprint);
    JsonNode id = app.path("id");
    if (!id.isIntegralNumber() || !id.canConvertToLong()) {
      throw notAnApiRoot();
    }
    if (id.longValue() != appId) {
      throw new KeyManagerException(
          Reason.REFUSED_BY_GITHUB,
          "The key belongs to App %d, not to App %d: give the id shown on the App's settings page"
              .formatted(id.longValue(), appId));
    }
    return new App(appId, app.path("slug").asText(""));
  }

  private JsonNode get(String path, long appId, AppJwt.Signer signer, String fingerprint) {
    for (int attempt = 1; ; attempt++) {
      String jwt = AppJwt.signedBy(signer, appId, clock.instant());
      HttpRequest request =
          HttpRequest.newBuilder(URI.create(root + path))
              .timeout(ATTEMPT_TIMEOUT)
              .header("authorization", "Bearer " + jwt)
              .header("accept", "application/vnd.github+json")
              .header("user-agent", "credential-manager-ops-tool")
              .build();
      KeyManagerException unavailable;
      try {
        HttpResponse<byte[]> response = send(request);
        if (response.statusCode() == 200) {
          return parsed(response.body());
        }
        KeyManagerException failure = failureOf(response, appId, fingerprint);
        if (failure.reason() != Reason.UNAVAILABLE) {
          throw failure;
        }
        unavailable = failure;
      } catch (IOException e) {
        unavailable =
            new KeyManagerException(
                Reason.UNAVAILABLE,
                "No answer from GitHub at %s (%s): check the network and --github-url"
                    .formatted(root, e.getClass().getSimpleName()),
                e);
      }
      if (attempt == ATTEMPTS) {
        throw unavailable;
      }
      pause.of(Duration.ofSeconds(attempt));
    }
  }

  /** The time-out covers the body too, which {@link HttpRequest#timeout} on JDK 17 does not. */
  private HttpResponse<byte[]> send(HttpRequest request) throws IOException {
    CompletableFuture<HttpResponse<byte[]>> answer =
        http.sendAsync(request, HttpResponse.BodyHandlers.ofByteArray());
    try {
      return answer.get(ATTEMPT_TIMEOUT.toMillis(), MILLISECONDS);
    } catch (TimeoutException e) {
      answer.cancel(true);
      throw new IOException("Timed out", e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof IOException io) {
        throw io;
      }
      throw new IOException(e.getCause());
    } catch (InterruptedException e) {
      answer.cancel(true);
      throw Pause.interrupted();
    }
  }

  private KeyManagerException failureOf(
      HttpResponse<byte[]> response, long appId, String fingerprint) {
    int status = response.statusCode();
    if (status >= 500 || isThrottled(response)) {
      return new KeyManagerException(
          Reason.UNAVAILABLE,
          "GitHub at %s answers %d: run the same command again later".formatted(root, status));
    }
    if (status / 100 == 3) {
      return new KeyManagerException(
          Reason.BAD_CONFIGURATION,
          "%s answers with a redirect (%d): give the API root itself as --github-url"
              .formatted(root, status));
    }
    Optional<Duration> skew = skewOf(response);
    if (status == 401 && skew.isPresent()) {
      return new KeyManagerException(
          Reason.BAD_CONFIGURATION,
          "This machine's clock is %d s %s GitHub's, so GitHub refuses the App's JWT: set the clock"
              .formatted(
                  skew.get().abs().toSeconds(), skew.get().isNegative() ? "behind" : "ahead of"));
    }
    return new KeyManagerException(
        Reason.REFUSED_BY_GITHUB,
        "GitHub at %s refuses the key %s for App %d (%d): compare App id and fingerprint with the App's settings page"
            .formatted(root, fingerprint, appId, status));
  }

  private Optional<Duration> skewOf(HttpResponse<?> response) {
    Instant now = clock.instant();
    return response
        .headers()
        .firstValue("date")
        .flatMap(GitHubApi::httpDate)
        .map(date -> Duration.between(date, now))
        .filter(skew -> skew.abs().compareTo(TOLERATED_SKEW) > 0);
  }

  private static Optional<Instant> httpDate(String value) {
    try {
      return Optional.of(
          ZonedDateTime.parse(value, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant());
    } catch (DateTimeParseException e) {
      return Optional.empty();
    }
  }

  private static boolean isThrottled(HttpResponse<byte[]> response) {
    if (response.statusCode() == 429) {
      return true;
    }
    return response.statusCode() == 403
        && (response.headers().firstValue("retry-after").isPresent()
            || response.headers().firstValue("x-ratelimit-remaining").orElse("").equals("0")
            || new String(response.body(), UTF_8)
                .toLowerCase(Locale.ROOT)
                .contains("secondary rate limit"));
  }

  private JsonNode parsed(byte[] body) {
    try {
      JsonNode json = JSON.readTree(body);
      if (json.isObject()) {
        return json;
      }
      throw notAnApiRoot();
    } catch (JsonProcessingException e) {
      throw notAnApiRoot(); // its message would echo the body
    } catch (IOException e) {
      throw new AssertionError("Reading from memory does not fail", e);
    }
  }

  private KeyManagerException notAnApiRoot() {
    return new KeyManagerException(
        Reason.BAD_CONFIGURATION,
        "%s does not answer as GitHub's API: give its root as --github-url, https://HOST/api/v3 for GitHub Enterprise Server"
            .formatted(root));
  }

  /** The root without a slash at its end. Anything but https would show the JWT to the network. */
  private static URI checked(URI root) {
    String host = root.getHost();
    boolean secure =
        "https".equals(root.getScheme())
            || ("http".equals(root.getScheme()) && host != null && LOOPBACK.contains(host));
    if (!secure
        || host == null
        || root.getRawUserInfo() != null
        || root.getRawQuery() != null
        || root.getRawFragment() != null) {
      throw new KeyManagerException(
          Reason.BAD_CONFIGURATION,
          "The GitHub URL must be an API root like https://api.github.com or https://HOST/api/v3");
    }
    String text = root.toString();
    return text.endsWith("/") ? URI.create(text.substring(0, text.length() - 1)) : root;
  }
}
