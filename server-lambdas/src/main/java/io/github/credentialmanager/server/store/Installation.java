package io.github.credentialmanager.server.store;

import static java.util.Objects.requireNonNull;

import java.util.Optional;

/**
 * An App installed on an account, as the Installation table knows it.
 *
 * @param nodeId the GraphQL node id of the account
 * @param targetType {@code Organization}, {@code User} or {@code Enterprise}
 * @param name the login of the organisation or user, the slug of the enterprise
 * @param suspended whether GitHub makes no tokens for it
 */
public record Installation(
    long appId,
    String nodeId,
    long installationId,
    Optional<String> targetType,
    Optional<String> name,
    boolean suspended) {
  public Installation {
    requireNonNull(nodeId, "nodeId");
    requireNonNull(targetType, "targetType");
    requireNonNull(name, "name");
  }
}
