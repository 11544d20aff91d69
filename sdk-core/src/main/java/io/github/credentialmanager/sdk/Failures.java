package io.github.credentialmanager.sdk;

import io.github.credentialmanager.sdk.Transport.Answer;
import io.github.credentialmanager.sdk.WireFormat.ErrorAnswer;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The exceptions of one call: what failed, for what, and what to do about it.
 *
 * <p>An answer is read in this order: the contract's errors by their reason; then what AWS answers
 * in front of the server (403, 413, 429, 502); then everything else, which means that the endpoint
 * is not a Credential Manager's. No text of the answer goes into a message, except a request id of
 * harmless form.
 */
final class Failures {
  /** Credentials that were good once: renewing them is the way out, not another permission. */
  private static final Set<String> EXPIRED_CREDENTIALS =
      Set.of("ExpiredTokenException", "ExpiredToken", "RequestExpired");

  /** Something is wrong with the signature, not with a permission. */
  private static final Set<String> BAD_SIGNATURE =
      Set.of(
          "InvalidSignatureException",
          "SignatureDoesNotMatch",
          "IncompleteSignatureException",
          "MissingAuthenticationTokenException",
          "UnrecognizedClientException",
          "InvalidClientTokenId");

  private final Operation operation;
  private final URI url;
  private final String wanted;

  /**
   * @param wanted begins each message: {@code "No token for app 1"}
   */
  Failures(Operation operation, URI url, String wanted) {
    this.operation = operation;
    this.url = url;
    this.wanted = wanted;
  }

  /**
   * The failure that may go away, for an answer that is no success.
   *
   * @throws TokenDeniedException if trying again does not help
   */
  TokenUnavailableException unavailableOrThrow(Answer answer, Instant now) {
    ErrorAnswer error = WireFormat.errorAnswer(answer.body());
    String requestId = requestId(answer, error);
    String type = type(answer, error);
    int status = answer.status();
    if (status == 429 || status >= 500) {
      Reason reason = error.reason();
      if (reason == null) {
        reason = status == 429 ? Reason.THROTTLED : Reason.INTERNAL;
      }
      return new TokenUnavailableException(
          message(explain(reason, status), requestId),
          reason,
          retryAfter(answer, error, now),
          requestId,
          null);
    }
    if (EXPIRED_CREDENTIALS.contains(type)) {
      throw new TokenUnavailableException(
          message("the AWS credentials have expired. Renew them.", requestId),
          Reason.NO_AWS_CREDENTIALS,
          null,
          requestId,
          null);
    }
    Reason reason = error.reason() != null ? error.reason() : deniedReason(status, type);
    String explanation =
        reason == Reason.ACCESS_DENIED && BAD_SIGNATURE.contains(type)
            ? "AWS does not accept the signature ("
                + type
                + "). Check the AWS credentials and the region."
            : explain(reason, status);
    throw new TokenDeniedException(message(explanation, requestId), reason, requestId, null);
  }

  TokenUnavailableException unreachable(Throwable cause) {
    return new TokenUnavailableException(
        message("no connection to " + url.getAuthority() + ". " + checkEndpoint(), null),
        Reason.UNREACHABLE,
        null,
        null,
        cause);
  }

  /**
   * @param answer what came of the answer in time; null for nothing
   */
  TokenUnavailableException timeout(Throwable cause, @Nullable Answer answer) {
    String requestId = requestId(answer);
    return new TokenUnavailableException(
        message(url.getAuthority() + " did not answer in time.", requestId),
        Reason.TIMEOUT,
        null,
        requestId,
        cause);
  }

  TokenUnavailableException interrupted(InterruptedException cause) {
    return new TokenUnavailableException(
        message("interrupted while waiting.", null), Reason.INTERRUPTED, null, null, cause);
  }

  TokenUnavailableException noCredentials(Throwable cause) {
    return new TokenUnavailableException(
        message(
            "no AWS credentials to sign the request with. Set AWS_ACCESS_KEY_ID and"
                + " AWS_SECRET_ACCESS_KEY, a profile or a role, or give a credentials provider to"
                + " CredentialManagerClient.builder().",
            null),
        Reason.NO_AWS_CREDENTIALS,
        null,
        null,
        cause);
  }

  TokenUnavailableException malformedCredentials(String header) {
    return new TokenUnavailableException(
        message(
            "the AWS credentials hold a character that no header may have ("
                + header
                + "). Set them anew.",
            null),
        Reason.NO_AWS_CREDENTIALS);
  }

