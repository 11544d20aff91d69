package io.github.credentialmanager.server.github;

import static java.util.Objects.requireNonNull;

import java.time.Instant;

/**
 * One of the limits on how often an installation may call GitHub.
 *
 * @param limit the most calls within a period
 * @param used how many were made in this one
 * @param remaining how many are left
 * @param reset when the next period begins
 */
public record RateLimit(long limit, long used, long remaining, Instant reset) {
  public RateLimit {
    requireNonNull(reset, "reset");
  }
}
