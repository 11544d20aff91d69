package io.github.credentialmanager.ops;

import io.github.credentialmanager.ops.KeyManagerException.Reason;
import java.util.Locale;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.SdkException;

/** Says of a failed AWS call which permission or setting it needs. */
final class AwsFailures {
  private static final Set<String> BAD_CREDENTIALS =
      Set.of(
          "UnrecognizedClientException",
          "InvalidSignatureException",
          "SignatureDoesNotMatch",
          "IncompleteSignature",
          "IncompleteSignatureException",
          "MissingAuthenticationTokenException",
          "ExpiredToken",
          "ExpiredTokenException",
          "InvalidClientTokenId",
          "RequestExpired");

  private AwsFailures() {}

  /** Calls AWS; failures name {@code action}, an IAM action such as {@code kms:CreateKey}. */
  static <T> T explained(String action, Supplier<T> call) {
    try {
      return call.get();
    } catch (SdkException e) {
      throw explain(action, e);
    }
  }

  static KeyManagerException explain(String action, SdkException e) {
    if (e instanceof AwsServiceException service && service.awsErrorDetails() != null) {
      return explain(
          action,
          String.valueOf(service.awsErrorDetails().errorCode()),
          service.isThrottlingException() || service.statusCode() >= 500,
          e);
    }
    return new KeyManagerException(
        Reason.UNAVAILABLE,
        "No answer from AWS to %s: check the network and the region, then run the same command again"
            .formatted(action),
        e);
  }

  /**
   * @param code AWS's name for the error, without name space
   * @param passing whether the same call may succeed later
   */
  static KeyManagerException explain(
      String action, String code, boolean passing, @Nullable Throwable cause) {
    if (passing) {
      return new KeyManagerException(
          Reason.UNAVAILABLE,
          "AWS cannot do %s now (%s): run the same command again later".formatted(action, code),
          cause);
    }
    if (code.toLowerCase(Locale.ROOT).contains("accessdenied")
        || code.equals("UnauthorizedOperation")) {
      return new KeyManagerException(
          Reason.ACCESS_DENIED,
          "AWS denies %s to this identity: allow it (README, Permissions) or use another --profile"
              .formatted(action),
          cause);
    }
    if (BAD_CREDENTIALS.contains(code)) {
      return new KeyManagerException(
          Reason.BAD_CONFIGURATION,
          "AWS does not accept the credentials (%s): renew them or use another --profile"
              .formatted(code),
          cause);
    }
    return new KeyManagerException(
        Reason.BAD_CONFIGURATION,
        "AWS refuses %s (%s): see the call with --verbose".formatted(action, code),
        cause);
  }
}
