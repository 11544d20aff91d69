package io.github.credentialmanager.sdk;

import static java.util.Objects.requireNonNull;

import java.time.Instant;

/**
 * What {@link CredentialManagerClient#refreshCachedData()} did.
 *
 * @param message the server's words
 * @param refreshedDate when it was done, by the server's clock
 */
public record RefreshSummary(String message, Instant refreshedDate) {
  public RefreshSummary {
    requireNonNull(message, "message");
    requireNonNull(refreshedDate, "refreshedDate");
  }
}
