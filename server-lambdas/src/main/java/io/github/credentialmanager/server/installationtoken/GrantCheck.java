package io.github.credentialmanager.server.installationtoken;

import io.github.credentialmanager.server.github.InstallationToken;
import io.github.credentialmanager.server.github.InstallationToken.Repository;
import io.github.credentialmanager.server.github.TokenScope;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Whether GitHub granted no more than it was asked for. */
final class GrantCheck {
  private static final List<String> LEVELS = List.of("read", "write", "admin");

  private GrantCheck() {}

  static boolean isWithin(TokenScope requested, InstallationToken granted) {
    return requested
            .permissions()
            .map(permissions -> permissionsAreWithin(permissions, granted.permissions()))
            .orElse(true)
        && repositoriesAreWithin(requested, granted);
  }

  private static boolean permissionsAreWithin(
      Map<String, String> requested, Map<String, String> granted) {
    return granted.entrySet().stream()
        .allMatch(
            grant ->
                // GitHub grants it with every repository permission ("Choosing permissions for a
                // GitHub App"), and it opens nothing beyond what the other permission implies.
                grant.equals(Map.entry("metadata", "read"))
                    || isAtMost(grant.getValue(), requested.get(grant.getKey())));
  }

  /** A level that is not known here is within itself only. */
  private static boolean isAtMost(String granted, @Nullable String requested) {
    if (requested == null) {
      return false;
    }
    int level = LEVELS.indexOf(granted);
    return granted.equals(requested) || (level >= 0 && level < LEVELS.indexOf(requested));
  }

  private static boolean repositoriesAreWithin(TokenScope requested, InstallationToken granted) {
    if (requested.repositoryIds().isEmpty() && requested.repositoryNames().isEmpty()) {
      return true;
    }
    if (granted.repositories().isEmpty()) {
      return false; // All of them, or a selection that cannot be checked.
    }
    Set<Long> ids = Set.copyOf(requested.repositoryIds().orElse(List.of()));
    Set<String> names =
        requested.repositoryNames().orElse(List.of()).stream()
            .map(GrantCheck::folded)
            .collect(Collectors.toSet());
    return granted.repositories().get().stream()
        .allMatch(
            (Repository repository) ->
                ids.contains(repository.id()) || names.contains(folded(repository.name())));
  }

  /** GitHub compares names of repositories without regard to case. */
  private static String folded(String name) {
    return name.toLowerCase(Locale.ROOT);
  }
}
