package io.github.credentialmanager.server.github;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What a token is narrowed to. A part that is empty does not narrow; an empty list or map would be
 * read by GitHub as everything, and is refused.
 *
 * @param repositoryNames without the owner
 * @param permissions by GitHub's names, {@code read}, {@code write} or {@code admin}
 */
public record TokenScope(
    Optional<List<Long>> repositoryIds,
    Optional<List<String>> repositoryNames,
    Optional<Map<String, String>> permissions) {

  public TokenScope {
    repositoryIds = repositoryIds.map(List::copyOf);
    repositoryNames = repositoryNames.map(List::copyOf);
    permissions = permissions.map(Map::copyOf);
    if (repositoryIds.filter(List::isEmpty).isPresent()
        || repositoryNames.filter(List::isEmpty).isPresent()
        || permissions.filter(Map::isEmpty).isPresent()) {
      throw new IllegalArgumentException("an empty list or map is not a scope");
    }
  }

  /** The scope that does not narrow. */
  public static TokenScope everything() {
    return new TokenScope(Optional.empty(), Optional.empty(), Optional.empty());
  }

  /** The members that are present, by the names of the wire contract. */
  public Map<String, Object> toJson() {
    Map<String, Object> members = new TreeMap<>();
    repositoryIds.ifPresent(ids -> members.put("repositoryIds", ids));
    repositoryNames.ifPresent(names -> members.put("repositoryNames", names));
    permissions.ifPresent(levels -> members.put("permissions", levels));
    return members;
  }
}
