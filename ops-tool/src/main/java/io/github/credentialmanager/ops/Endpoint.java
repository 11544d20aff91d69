package io.github.credentialmanager.ops;

import java.net.URI;

/** The five operations, each with a URL of its own. */
enum Endpoint {
  GET_APP_TOKEN("GetAppToken", "AppTokenEndpoint", "APP_TOKEN", "/tokens/app"),
  GET_INSTALLATION_TOKEN(
      "GetInstallationToken",
      "InstallationAccessTokenEndpoint",
      "INSTALLATION_TOKEN",
      "/tokens/installation"),
  REFRESH_CACHED_DATA(
      "RefreshCachedData", "RefreshCachedDataEndpoint", "REFRESH", "/installations/refresh"),
  GET_INSTALLATION_DATA(
      "GetInstallationData",
      "InstallationCachedDataEndpoint",
      "INSTALLATION_DATA",
      "/installations/info"),
  GET_INSTALLATIONS("GetInstallations", "InstallationsEndpoint", "INSTALLATIONS", "/installations");

  /** Names one URL for all operations. */
  static final String ALL = "CREDENTIAL_MANAGER_ENDPOINT";

  private final String operation;
  private final String tagValue;
  private final String variable;
  private final String path;

  Endpoint(String operation, String tagValue, String variable, String path) {
    this.operation = operation;
    this.tagValue = tagValue;
    this.variable = "CREDENTIAL_MANAGER_" + variable + "_ENDPOINT";
    this.path = path;
  }

  String operation() {
    return operation;
  }

  /** The value of the {@code CredentialManager} tag on the function behind it. */
  String tagValue() {
    return tagValue;
  }

  /** The environment variable that the SDK reads the URL from. */
  String variable() {
    return variable;
  }

  /** The operation's URL under a base URL, which may have its path already. */
  URI under(URI base) {
    String text = base.toString().replaceAll("/+$", "");
    return URI.create(text.endsWith(path) ? text : text + path);
  }
}
