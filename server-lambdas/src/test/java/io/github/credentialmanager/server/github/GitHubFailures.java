package io.github.credentialmanager.server.github;

import java.time.Duration;
import java.util.Optional;

/** Failures of GitHub for tests that double {@link GitHubApi} itself. */
public final class GitHubFailures {
  private GitHubFailures() {}

  public static GitHubException of(GitHubException.Cause cause) {
    return new GitHubException(
        cause, Optional.empty(), Optional.<Duration>empty(), Optional.empty(), false, null);
  }
}
