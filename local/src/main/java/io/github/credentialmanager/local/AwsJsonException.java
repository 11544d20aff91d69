package io.github.credentialmanager.local;

/** An error as a service with the AWS JSON protocol answers it. */
final class AwsJsonException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String errorType;

  AwsJsonException(String errorType, String message) {
    super(message);
    this.errorType = errorType;
  }

  /** The exception's name in the service's model. */
  String errorType() {
    return errorType;
  }

  /** 500 and 503 for what is the service's own fault, else 400. */
  int status() {
    return switch (errorType) {
      case "KMSInternalException", "InternalServiceException" -> 500;
      case "DependencyTimeoutException", "KeyUnavailableException", "ServiceUnavailable" -> 503;
      default -> 400;
    };
  }
}
