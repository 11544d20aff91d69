package io.github.credentialmanager.server.contract;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * An error of the wire contract: what a caller is answered instead of a result.
 *
 * <p>Its message is written for the caller. Why it came to this, where that is another's failure,
 * is the {@linkplain #getCause() cause} and stays here.
 */
public final class ServiceException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final int status;
  private final String errorType;
  private final transient Optional<Reason> reason;
  private final transient Optional<Duration> retryAfter;
  private final transient List<Violation> violations;

  private ServiceException(
      int status,
      String errorType,
      @Nullable String message,
      Optional<Reason> reason,
      Optional<Duration> retryAfter,
      List<Violation> violations,
      @Nullable Throwable cause) {
    super(message, cause);
    this.status = status;
    this.errorType = errorType;
    this.reason = reason;
    this.retryAfter = retryAfter;
    this.violations = violations;
  }

  /** {@code ClientSideError}: understood and refused. */
  public static ServiceException clientSide(Reason reason, String message) {
    return clientSide(reason, message, null);
  }

  /** {@code ClientSideError}: understood and refused. */
  public static ServiceException clientSide(
      Reason reason, String message, @Nullable Throwable cause) {
    return new ServiceException(
        400,
        "ClientSideError",
        "Invalid Request: " + message,
        Optional.of(reason),
        Optional.empty(),
        List.of(),
        cause);
  }

  /** {@code ServerSideError}: something behind this service, or the service itself, failed. */
  public static ServiceException serverSide(Reason reason, @Nullable Throwable cause) {
    return new ServiceException(
        500,
        "ServerSideError",
        "Internal Server Error",
        Optional.of(reason),
        Optional.empty(),
        List.of(),
        cause);
  }

  /** {@code ThrottlingException}: not now. The wait is told in whole seconds, at least one. */
  public static ServiceException throttled(Duration retryAfter, @Nullable Throwable cause) {
    Duration atLeastASecond =
        retryAfter.compareTo(Duration.ofSeconds(1)) < 0 ? Duration.ofSeconds(1) : retryAfter;
    return new ServiceException(
        429,
        "ThrottlingException",
        "Too Many Requests",
        Optional.of(Reason.THROTTLED),
        Optional.of(atLeastASecond),
        List.of(),
        cause);
  }

  /** {@code ValidationException}: the request is of the right shape and breaks a constraint. */
  static ServiceException validation(List<Violation> violations) {
    return new ServiceException(
        400,
        "ValidationException",
        Violation.summary(violations),
        Optional.empty(),
        Optional.empty(),
        List.copyOf(violations),
        null);
  }

  /** {@code SerializationException}: the request is not of the right shape. */
  public static ServiceException serialization(@Nullable Throwable cause) {
    return unmodelled(400, "SerializationException", cause);
  }

  /** An error of the protocol, which the model does not know: its body is empty. */
  public static ServiceException unmodelled(
      int status, String errorType, @Nullable Throwable cause) {
    return new ServiceException(
        status, errorType, null, Optional.empty(), Optional.empty(), List.of(), cause);
  }

  public int status() {
    return status;
  }

  /** The value of the {@code x-amzn-errortype} header. */
  public String errorType() {
    return errorType;
  }

  public Optional<Reason> reason() {
    return reason;
  }

  /** How long to wait, in whole seconds, rounded up. */
  public Optional<Long> retryAfterSeconds() {
    return retryAfter.map(wait -> wait.plusNanos(999_999_999).toSeconds());
  }

  /** The members of the response body. */
  public Map<String, Object> body(String requestId) {
    Map<String, Object> body = new TreeMap<>();
    if (!violations.isEmpty()) {
      body.put("fieldList", violations.stream().map(Violation::toJson).toList());
    }
    String message = getMessage();
    if (message != null) {
      body.put("message", message);
    }
    reason.ifPresent(
        why -> {
          body.put("reason", why.name());
          body.put("requestId", requestId);
        });
    retryAfterSeconds().ifPresent(seconds -> body.put("retryAfterSeconds", seconds));
    return body;
  }
}
