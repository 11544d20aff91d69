package io.github.credentialmanager.server.functionurl;

import static java.util.Objects.requireNonNull;

import java.util.Optional;

/**
 * Whom IAM let in.
 *
 * @param account the account of the caller, which need not be the function's
 * @param arn of an assumed role: its last part is of the caller's own choosing
 */
public record Caller(String account, Optional<String> arn, Optional<String> accessKeyId) {
  public Caller {
    requireNonNull(account, "account");
    requireNonNull(arn, "arn");
    requireNonNull(accessKeyId, "accessKeyId");
  }
}
