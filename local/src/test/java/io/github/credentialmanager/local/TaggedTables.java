package io.github.credentialmanager.local;

import java.util.Map;

/** Makes tables known to {@code tag:GetResources} of a KMS that runs without the whole stack. */
public final class TaggedTables {
  private TaggedTables() {}

  /** Tags a table as a deployment tags its App table. */
  public static void tagAsAppTable(LocalKms kms, String table) {
    kms.register(
        "arn:aws:dynamodb:us-east-1:%s:table/%s".formatted(Identities.ACCOUNT, table),
        Map.of(
            "FrameworkForGitHubAppOnAwsManaged", "CredentialManager",
            "CredentialManager", "AppTable"));
  }
}
