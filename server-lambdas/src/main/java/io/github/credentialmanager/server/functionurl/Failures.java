package io.github.credentialmanager.server.functionurl;

import io.github.credentialmanager.server.contract.Reason;
import io.github.credentialmanager.server.contract.ServiceException;
import io.github.credentialmanager.server.github.GitHubException;
import io.github.credentialmanager.server.json.JsonException;
import io.github.credentialmanager.server.outbound.DeadlineExceededException;
import io.github.credentialmanager.server.signing.SigningException;
import io.github.credentialmanager.server.store.StoreException;
import java.time.Duration;

/** Which error of the contract a failure behind this service is answered with. */
public final class Failures {
  // AWS tells nobody how long to wait.
  private static final Duration AWS_WAIT = Duration.ofSeconds(1);

  private Failures() {}

  public static ServiceException toServiceException(Throwable failure) {
    if (failure instanceof ServiceException e) {
      return e;
    }
    if (failure instanceof JsonException e) {
      return ServiceException.serialization(e);
    }
    if (failure instanceof GitHubException e) {
      return gitHub(e);
    }
    if (failure instanceof SigningException e) {
      return switch (e.reason()) {
        case THROTTLED -> ServiceException.throttled(AWS_WAIT, e);
        case KEY_UNAVAILABLE -> ServiceException.serverSide(Reason.APP_KEY_UNAVAILABLE, e);
        case UNAVAILABLE -> ServiceException.serverSide(Reason.AWS_UNAVAILABLE, e);
      };
    }
    if (failure instanceof StoreException e) {
      return switch (e.reason()) {
        case THROTTLED -> ServiceException.throttled(AWS_WAIT, e);
        case UNAVAILABLE -> ServiceException.serverSide(Reason.AWS_UNAVAILABLE, e);
        case DAMAGED -> ServiceException.serverSide(Reason.INTERNAL, e);
      };
    }
    if (failure instanceof CallerNotAllowedException e) {
      return ServiceException.unmodelled(403, "AccessDeniedException", e);
    }
    if (failure instanceof DeadlineExceededException e) {
      return ServiceException.serverSide(Reason.TIMEOUT, e);
    }
    return ServiceException.serverSide(Reason.INTERNAL, failure);
  }

  private static ServiceException gitHub(GitHubException e) {
    return switch (e.reason()) {
      case UNAUTHORIZED -> ServiceException.serverSide(Reason.APP_KEY_REJECTED, e);
      case NOT_FOUND -> refused(Reason.INSTALLATION_NOT_FOUND, e);
      case SUSPENDED -> refused(Reason.INSTALLATION_SUSPENDED, e);
      case FORBIDDEN, UNPROCESSABLE -> refused(Reason.SCOPE_NOT_GRANTED, e);
      case THROTTLED -> ServiceException.throttled(e.retryAfter().orElse(AWS_WAIT), e);
      case TIMEOUT -> ServiceException.serverSide(Reason.TIMEOUT, e);
      case UNAVAILABLE -> ServiceException.serverSide(Reason.GITHUB_UNAVAILABLE, e);
    };
  }

  private static ServiceException refused(Reason reason, GitHubException e) {
    return ServiceException.clientSide(
        reason, "Error: GitHub API Request Error: " + e.gitHubMessage().orElse("no message"), e);
  }
}
