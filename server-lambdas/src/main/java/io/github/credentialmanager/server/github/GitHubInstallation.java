package io.github.credentialmanager.server.github;

import static java.util.Objects.requireNonNull;

import java.util.Optional;

/**
 * An installation as GitHub lists it.
 *
 * @param nodeId the GraphQL node id of the account
 * @param name the login of the organisation or user, the slug of the enterprise
 */
public record GitHubInstallation(
    long id, String nodeId, Optional<String> targetType, Optional<String> name, boolean suspended) {
  public GitHubInstallation {
    requireNonNull(nodeId, "nodeId");
    requireNonNull(targetType, "targetType");
    requireNonNull(name, "name");
  }
}
