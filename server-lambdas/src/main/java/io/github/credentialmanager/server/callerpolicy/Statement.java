package io.github.credentialmanager.server.callerpolicy;

import io.github.credentialmanager.server.github.TokenScope;
import io.github.credentialmanager.server.json.JsonException;
import io.github.credentialmanager.server.json.JsonObject;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What one caller may have. A part that is empty does not limit.
 *
 * @param repositoryNames in lower case, as GitHub compares them without regard to case
 */
record Statement(
    Principal principal,
    Set<Long> appIds,
    Optional<Set<String>> nodeIds,
    Optional<Set<Long>> repositoryIds,
    Optional<Set<String>> repositoryNames,
    Optional<Map<String, String>> permissions) {
  private static final Set<String> MEMBERS =
      Set.of(
          "account",
          "role",
          "user",
          "appIds",
          "nodeIds",
          "repositoryIds",
          "repositoryNames",
          "permissions");
  private static final List<String> LEVELS = List.of("read", "write", "admin");

  static Statement read(String path, JsonObject json) {
    for (String name : json.names()) {
      if (!MEMBERS.contains(name)) {
        throw new JsonException(path + " has an unknown member");
      }
    }
    Statement statement =
        new Statement(
            principal(path, json),
            set(path + "/appIds", json.integers("appIds"))
                .orElseThrow(() -> new JsonException(path + "/appIds is missing")),
            set(path + "/nodeIds", json.strings("nodeIds")),
            set(path + "/repositoryIds", json.integers("repositoryIds")),
            set(path + "/repositoryNames", json.strings("repositoryNames")).map(Statement::folded),
            permissions(path + "/permissions", json));
    requireNoNull(path, json);
    return statement;
  }

  private static Principal principal(String path, JsonObject json) {
    String account =
        json.string("account")
            .filter(text -> text.matches("[0-9]{12}"))
            .orElseThrow(() -> new JsonException(path + "/account must be twelve digits"));
    Optional<String> role = json.string("role");
    Optional<String> user = json.string("user");
    if (role.isPresent() == user.isPresent()) {
      throw new JsonException(path + " must name either a role or a user");
    }
    String name =
        role.or(() -> user)
            .filter(text -> text.matches(Principal.NAME))
            .orElseThrow(
                () -> new JsonException(path + ": role and user take a name, without its path"));
    return new Principal(account, role.isPresent() ? "role" : "user", name);
  }

  private static <T> Optional<Set<T>> set(String path, Optional<List<@Nullable T>> list) {
    return list.map(
        elements -> {
          Set<T> set = new HashSet<>();
          for (T element : elements) {
            if (element == null) {
              throw new JsonException(path + " holds null");
            }
            set.add(element);
          }
          if (set.isEmpty()) {
            throw new JsonException(path + " is empty; leave it out not to limit");
          }
          return Set.copyOf(set);
        });
  }

  private static Optional<Map<String, String>> permissions(String path, JsonObject json) {
    return json.stringMap("permissions")
        .map(
            levels -> {
              Map<String, String> permissions = new HashMap<>();
              levels.forEach(
                  (name, level) -> {
                    if (level == null || !LEVELS.contains(level)) {
                      throw new JsonException(path + " takes the levels read, write and admin");
                    }
                    permissions.put(name, level);
                  });
              if (permissions.isEmpty()) {
                throw new JsonException(path + " is empty; leave it out not to limit");
              }
              return Map.copyOf(permissions);
            });
  }

  /** A limit of {@code null} would read like none. */
  private static void requireNoNull(String path, JsonObject json) {
    json.asMap()
        .forEach(
            (name, value) -> {
              if (value == null) {
                throw new JsonException(path + "/" + name + " is null");
              }
            });
  }

  private static Set<String> folded(Iterable<String> names) {
    Set<String> folded = new HashSet<>();
    names.forEach(name -> folded.add(name.toLowerCase(Locale.ROOT)));
    return Set.copyOf(folded);
  }

  Optional<Limit> refusalOfAppToken(Principal caller, long appId) {
    return refusalOfApp(caller, appId)
        .or(() -> nodeIds.map(limit -> Limit.ACCOUNT))
        .or(() -> limitsRepositories() ? Optional.of(Limit.REPOSITORIES) : Optional.empty())
        .or(() -> permissions.map(limit -> Limit.PERMISSIONS));
  }

  Optional<Limit> refusalOfInstallationToken(
      Principal caller, long appId, String nodeId, TokenScope scope) {
    return refusalOfApp(caller, appId)
        .or(() -> nodeIds.filter(limit -> !limit.contains(nodeId)).map(limit -> Limit.ACCOUNT))
        .or(() -> allowsRepositories(scope) ? Optional.empty() : Optional.of(Limit.REPOSITORIES))
        .or(() -> allowsPermissions(scope) ? Optional.empty() : Optional.of(Limit.PERMISSIONS));
  }

  private Optional<Limit> refusalOfApp(Principal caller, long appId) {
    if (!principal.equals(caller)) {
      return Optional.of(Limit.CALLER);
    }
    return appIds.contains(appId) ? Optional.empty() : Optional.of(Limit.APP);
  }

  private boolean limitsRepositories() {
    return repositoryIds.isPresent() || repositoryNames.isPresent();
  }

  private boolean allowsRepositories(TokenScope scope) {
    if (!limitsRepositories()) {
      return true;
    }
    if (scope.repositoryIds().isEmpty() && scope.repositoryNames().isEmpty()) {
      return false;
    }
    return repositoryIds.orElseGet(Set::of).containsAll(scope.repositoryIds().orElseGet(List::of))
        && repositoryNames
            .orElseGet(Set::of)
            .containsAll(folded(scope.repositoryNames().orElseGet(List::of)));
  }

  private boolean allowsPermissions(TokenScope scope) {
    if (permissions.isEmpty()) {
      return true;
    }
    Map<String, String> most = permissions.get();
    return scope.permissions().isPresent()
        && scope.permissions().get().entrySet().stream()
            .allMatch(asked -> isAtMost(asked.getValue(), most.get(asked.getKey())));
  }

  private static boolean isAtMost(String asked, @Nullable String most) {
    int level = LEVELS.indexOf(asked);
    return most != null && level >= 0 && level <= LEVELS.indexOf(most);
  }
}
