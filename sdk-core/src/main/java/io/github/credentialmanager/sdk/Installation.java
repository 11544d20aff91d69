package io.github.credentialmanager.sdk;

import static java.util.Objects.requireNonNull;

/**
 * One installation of a GitHub App, as the server's table has it.
 *
 * @param appId the GitHub App's number
 * @param installationId the installation's number; changes when the App is installed anew
 * @param nodeId the GraphQL node id of the account
 * @param targetType what the account is, {@code "Organization"} for example
 * @param name the account's login or slug
 */
public record Installation(
    long appId, long installationId, String nodeId, String targetType, String name) {
  public Installation {
    requireNonNull(nodeId, "nodeId");
    requireNonNull(targetType, "targetType");
    requireNonNull(name, "name");
  }
}
