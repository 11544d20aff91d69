package io.github.credentialmanager.server.github;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Says why GitHub refused, or that it did not answer. */
public final class GitHubException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** What GitHub's answer means. */
  public enum Cause {
    /** The credentials are not accepted (401). */
    UNAUTHORIZED,
    /** There is no such thing, or not for this App (404). */
    NOT_FOUND,
    /** The installation is suspended (403). */
    SUSPENDED,
    /** Not allowed for another reason (403). */
    FORBIDDEN,
    /** Understood and not granted (422). */
    UNPROCESSABLE,
    /** GitHub asks for fewer requests (429, and 403 with the signs of it). */
    THROTTLED,
    /** No answer in time. */
    TIMEOUT,
    /** No connection, a server error, or an answer that is not as documented. */
    UNAVAILABLE
  }

  private final Cause reason;
  private final transient Optional<String> gitHubMessage;
  private final transient Optional<Duration> retryAfter;
  private final transient Optional<String> requestId;
  private final boolean passing;

  /**
   * @param passing whether the same request may succeed a moment later
   */
  GitHubException(
      Cause reason,
      Optional<String> gitHubMessage,
      Optional<Duration> retryAfter,
      Optional<String> requestId,
      boolean passing,
      @Nullable Throwable cause) {
    super("GitHub: " + reason + gitHubMessage.map(message -> ", " + message).orElse(""), cause);
    this.reason = requireNonNull(reason, "reason");
    this.gitHubMessage = gitHubMessage;
    this.retryAfter = retryAfter;
    this.requestId = requestId;
    this.passing = passing;
  }

  /** There was no answer in time. */
  static GitHubException timeout(Throwable cause) {
    return new GitHubException(
        Cause.TIMEOUT, Optional.empty(), Optional.empty(), Optional.empty(), true, cause);
  }

  /** The connection was not to be had, or lost. */
  static GitHubException noAnswer(@Nullable Throwable cause) {
    return new GitHubException(
        Cause.UNAVAILABLE, Optional.empty(), Optional.empty(), Optional.empty(), true, cause);
  }

  /** There was an answer that is not as documented. */
  static GitHubException undocumented(Optional<String> requestId, @Nullable Throwable cause) {
    return new GitHubException(
        Cause.UNAVAILABLE, Optional.empty(), Optional.empty(), requestId, false, cause);
  }

  public Cause reason() {
    return reason;
  }

  /**
   * The {@code message} of GitHub's answer and the link to its documentation, at most 300 printable
   * characters.
   */
  public Optional<String> gitHubMessage() {
    return gitHubMessage;
  }

  /** How long GitHub asks to wait. */
  public Optional<Duration> retryAfter() {
    return retryAfter;
  }

  boolean isPassing() {
    return passing;
  }

  /** GitHub's id of the request. */
  public Optional<String> requestId() {
    return requestId;
  }
}
