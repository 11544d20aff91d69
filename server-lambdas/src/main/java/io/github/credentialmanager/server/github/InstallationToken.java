package io.github.credentialmanager.server.github;

import static java.util.Objects.requireNonNull;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A token that acts as an installation, and what GitHub granted with it.
 *
 * <p>No record, for a record prints its fields: {@link #toString()} never shows the token. The
 * token is opaque; nothing may be assumed about its length or letters.
 *
 * <p>Immutable.
 */
public final class InstallationToken {
  private final String value;
  private final Instant expiresAt;
  private final Map<String, String> permissions;
  private final Optional<List<Repository>> repositories;
  private final Optional<String> requestId;

  InstallationToken(
      String value,
      Instant expiresAt,
      Map<String, String> permissions,
      Optional<List<Repository>> repositories,
      Optional<String> requestId) {
    this.value = requireNonNull(value, "value");
    this.expiresAt = requireNonNull(expiresAt, "expiresAt");
    this.permissions = Map.copyOf(permissions);
    this.repositories = repositories.map(List::copyOf);
    this.requestId = requireNonNull(requestId, "requestId");
  }

  /** The token as it goes into an {@code Authorization} header. */
  public String value() {
    return value;
  }

  public Instant expiresAt() {
    return expiresAt;
  }

  /** The permissions granted, by GitHub's names, with their levels. */
  public Map<String, String> permissions() {
    return permissions;
  }

  /** The repositories granted; empty where GitHub lists none because the token has them all. */
  public Optional<List<Repository>> repositories() {
    return repositories;
  }

  /** GitHub's id of the request that made the token. */
  public Optional<String> requestId() {
    return requestId;
  }

  @Override
  public String toString() {
    return "InstallationToken[expires " + expiresAt + "]";
  }

  /**
   * A repository that a token may act on.
   *
   * @param name without the owner
   */
  public record Repository(long id, String name) {
    public Repository {
      requireNonNull(name, "name");
    }
  }
}
