package io.github.credentialmanager.githubapi;

import static io.github.credentialmanager.githubapi.AuthorizedRequest.AUTHORIZATION;

import io.github.credentialmanager.sdk.AccessToken;
import io.github.credentialmanager.sdk.GitHubAuthorizer;
import io.github.credentialmanager.sdk.GitHubAuthorizer.Resend;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URISyntaxException;
import java.util.Optional;
import org.kohsuke.github.connector.GitHubConnector;
import org.kohsuke.github.connector.GitHubConnectorRequest;
import org.kohsuke.github.connector.GitHubConnectorResponse;

/**
 * Sends requests with the token that is current at that moment, and again if {@link
 * GitHubAuthorizer#afterResponse} says so.
 *
 * <p>hub4j makes the header before it waits for a rate limit, so the header may be an old one when
 * the request gets here, and only here can a 401 be seen (hub4j tells its {@code
 * AuthorizationProvider} nothing).
 *
 * <p>A request that hub4j sends without authorization, after a redirect to another host, stays
 * without. One that would carry it elsewhere than to GitHub, because a link of an answer led there,
 * loses it.
 *
 * <p>Safe for use by multiple threads.
 */
final class AuthorizingConnector implements GitHubConnector {
  private final CurrentTokenAuthorizationProvider current;
  private final GitHubAuthorizer authorizer;
  private final GitHubConnector transport;
  private final Pause pause;

  AuthorizingConnector(
      CurrentTokenAuthorizationProvider current,
      GitHubAuthorizer authorizer,
      GitHubConnector transport,
      Pause pause) {
    this.current = current;
    this.authorizer = authorizer;
    this.transport = new ReconnectingConnector(transport, pause);
    this.pause = pause;
  }

  @Override
  public GitHubConnectorResponse send(GitHubConnectorRequest request) throws IOException {
    String header = request.header(AUTHORIZATION);
    if (header == null) {
      return transport.send(request);
    }
    if (!isCovered(request)) {
      AuthorizedRequest bare = new AuthorizedRequest(request, null);
      return answer(request, bare, transport.send(bare));
    }
    AccessToken token = current.token();
    GitHubConnectorRequest sent = withToken(request, token);
    for (int attempt = 1; ; attempt++) {
      GitHubConnectorResponse response = transport.send(sent);
      Optional<Resend> resend =
          isRateLimit(response)
              ? Optional.empty()
              : authorizer.afterResponse(token, response.statusCode(), attempt);
      if (resend.isEmpty()) {
        return sent instanceof AuthorizedRequest authorized
            ? answer(request, authorized, response)
            : response;
      }
      discard(response);
      pause.await(resend.get().delay());
      token = resend.get().token();
      sent = withToken(request, token);
    }
  }

  /** The request itself if it carries this token already, as it nearly always does. */
  private static GitHubConnectorRequest withToken(
      GitHubConnectorRequest request, AccessToken token) {
    String authorization = token.authorization();
    return authorization.equals(request.header(AUTHORIZATION))
        ? request
        : new AuthorizedRequest(request, authorization);
  }

  /** The answer to a request that was sent in the place of hub4j's. */
  private static GitHubConnectorResponse answer(
      GitHubConnectorRequest request, AuthorizedRequest sent, GitHubConnectorResponse response)
      throws IOException {
    if (response.statusCode() == 401) {
      sent.refused();
    }
    return response.statusCode() < 300 ? AnsweredHttpClient.answer(request, response) : response;
  }

  private boolean isCovered(GitHubConnectorRequest request) {
    try {
      return authorizer.covers(request.url().toURI());
    } catch (URISyntaxException e) {
      return false;
    }
  }

  /** Whether a 403 is about how much was asked, not about the token; by the headers hub4j reads. */
  private static boolean isRateLimit(GitHubConnectorResponse response) {
    return response.statusCode() == 403
        && ("0".equals(response.header("X-RateLimit-Remaining"))
            || response.header("Retry-After") != null
            || response.header("gh-limited-by") != null);
  }

  /** Reads an answer nobody will see to its end, which gives the connection back (2.0-rc.6). */
  private static void discard(GitHubConnectorResponse response) {
    try (response;
        InputStream body = response.bodyStream()) {
      body.transferTo(OutputStream.nullOutputStream());
    } catch (IOException e) {
      // The connection is lost, or there was no body. The request is sent again either way.
    }
  }
}
