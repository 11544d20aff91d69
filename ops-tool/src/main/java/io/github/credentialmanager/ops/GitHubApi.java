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
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

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
  static final Duration TOLERATED_SKEW = Duration.ofSeconds(50);

  private static final ObjectMapper JSON = new ObjectMapper();

  private final URI root;
  private final InstantSource clock;
  private final Consumer<Duration> pause;
  private final Consumer<String> trace;
  private final HttpClient http;

  /** What {@code GET /app} tells of an App. */
  record App(long id, String slug, Map<String, String> permissions) {}

  /** What {@code GET /app/installations} tells of an installation. */
  record Installation(
      long id,
      String nodeId,
      String account,
      boolean suspended,
      String settingsUrl,
      Map<String, String> permissions) {}

  /**
   * @param trace is told each answer's method, path, status and request id
   */
  GitHubApi(URI root, InstantSource clock, Consumer<Duration> pause, Consumer<String> trace) {
    this.root = checked(root);
    this.clock = clock;
    this.pause = pause;
    this.trace = trace;
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
    JsonNode app = parsed(get("/app", appId, signer, fingerprint));
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
    return new App(appId, app.path("slug").asText(""), permissions(app));
  }

  /** The App's installations, all pages. */
  List<Installation> installations(long appId, AppJwt.Signer signer, String fingerprint) {
    List<Installation> installations = new ArrayList<>();
    for (int page = 1; ; page++) {
      HttpResponse<byte[]> response =
          get("/app/installations?per_page=100&page=" + page, appId, signer, fingerprint);
      JsonNode entries = parsed(response);
      for (JsonNode entry : entries) {
        JsonNode account = entry.path("account");
        installations.add(
            new Installation(
                entry.path("id").asLong(),
                account.path("node_id").asText(""),
                account.path("login").asText(account.path("slug").asText("")),
                !entry.path("suspended_at").isMissingNode() && !entry.path("suspended_at").isNull(),
                entry.path("html_url").asText(""),
                permissions(entry)));
      }
      boolean last =
          response.headers().allValues("link").stream()
              .noneMatch(link -> link.contains("rel=\"next\""));
      if (last || entries.isEmpty()) {
        return installations;
      }
    }
  }

  /** What time GitHub says it is, in whole seconds; empty if it does not say. */
  Optional<Instant> time() {
    try {
      return send(request("/").build()).headers().firstValue("date").flatMap(Timestamps::parseHttp);
    } catch (IOException e) {
      throw noAnswer(e);
    }
  }

  private static Map<String, String> permissions(JsonNode of) {
    Map<String, String> permissions = new TreeMap<>();
    of.path("permissions")
        .properties()
        .forEach(entry -> permissions.put(entry.getKey(), entry.getValue().asText()));
    return permissions;
  }

  private HttpResponse<byte[]> get(
      String path, long appId, AppJwt.Signer signer, String fingerprint) {
    for (int attempt = 1; ; attempt++) {
      String jwt = AppJwt.signedBy(signer, appId, clock.instant());
      HttpRequest request = request(path).header("authorization", "Bearer " + jwt).build();
      KeyManagerException unavailable;
      try {
        HttpResponse<byte[]> response = send(request);
        if (response.statusCode() == 200) {
          return response;
        }
        unavailable = failureOf(response, appId, fingerprint);
        if (unavailable.reason() != Reason.UNAVAILABLE) {
          throw unavailable;
        }
      } catch (IOException e) {
        unavailable = noAnswer(e);
      }
      if (attempt == ATTEMPTS) {
        throw unavailable;
      }
      pause.accept(Duration.ofSeconds(attempt));
    }
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create(root + path))
        .timeout(ATTEMPT_TIMEOUT)
        .header("accept", "application/vnd.github+json")
        .header("user-agent", "credential-manager-ops-tool");
  }

  private KeyManagerException noAnswer(IOException e) {
    return new KeyManagerException(
        Reason.UNAVAILABLE,
        "No answer from GitHub at %s (%s): check the network and --github-url"
            .formatted(root, e.getClass().getSimpleName()),
        e);
  }

  /** The time-out covers the body too, which {@link HttpRequest#timeout} on JDK 17 does not. */
  private HttpResponse<byte[]> send(HttpRequest request) throws IOException {
    CompletableFuture<HttpResponse<byte[]>> answer =
        http.sendAsync(request, HttpResponse.BodyHandlers.ofByteArray());
    try {
      HttpResponse<byte[]> response = answer.get(ATTEMPT_TIMEOUT.toMillis(), MILLISECONDS);
      trace.accept(
          "github:%s %s %d %s"
              .formatted(
                  request.method(),
                  request.uri().getPath(),
                  response.statusCode(),
                  response.headers().firstValue("x-github-request-id").orElse("")));
      return response;
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
      throw Pauses.interrupted();
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
    Optional<Duration> skew = skewOf(response).filter(by -> by.abs().compareTo(TOLERATED_SKEW) > 0);
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
        .flatMap(Timestamps::parseHttp)
        .map(date -> Duration.between(date, now));
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

  private JsonNode parsed(HttpResponse<byte[]> response) {
    try {
      JsonNode json = JSON.readTree(response.body());
      if (json.isContainerNode()) {
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
    if (!Loopback.isSecure(root) || root.getRawQuery() != null || root.getRawFragment() != null) {
      throw new KeyManagerException(
          Reason.BAD_CONFIGURATION,
          "The GitHub URL is no API root: give one like https://api.github.com or https://HOST/api/v3");
    }
    String text = root.toString();
    return text.endsWith("/") ? URI.create(text.substring(0, text.length() - 1)) : root;
  }
}
