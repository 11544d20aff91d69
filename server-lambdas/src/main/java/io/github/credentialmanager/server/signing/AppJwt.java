package io.github.credentialmanager.server.signing;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.time.Instant;

/**
 * The JSON Web Token by which a program acts as a GitHub App, and the key that signed it.
 *
 * <p>No record, for a record prints its fields: {@link #toString()} never shows the token.
 *
 * <p>Immutable.
 */
public final class AppJwt {
  private final String value;
  private final String keyArn;
  private final Instant signedAt;
  private final Instant expiresAt;

  AppJwt(String value, String keyArn, Instant signedAt, Instant expiresAt) {
    this.value = requireNonNull(value, "value");
    this.keyArn = requireNonNull(keyArn, "keyArn");
    this.signedAt = requireNonNull(signedAt, "signedAt");
    this.expiresAt = requireNonNull(expiresAt, "expiresAt");
  }

  /** The token as it goes into an {@code Authorization} header. */
  public String value() {
    return value;
  }

  /** The ARN of the KMS key that signed it. */
  public String keyArn() {
    return keyArn;
  }

  public Instant signedAt() {
    return signedAt;
  }

  /** The {@code exp} claim. */
  public Instant expiresAt() {
    return expiresAt;
  }

  /** Whether at least half of its life is left, by wall clock. */
  public boolean hasHalfItsLifeAt(Instant now) {
    Duration half = Duration.between(signedAt, expiresAt).dividedBy(2);
    return !now.isBefore(signedAt) && !now.isAfter(expiresAt.minus(half));
  }

  @Override
  public String toString() {
    return "AppJwt[signed by " + keyArn + ", expires " + expiresAt + "]";
  }
}
