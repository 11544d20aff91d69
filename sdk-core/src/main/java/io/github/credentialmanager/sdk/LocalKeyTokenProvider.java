package io.github.credentialmanager.sdk;

import io.github.credentialmanager.sdk.Transport.Answer;
import io.github.credentialmanager.sdk.WireFormat.GitHubInstallation;
import io.github.credentialmanager.sdk.WireFormat.MalformedAnswerException;
import io.github.credentialmanager.sdk.WireFormat.TokenAnswer;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Signs with a key in a file and asks GitHub itself; see {@link TokenProvider#localKey}. Without
 * memory for tokens.
 */
final class LocalKeyTokenProvider implements TokenProvider {
  private static final int MAX_ANSWER_BYTES = 6 * 1024 * 1024;
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);
  private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(10);
  private static final Pattern NEXT_LINK = Pattern.compile("<([^>]*)>\\s*;\\s*rel=\"next\"");

  private final long appId;
  private final Path pem;
  private final URI gitHubApiUrl;
  private final InstantSource clock;
  private final HttpClient http =
      HttpClient.newBuilder()
          .followRedirects(HttpClient.Redirect.NEVER)
          .connectTimeout(CONNECT_TIMEOUT)
          .build();

  /** By node id. An id changes when the App is installed anew. */
  private final Map<String, Long> installationIds = new ConcurrentHashMap<>();

  LocalKeyTokenProvider(long appId, Path pem, URI gitHubApiUrl, InstantSource clock) {
    this.appId = TokenRequest.checkAppId(appId);
    this.pem = pem;
    this.gitHubApiUrl = gitHubApiUrl;
    this.clock = clock;
    Origin.requireTrustworthy(gitHubApiUrl, Settings.GITHUB_API_URL);
  }

  @Override
  public AccessToken getToken(TokenRequest request) {
    if (request.appId() != appId) {
      throw new TokenDeniedException(
          message(request, "the key in " + pem + " is app " + appId + "'s."),
          Reason.APP_NOT_REGISTERED);
    }
    AppKey.Jwt jwt = sign(request);
    String nodeId = request.nodeId().orElse(null);
    AccessToken token;
    if (nodeId == null) {
      token =
          AccessToken.builder(appId, jwt.token(), jwt.expirationTime())
              .issuedAt(clock.instant())
              .build();
    } else {
      token = installationToken(request, nodeId, jwt.token());
    }
    request.checkRemaining(token, clock.instant());
    return token;
  }

  /** Read each time, so that a key that was replaced is used from the next token on. */
  private AppKey.Jwt sign(TokenRequest request) {
    try {
      return AppKey.parse(Files.readString(pem, StandardCharsets.US_ASCII))
          .sign(appId, clock.instant());
    } catch (IOException e) {
      throw new TokenDeniedException(
          message(request, "the key cannot be read from " + pem + "."),
          Reason.NOT_CONFIGURED,
          null,
          e);
    } catch (GeneralSecurityException e) {
      throw new TokenDeniedException(
          message(request, "there is no usable key in " + pem + ". " + e.getMessage()),
          Reason.NOT_CONFIGURED);
    }
  }

  private AccessToken installationToken(TokenRequest request, String nodeId, Secret jwt) {
    Long known = installationIds.get(nodeId);
    Answer answer = mint(request, known == null ? find(request, nodeId, jwt) : known, jwt);
    if (answer.status() == 404 && known != null) {
      installationIds.remove(nodeId);
      answer = mint(request, find(request, nodeId, jwt), jwt);
    }
    if (answer.status() != 201) {
      throw failure(request, answer);
    }
    try {
      TokenAnswer minted = WireFormat.gitHubTokenAnswer(answer.body());
      AccessToken.Builder token =
          AccessToken.builder(appId, minted.token(), minted.expirationTime())
              .issuedAt(clock.instant())
              .nodeId(nodeId);
      if (minted.grantedScope() != null) {
        token.grantedScope(minted.grantedScope());
      }
      return token.build();
    } catch (MalformedAnswerException | IllegalArgumentException e) {
      throw unexpected(request, answer);
    }
  }

  private Answer mint(TokenRequest request, long installationId, Secret jwt) {
    byte[] body = WireFormat.gitHubTokenRequest(request.scope().orElse(null));
    return send(
        request,
        HttpRequest.newBuilder(url("/app/installations/" + installationId + "/access_tokens"))
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofByteArray(body)),
        jwt);
  }

  /** Reads the list of installations up to the one that is wanted. */
  private long find(TokenRequest request, String nodeId, Secret jwt) {
    URI page = url("/app/installations?per_page=100");
    while (page != null) {
      Answer answer = send(request, HttpRequest.newBuilder(page).GET(), jwt);
      if (answer.status() != 200) {
        throw failure(request, answer);
      }
      try {
        for (GitHubInstallation installation : WireFormat.gitHubInstallations(answer.body())) {
          installationIds.put(installation.nodeId(), installation.id());
        }
      } catch (MalformedAnswerException e) {
        throw unexpected(request, answer);
      }
      Long id = installationIds.get(nodeId);
      if (id != null) {
        return id;
      }
      page = nextPage(request, page, answer);
    }
    throw new TokenDeniedException(
        message(request, "the App is not installed there. Install it, or check nodeId."),
        Reason.INSTALLATION_NOT_FOUND);
  }

  /**
   * The next page, which has to be where the first one was: the App's token goes with the request.
   */
  private @Nullable URI nextPage(TokenRequest request, URI page, Answer answer) {
    Matcher link = NEXT_LINK.matcher(answer.joined("Link"));
    if (!link.find()) {
      return null;
    }
    try {
      URI next = page.resolve(new URI(link.group(1)));
      Origin origin = Origin.of(next);
      if (origin != null && origin.equals(Origin.of(gitHubApiUrl)) && !next.equals(page)) {
        return next;
      }
    } catch (URISyntaxException e) {
      // As good as a link to elsewhere.
    }
    throw unexpected(request, answer);
  }

  private Answer send(TokenRequest request, HttpRequest.Builder call, Secret jwt) {
    Duration timeout =
        request.timeout().filter(own -> own.compareTo(ANSWER_TIMEOUT) < 0).orElse(ANSWER_TIMEOUT);
    HttpRequest complete =
        call.timeout(timeout)
            .header("Authorization", "Bearer " + jwt.reveal())
            .header("Accept", "application/vnd.github+json")
            .header("X-GitHub-Api-Version", "2022-11-28")
            .header("User-Agent", "credential-manager-sdk-java")
            .build();
    try {
      HttpResponse<InputStream> response = http.send(complete, BodyHandlers.ofInputStream());
      try (InputStream body = response.body()) {
        Answer answer =
            new Answer(response.statusCode(), response.headers().map(), read(body, timeout));
        if (answer.body().length > MAX_ANSWER_BYTES) {
          throw unexpected(request, answer);
        }
        return answer;
      }
    } catch (IOException e) {
      throw new TokenUnavailableException(
          message(
              request,
              "no answer from "
                  + gitHubApiUrl.getAuthority()
                  + ". Check "
                  + Settings.GITHUB_API_URL
                  + "."),
          Reason.GITHUB_UNAVAILABLE,
          null,
          null,
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TokenUnavailableException(
          message(request, "interrupted while waiting."), Reason.INTERRUPTED, null, null, e);
    }
  }

  /** The client's own timeout ends with the headers. */
  private static byte[] read(InputStream body, Duration timeout) throws IOException {
    CompletableFuture<Void> reading = new CompletableFuture<>();
    reading
        .orTimeout(timeout.toMillis(), TimeUnit.MILLISECONDS)
        .exceptionallyAsync(
            tooLate -> {
              close(body);
              return null;
            });
    byte[] read = body.readNBytes(MAX_ANSWER_BYTES + 1);
    if (!reading.complete(null)) {
      throw new HttpTimeoutException("body not complete within " + timeout);
    }
    return read;
  }

  private static void close(InputStream body) {
    try {
      body.close();
    } catch (IOException e) {
      // Then it was closed: whoever reads is told.
    }
  }

  /**
   * GitHub documentation, "Create an installation access token for an app" and "Rate limits for the
   * REST API".
   */
  private CredentialManagerException failure(TokenRequest request, Answer answer) {
    String gitHubSays = WireFormat.gitHubMessage(answer.body());
    int status = answer.status();
    if (status == 429 || (status == 403 && isThrottling(answer, gitHubSays))) {
      return unavailable(
          request, answer, Reason.THROTTLED, "GitHub has had too many calls. Try again later.");
    }
    if (status >= 500) {
      return unavailable(
          request, answer, Reason.GITHUB_UNAVAILABLE, "GitHub fails (HTTP " + status + ").");
    }
    return switch (status) {
      case 401 ->
          denied(
              request,
              answer,
              Reason.APP_KEY_REJECTED,
              "GitHub refuses the App's signature. Check that "
                  + pem
                  + " is this App's key, and the clock.");
      case 403 ->
          gitHubSays.contains("suspended")
              ? denied(
                  request,
                  answer,
                  Reason.INSTALLATION_SUSPENDED,
                  "the installation is suspended. Its owner can lift that in GitHub's settings.")
              : denied(
                  request, answer, Reason.ACCESS_DENIED, "GitHub does not allow it (HTTP 403).");
      case 404 ->
          denied(
              request,
              answer,
              Reason.INSTALLATION_NOT_FOUND,
              "the App is not installed there. Install it, or check nodeId.");
      case 422 ->
          denied(
              request,
              answer,
              Reason.SCOPE_NOT_GRANTED,
              "the installation does not have all of what the scope asks for. Ask for less, or grant it"
                  + " in GitHub's settings.");
      default -> unexpected(request, answer);
    };
  }

  private static boolean isThrottling(Answer answer, String gitHubSays) {
    return answer.header("Retry-After") != null
        || "0".equals(answer.header("x-ratelimit-remaining"))
        || gitHubSays.contains("rate limit");
  }

  private TokenDeniedException denied(
      TokenRequest request, Answer answer, Reason reason, String explanation) {
    return new TokenDeniedException(
        message(request, explanation), reason, answer.requestId("x-github-request-id"), null);
  }

  private TokenUnavailableException unavailable(
      TokenRequest request, Answer answer, Reason reason, String explanation) {
    return new TokenUnavailableException(
        message(request, explanation),
        reason,
        answer.retryAfter(clock.instant()),
        answer.requestId("x-github-request-id"),
        null);
  }

  private TokenUnavailableException unexpected(TokenRequest request, Answer answer) {
    return unavailable(
        request,
        answer,
        Reason.UNEXPECTED_ANSWER,
        gitHubApiUrl.getAuthority()
            + " does not answer as GitHub's API. Check "
            + Settings.GITHUB_API_URL
            + ".");
  }

  private URI url(String path) {
    return URI.create(gitHubApiUrl.toString().replaceAll("/+$", "") + path);
  }

  private static String message(TokenRequest request, String explanation) {
    return "No token for " + request.describe() + ": " + explanation;
  }
}