  TokenUnavailableException unexpected(String what, Answer answer) {
    String requestId = requestId(answer);
    return new TokenUnavailableException(
        message(url.getAuthority() + " gave " + what + ". " + checkEndpoint(), requestId),
        Reason.UNEXPECTED_ANSWER,
        null,
        requestId,
        null);
  }

  private static Reason deniedReason(int status, String type) {
    if (status == 403 || status == 401) {
      return Reason.ACCESS_DENIED;
    }
    // 404 without a type is another service's; the contract's own 404 has one.
    boolean ours = status == 400 || status == 413 || status == 415 || status == 406;
    return ours || (status < 500 && status > 400 && !type.isEmpty())
        ? Reason.INVALID_REQUEST
        : Reason.UNEXPECTED_ANSWER;
  }

  private String explain(Reason reason, int status) {
    return switch (reason) {
      case APP_NOT_REGISTERED ->
          "the Credential Manager does not know the App. Import its key, or check appId.";
      case INSTALLATION_NOT_FOUND -> "the App is not installed there. Install it, or check nodeId.";
      case INSTALLATION_SUSPENDED ->
          "the installation is suspended. Its owner can lift that in GitHub's settings.";
      case SCOPE_NOT_GRANTED ->
          "the installation does not have all of what the scope asks for. Ask for less, or grant it in"
              + " GitHub's settings.";
      case APP_KEY_REJECTED -> "GitHub refuses the App's key. Import the App's current key.";
      case APP_KEY_UNAVAILABLE ->
          "the App's KMS key cannot sign. It may be disabled, pending deletion or denied to the"
              + " Credential Manager.";
      case THROTTLED -> "too many calls (HTTP " + status + "). Try again later.";
      case GITHUB_UNAVAILABLE -> "GitHub does not answer the Credential Manager. Try again later.";
      case AWS_UNAVAILABLE ->
          "an AWS service behind the Credential Manager does not answer. Try again later.";
      case TIMEOUT -> "the Credential Manager did not finish in time. Try again later.";
      case ACCESS_DENIED ->
          "AWS does not let this caller in (HTTP "
              + status
              + "). Grant it lambda:InvokeFunctionUrl and lambda:InvokeFunction on the function at "
              + url.getAuthority()
              + "; if it has both, check that "
              + variables()
              + " and the AWS account are the ones meant, and that the Credential Manager's caller policy"
              + " allows this.";
      case INVALID_REQUEST ->
          status == 413
              ? "the request is too large (HTTP 413). Name fewer repositories."
              : "the Credential Manager does not accept the request (HTTP "
                  + status
                  + "). Check appId, nodeId and scope.";
      case UNEXPECTED_ANSWER ->
          url.getAuthority()
              + " does not answer as a Credential Manager (HTTP "
              + status
              + (status >= 300 && status < 400 ? ", and redirects are not followed). " : "). ")
              + checkEndpoint();
      case INTERNAL ->
          "the function at "
              + url.getAuthority()
              + " failed (HTTP "
              + status
              + "). Its log says why; try again later.";
      default -> "the Credential Manager refuses (HTTP " + status + ").";
    };
  }

  private String checkEndpoint() {
    return "Check " + variables() + ".";
  }

  private String variables() {
    return Settings.ENDPOINT + " or " + operation.variable();
  }

  private String message(String explanation, @Nullable String requestId) {
    return wanted
        + ": "
        + explanation
        + (requestId == null ? "" : " Request id " + requestId + ".");
  }

  /**
   * The error's bare name: the header may add a namespace in front and a URL behind. Empty if there
   * is none.
   */
  private static String type(Answer answer, ErrorAnswer error) {
    String type = answer.header("x-amzn-errortype");
    if (type == null) {
      type = error.type();
    }
    return type == null ? "" : type.replaceFirst(":.*", "").replaceFirst(".*#", "").strip();
  }

  private static @Nullable String requestId(@Nullable Answer answer) {
    return answer == null ? null : requestId(answer, ErrorAnswer.NONE);
  }

  private static @Nullable String requestId(Answer answer, ErrorAnswer error) {
    return error.requestId() != null
        ? error.requestId()
        : answer.requestId("x-amzn-requestid", "x-amzn-request-id", "x-amz-request-id");
  }

  /** The error's own member goes before the header. */
  private static @Nullable Duration retryAfter(Answer answer, ErrorAnswer error, Instant now) {
    Duration wait = error.retryAfter();
    return wait == null ? answer.retryAfter(now) : Answer.limited(wait);
  }
}
