package io.github.credentialmanager.sdk;

/**
 * The five operations of the Credential Manager. Each has an URL of its own, so that IAM can grant
 * each on its own.
 */
public enum Operation {
  GET_APP_TOKEN("GetAppToken", "tokens/app", "APP_TOKEN"),
  GET_INSTALLATION_TOKEN("GetInstallationToken", "tokens/installation", "INSTALLATION_TOKEN"),
  REFRESH_CACHED_DATA("RefreshCachedData", "installations/refresh", "REFRESH"),
  GET_INSTALLATION_DATA("GetInstallationData", "installations/info", "INSTALLATION_DATA"),
  GET_INSTALLATIONS("GetInstallations", "installations", "INSTALLATIONS");

  private final String wireName;
  private final String path;
  private final String variable;

  Operation(String wireName, String path, String variable) {
    this.wireName = wireName;
    this.path = path;
    this.variable = "CREDENTIAL_MANAGER_" + variable + "_ENDPOINT";
  }

  /** The name in the contract, {@code "GetAppToken"}. */
  String wireName() {
    return wireName;
  }

  /** The path under the operation's endpoint, without the leading slash. */
  String path() {
    return path;
  }

  /** The environment variable that holds this operation's endpoint. */
  String variable() {
    return variable;
  }
}
