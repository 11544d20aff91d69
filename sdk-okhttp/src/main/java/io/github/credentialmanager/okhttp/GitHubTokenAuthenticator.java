package io.github.credentialmanager.okhttp;

import static io.github.credentialmanager.okhttp.Sending.AUTHORIZATION;
import static io.github.credentialmanager.okhttp.Sending.currentToken;
import static io.github.credentialmanager.okhttp.Sending.withToken;
import static java.util.Objects.requireNonNull;

import io.github.credentialmanager.okhttp.Sending.Pause;
import io.github.credentialmanager.sdk.AccessToken;
import io.github.credentialmanager.sdk.GitHubAuthorizer;
import io.github.credentialmanager.sdk.GitHubAuthorizer.Resend;
import java.io.IOException;
import java.util.Optional;
import okhttp3.Authenticator;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.Route;
import org.jspecify.annotations.Nullable;

/**
 * An OkHttp authenticator that answers GitHub's 401 to a request without a token.
 *
 * <p>For clients that let nothing else be configured. Prefer the {@link GitHubTokenInterceptor}:
 * GitHub challenges for GraphQL, but answers 404 to a REST request for something private, and what
 * is public counts against the low limit of anonymous requests.
 *
 * <p>Only to the configured origin, on each hop of a redirect. A token that is refused is treated
 * as {@link GitHubAuthorizer#afterResponse} says. A request that came with an {@code Authorization}
 * of its own gets no other, so beside the interceptor this does nothing.
 *
 * <p>Safe for use by multiple threads.
 */
public final class GitHubTokenAuthenticator implements Authenticator {
  private final GitHubAuthorizer authorizer;
  private final Pause pause;

  GitHubTokenAuthenticator(GitHubAuthorizer authorizer, Pause pause) {
    this.authorizer = requireNonNull(authorizer, "authorizer");
    this.pause = pause;
  }

  /** An authenticator with tokens, and for the origins, of this authorizer. */
  public static GitHubTokenAuthenticator create(GitHubAuthorizer authorizer) {
    return new GitHubTokenAuthenticator(authorizer, Pause.SLEEP);
  }

  @Override
  public @Nullable Request authenticate(@Nullable Route route, Response response)
      throws IOException {
    Request request = response.request();
    if (response.code() != 401 || !authorizer.covers(request.url().uri())) {
      return null;
    }
    String sent = request.header(AUTHORIZATION);
    if (sent == null) {
      return withToken(request, currentToken(authorizer));
    }
    int challenge = attemptsBefore(response);
    if (challenge == 0) {
      return null;
    }
    AccessToken token = currentToken(authorizer);
    if (!sent.equals(token.authorization())) {
      return challenge == 1 ? withToken(request, token) : null;
    }
    Optional<Resend> resend = authorizer.afterResponse(token, response.code(), challenge);
    if (resend.isEmpty()) {
      return null;
    }
    pause.await(resend.get().delay());
    return withToken(request, resend.get().token());
  }

  /** How many requests carried a token since one without was challenged; 0 if none was. */
  private static int attemptsBefore(Response response) {
    int attempts = 0;
    for (Response r = response; r != null; r = r.priorResponse()) {
      if (r.request().header(AUTHORIZATION) == null) {
        return r.code() == 401 ? attempts : 0;
      }
      attempts++;
    }
    return 0;
  }
}
