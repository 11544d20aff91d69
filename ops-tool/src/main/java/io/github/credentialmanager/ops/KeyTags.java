package io.github.credentialmanager.ops;

import java.util.Map;

/** The tags on a KMS key, and the values of its {@code Status}. */
final class KeyTags {
  static final String MANAGED = "FrameworkForGitHubAppOnAwsManaged";
  static final String STATUS = "Status";
  static final String APP_ID = "AppId";
  static final String CREATED_ON = "CreatedOn";
  static final String FAILED_ON = "FailedOn";
  static final String REPLACED_BY = "ReplacedBy";
  static final String REPLACED_ON = "ReplacedOn";

  /** The stack's own tag on its tables and functions, with the value of {@link #MANAGED}. */
  static final String RESOURCE = "CredentialManager";

  /** The server may sign with the key. */
  static final String ACTIVE = "Active";

  /** Retired. */
  static final String INACTIVE = "Inactive";

  /** Its import did not finish and it was never live. */
  static final String FAILED = "Failed";

  private KeyTags() {}

  /** Whether the server's policy lets it sign with a key that has these. */
  static boolean allowSigning(Map<String, String> tags) {
    return ACTIVE.equals(tags.get(STATUS)) && "true".equals(tags.get(MANAGED));
  }
}
