package io.github.credentialmanager.server.store;

import static java.util.Objects.requireNonNull;

import java.util.Optional;

/**
 * Which KMS key an App signs with.
 *
 * @param previousKmsKeyArn the key before a rotation that is not finished
 */
public record AppRow(long appId, String kmsKeyArn, Optional<String> previousKmsKeyArn) {
  public AppRow {
    requireNonNull(kmsKeyArn, "kmsKeyArn");
    requireNonNull(previousKmsKeyArn, "previousKmsKeyArn");
  }
}
