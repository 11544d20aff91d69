package io.github.credentialmanager.server.functionurl;

import io.github.credentialmanager.server.github.GitHubException;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.awscore.exception.AwsServiceException;

/**
 * What the log says of a failure.
 *
 * <p>Names, codes and places, never another's message: AWS quotes the caller's headers in some of
 * them, session token included.
 */
public final class Diagnosis {
  private static final int MAX_CAUSES = 5;
  private static final int MAX_FRAMES = 8;

  private Diagnosis() {}

  public static Map<String, Object> of(@Nullable Throwable failure) {
    Map<String, Object> members = new TreeMap<>();
    StringBuilder names = new StringBuilder();
    Throwable root = failure;
    int causes = 0;
    for (Throwable cause = failure; cause != null && causes < MAX_CAUSES; causes++) {
      names.append(names.isEmpty() ? "" : " < ").append(cause.getClass().getSimpleName());
      describe(cause, members);
      root = cause;
      cause = cause.getCause();
    }
    if (root != null) {
      members.put("failure", names.toString());
      members.put(
          "failedAt",
          Arrays.stream(root.getStackTrace())
              .limit(MAX_FRAMES)
              .map(frame -> frame.getClassName() + ":" + frame.getLineNumber())
              .toList());
    }
    return members;
  }

  private static void describe(Throwable cause, Map<String, Object> members) {
    if (cause instanceof GitHubException gitHub) {
      members.put("gitHubCause", gitHub.reason().name());
      gitHub.gitHubMessage().ifPresent(message -> members.put("gitHubMessage", message));
      gitHub.requestId().ifPresent(id -> members.put("gitHubRequestId", id));
    } else if (cause instanceof AwsServiceException aws) {
      members.put("awsStatus", aws.statusCode());
      if (aws.awsErrorDetails() != null && aws.awsErrorDetails().errorCode() != null) {
        members.put("awsErrorCode", aws.awsErrorDetails().errorCode());
      }
      if (aws.requestId() != null) {
        members.put("awsRequestId", aws.requestId());
      }
    }
  }
}
