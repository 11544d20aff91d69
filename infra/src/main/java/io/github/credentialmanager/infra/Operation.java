package io.github.credentialmanager.infra;

/**
 * An operation of the Credential Manager, which callers are granted one by one.
 *
 * <p>Each is a function of its own behind a Function URL of its own, because that is the finest
 * grain at which IAM decides.
 */
public enum Operation {
  /** Vends a JSON web token that speaks for the App itself. */
  GET_APP_TOKEN(
      "GetAppToken",
      "apptoken.GetAppTokenHandler",
      "AppTokenEndpoint",
      "CREDENTIAL_MANAGER_APP_TOKEN_ENDPOINT"),
  /** Vends a token for one installation, narrowed on request. */
  GET_INSTALLATION_TOKEN(
      "GetInstallationToken",
      "installationtoken.GetInstallationTokenHandler",
      "InstallationAccessTokenEndpoint",
      "CREDENTIAL_MANAGER_INSTALLATION_TOKEN_ENDPOINT"),
  /** Brings the table of installations up to date with GitHub. */
  REFRESH_CACHED_DATA(
      "RefreshCachedData",
      "refresh.RefreshCachedDataHandler",
      "RefreshCachedDataEndpoint",
      "CREDENTIAL_MANAGER_REFRESH_ENDPOINT"),
  /** Reads the installations of one account. */
  GET_INSTALLATION_DATA(
      "GetInstallationData",
      "installations.GetInstallationDataHandler",
      "InstallationCachedDataEndpoint",
      "CREDENTIAL_MANAGER_INSTALLATION_DATA_ENDPOINT"),
  /** Reads all installations, page by page. */
  GET_INSTALLATIONS(
      "GetInstallations",
      "installations.GetInstallationsHandler",
      "InstallationsEndpoint",
      "CREDENTIAL_MANAGER_INSTALLATIONS_ENDPOINT");

  private final String constructId;
  private final String handler;
  private final String endpointTag;
  private final String environmentVariable;

  Operation(String constructId, String handler, String endpointTag, String environmentVariable) {
    this.constructId = constructId;
    this.handler = handler;
    this.endpointTag = endpointTag;
    this.environmentVariable = environmentVariable;
  }

  String constructId() {
    return constructId;
  }

  /** Whether it hands out tokens, so that a caller policy has something to say about it. */
  boolean vends() {
    return this == GET_APP_TOKEN || this == GET_INSTALLATION_TOKEN;
  }

  /** Whether it calls GitHub; the others read a table only. */
  boolean asksGitHub() {
    return vends() || this == REFRESH_CACHED_DATA;
  }

  /** The handler's class below the server's root package. */
  String handler() {
    return handler;
  }

  /** The value of the function's tag {@code CredentialManager}, by which tools find it. */
  String endpointTag() {
    return endpointTag;
  }

  /** The variable from which the SDK reads the endpoint. */
  String environmentVariable() {
    return environmentVariable;
  }
}
