package io.github.credentialmanager.ops;

import static java.util.Objects.requireNonNull;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The key that now signs for an App. */
public final class ImportedKey {
  private final long appId;
  private final String keyArn;
  private final @Nullable String previousKeyArn;
  private final String fingerprint;
  private final boolean created;

  ImportedKey(
      long appId,
      String keyArn,
      @Nullable String previousKeyArn,
      String fingerprint,
      boolean created) {
    this.appId = appId;
    this.keyArn = requireNonNull(keyArn, "keyArn");
    this.previousKeyArn = previousKeyArn;
    this.fingerprint = requireNonNull(fingerprint, "fingerprint");
    this.created = created;
  }

  public long appId() {
    return appId;
  }

  /** The App's live KMS key. */
  public String keyArn() {
    return keyArn;
  }

  /** The key it replaced, which stays usable until it is retired; empty if there was none. */
  public Optional<String> previousKeyArn() {
    return Optional.ofNullable(previousKeyArn);
  }

  /** How the App's settings page shows the key. */
  public String fingerprint() {
    return fingerprint;
  }

  /** False if the App had this very key already, so that nothing was created or changed. */
  public boolean created() {
    return created;
  }

  @Override
  public String toString() {
    return "ImportedKey[appId=%d, keyArn=%s, fingerprint=%s, created=%s]"
        .formatted(appId, keyArn, fingerprint, created);
  }
}
