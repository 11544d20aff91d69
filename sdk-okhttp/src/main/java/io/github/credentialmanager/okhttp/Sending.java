package io.github.credentialmanager.okhttp;

import io.github.credentialmanager.sdk.AccessToken;
import io.github.credentialmanager.sdk.CredentialManagerException;
import io.github.credentialmanager.sdk.GitHubAuthorizer;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import okhttp3.Request;

/** What interceptor and authenticator do alike. */
final class Sending {
  static final String AUTHORIZATION = "Authorization";

  private Sending() {}

  /** The current token, or the {@link IOException} that OkHttp's callers expect. */
  static AccessToken currentToken(GitHubAuthorizer authorizer) throws IOException {
    try {
      return authorizer.token();
    } catch (CredentialManagerException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  static Request withToken(Request request, AccessToken token) {
    return request.newBuilder().header(AUTHORIZATION, token.authorization()).build();
  }

  /** How a thread spends a wait. */
  @FunctionalInterface
  interface Pause {
    Pause SLEEP = duration -> Thread.sleep(duration.toMillis());

    void spend(Duration duration) throws InterruptedException;

    /** Waits; an interrupt ends the wait as OkHttp's callers know it, and stays set. */
    default void await(Duration duration) throws InterruptedIOException {
      if (duration.isZero()) {
        return;
      }
      try {
        spend(duration);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        InterruptedIOException interrupted =
            new InterruptedIOException("Interrupted while waiting to send the request again.");
        interrupted.initCause(e);
        throw interrupted;
      }
    }
  }
}
