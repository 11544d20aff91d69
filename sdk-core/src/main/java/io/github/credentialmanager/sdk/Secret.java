package io.github.credentialmanager.sdk;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import java.security.MessageDigest;
import org.jspecify.annotations.Nullable;

/**
 * A value that never prints itself.
 *
 * <p>{@link #reveal()} is the only way to the value, so a search for it finds every place where one
 * leaves. Not serializable on purpose.
 */
public final class Secret {
  private final String value;

  private Secret(String value) {
    this.value = value;
  }

  /**
   * A secret with this value.
   *
   * @throws IllegalArgumentException if the value is empty
   */
  public static Secret of(String value) {
    requireNonNull(value, "value");
    if (value.isEmpty()) {
      throw new IllegalArgumentException("A secret is not empty.");
    }
    return new Secret(value);
  }

  /** The value itself. Keep it out of logs, messages and records. */
  public String reveal() {
    return value;
  }

  /** Compares values in a time that does not depend on where they differ. */
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Secret secret
        && MessageDigest.isEqual(value.getBytes(UTF_8), secret.value.getBytes(UTF_8));
  }

  @Override
  public int hashCode() {
    return value.hashCode();
  }

  /** The same text for every secret. */
  @Override
  public String toString() {
    return "Secret[…]";
  }
}
