package io.github.credentialmanager.local;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.credentialmanager.local.GitHubState.AccountType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a GitHub double starts with: accounts with repositories, Apps with installations.
 *
 * <p>The format of the file is described in the module's README. Reading is strict: what is not
 * understood is refused, with the JSON pointer (RFC 6901) of the place.
 */
record Seed(List<SeedAccount> accounts, List<SeedApp> apps) {

  /** An organisation, user or enterprise. */
  record SeedAccount(
      String login,
      AccountType type,
      @Nullable Long id,
      @Nullable String nodeId,
      List<SeedRepository> repositories) {}

  record SeedRepository(String name, @Nullable Long id, boolean isPrivate) {}

  /**
   * @param privateKeyFile null to have a key made
   * @param nextPrivateKeyFile another key that GitHub knows, to rotate to; null for none
   * @param imported whether KMS has the first key too, or only GitHub
   */
  record SeedApp(
      long id,
      String slug,
      String name,
      @Nullable Path privateKeyFile,
      @Nullable Path nextPrivateKeyFile,
      boolean imported,
      Map<String, String> permissions,
      List<SeedInstallation> installations) {}

  /**
   * @param permissions null for all that the App asks for
   * @param repositories null for all that the account has
   */
  record SeedInstallation(
      String account,
      @Nullable Long id,
      boolean suspended,
      @Nullable Map<String, String> permissions,
      @Nullable List<String> repositories) {}

  private static final Map<String, String> USUAL_PERMISSIONS =
      Map.of("metadata", "read", "contents", "write", "issues", "write", "pull_requests", "write");

  /** No Apps. */
  static Seed empty() {
    return new Seed(List.of(), List.of());
  }

  /** An App to try things with, installed on an organisation and on a user. */
  static Seed demo() {
    return new Seed(
        List.of(
            account("octo-org", AccountType.ORGANIZATION, "hello-world", "spoon-knife", "linguist"),
            account("octocat", AccountType.USER, "dotfiles", "boysenberry")),
        List.of(
            new SeedApp(
                1001,
                "demo",
                "Demo",
                null,
                null,
                true,
                USUAL_PERMISSIONS,
                List.of(
                    new SeedInstallation("octo-org", null, false, null, null),
                    new SeedInstallation("octocat", null, false, null, null)))));
  }

  private static SeedAccount account(String login, AccountType type, String... repositories) {
    return new SeedAccount(
        login,
        type,
        null,
        null,
        Arrays.stream(repositories).map(name -> new SeedRepository(name, null, true)).toList());
  }

  /**
   * Reads a file; paths in it are relative to its directory.
   *
   * @throws IllegalArgumentException if it is not as described, saying where
   * @throws IOException if it cannot be read
   */
  static Seed read(Path file) throws IOException {
    JsonNode root;
    try {
      root =
          JsonMapper.builder()
              .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
              .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
              .build()
              .readTree(Files.readAllBytes(file));
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(
          "%s:%d:%d: not JSON: %s"
              .formatted(
                  file,
                  e.getLocation().getLineNr(),
                  e.getLocation().getColumnNr(),
                  e.getOriginalMessage()));
    }
    return new Reader(file).seed(root);
  }

  /** Walks the tree, and knows where it is. */
  private static final class Reader {
    private static final Set<String> LEVELS = Set.of("read", "write", "admin");
    private final Path file;
    private final Set<String> logins = new HashSet<>();
    private final Set<Long> appIds = new HashSet<>();

    Reader(Path file) {
      this.file = file;
    }

    Seed seed(JsonNode root) {
      members(root, "", "accounts", "apps");
      List<SeedAccount> accounts = new ArrayList<>();
      each(root, "", "accounts", (node, at) -> accounts.add(account(node, at)));
      List<SeedApp> apps = new ArrayList<>();
      each(root, "", "apps", (node, at) -> apps.add(app(node, at)));
      return new Seed(List.copyOf(accounts), List.copyOf(apps));
    }

    private SeedAccount account(JsonNode node, String at) {
      members(node, at, "login", "type", "id", "nodeId", "repositories");
      String login = text(node, at, "login");
      if (!logins.add(login.toLowerCase(Locale.ROOT))) {
        throw wrong(at + "/login", "a second account of that name");
      }
      String type = node.has("type") ? text(node, at, "type") : "Organization";
      AccountType known =
          Arrays.stream(AccountType.values())
              .filter(it -> it.wireName.equals(type))
              .findFirst()
              .orElseThrow(() -> wrong(at + "/type", "must be Organization, User or Enterprise"));
      List<SeedRepository> repositories = new ArrayList<>();
      Set<String> names = new HashSet<>();
      each(
          node,
          at,
          "repositories",
          (repository, where) -> {
            SeedRepository read = repository(repository, where);
            if (!names.add(read.name().toLowerCase(Locale.ROOT))) {
              throw wrong(where, "a second repository of that name");
            }
            repositories.add(read);
          });
      return new SeedAccount(
          login,
          known,
          node.has("id") ? Long.valueOf(id(node, at, "id")) : null,
          node.has("nodeId") ? text(node, at, "nodeId") : null,
          List.copyOf(repositories));
    }

    private SeedRepository repository(JsonNode node, String at) {
      if (node.isTextual()) {
        return new SeedRepository(text(node, at), null, true);
      }
      members(node, at, "name", "id", "private");
      return new SeedRepository(
          text(node, at, "name"),
          node.has("id") ? Long.valueOf(id(node, at, "id")) : null,
          !node.has("private") || bool(node, at, "private"));
    }

    private SeedApp app(JsonNode node, String at) {
      members(
          node,
          at,
          "id",
          "slug",
          "name",
          "privateKeyFile",
          "nextPrivateKeyFile",
          "imported",
          "permissions",
          "installations");
      long id = id(node, at, "id");
      if (!appIds.add(id)) {
        throw wrong(at + "/id", "a second App of that id");
      }
      Path key = file(node, at, "privateKeyFile");
      boolean imported = !node.has("imported") || bool(node, at, "imported");
      if (!imported && key == null) {
        throw wrong(at + "/imported", "nobody has the key: name a privateKeyFile");
      }
      List<SeedInstallation> installations = new ArrayList<>();
      Set<String> accounts = new HashSet<>();
      each(
          node,
          at,
          "installations",
          (installation, where) -> {
            SeedInstallation read = installation(installation, where);
            if (!accounts.add(read.account().toLowerCase(Locale.ROOT))) {
              throw wrong(where + "/account", "the App is installed there already");
            }
            installations.add(read);
          });
      Map<String, String> permissions = permissions(node, at);
      return new SeedApp(
          id,
          node.has("slug") ? text(node, at, "slug") : "app-" + id,
          node.has("name") ? text(node, at, "name") : "App " + id,
          key,
          file(node, at, "nextPrivateKeyFile"),
          imported,
          permissions != null ? permissions : USUAL_PERMISSIONS,
          List.copyOf(installations));
    }

    private @Nullable Path file(JsonNode node, String at, String member) {
      if (!node.has(member)) {
        return null;
      }
      Path path = file.resolveSibling(text(node, at, member));
      if (!Files.isRegularFile(path)) {
        throw wrong(at + "/" + member, "there is no file " + path);
      }
      return path;
    }

    private SeedInstallation installation(JsonNode node, String at) {
      members(node, at, "account", "id", "suspended", "permissions", "repositories");
      String account = text(node, at, "account");
      if (!logins.contains(account.toLowerCase(Locale.ROOT))) {
        throw wrong(at + "/account", "there is no account \"" + account + "\" under /accounts");
      }
      List<String> repositories = null;
      if (node.has("repositories")) {
        List<String> names = new ArrayList<>();
        each(node, at, "repositories", (name, where) -> names.add(text(name, where)));
        repositories = List.copyOf(names);
      }
      return new SeedInstallation(
          account,
          node.has("id") ? Long.valueOf(id(node, at, "id")) : null,
          node.has("suspended") && bool(node, at, "suspended"),
          permissions(node, at),
          repositories);
    }

    private @Nullable Map<String, String> permissions(JsonNode node, String at) {
      if (!node.has("permissions")) {
        return null;
      }
      String where = at + "/permissions";
      Map<String, String> permissions = new LinkedHashMap<>();
      for (Map.Entry<String, JsonNode> permission : object(node.get("permissions"), where)) {
        String level = permission.getValue().asText();
        if (!LEVELS.contains(level)) {
          throw wrong(where + "/" + permission.getKey(), "must be read, write or admin");
        }
        permissions.put(permission.getKey(), level);
      }
      return permissions;
    }

    private void members(JsonNode node, String at, String... known) {
      for (Map.Entry<String, JsonNode> member : object(node, at)) {
        if (!List.of(known).contains(member.getKey())) {
          throw wrong(
              at + "/" + member.getKey(), "not known here; known are " + String.join(", ", known));
        }
      }
    }

    private Set<Map.Entry<String, JsonNode>> object(JsonNode node, String at) {
      if (!node.isObject()) {
        throw wrong(at, "must be an object");
      }
      return node.properties();
    }

    @FunctionalInterface
    private interface Element {
      void read(JsonNode node, String at);
    }

    private void each(JsonNode node, String at, String member, Element element) {
      JsonNode array = node.path(member);
      if (array.isMissingNode()) {
        return;
      }
      if (!array.isArray()) {
        throw wrong(at + "/" + member, "must be a list");
      }
      for (int i = 0; i < array.size(); i++) {
        element.read(array.get(i), at + "/" + member + "/" + i);
      }
    }

    private String text(JsonNode node, String at, String member) {
      return text(node.path(member), at + "/" + member);
    }

    private String text(JsonNode node, String at) {
      if (!node.isTextual() || node.textValue().isBlank()) {
        throw wrong(at, node.isMissingNode() ? "is missing" : "must be a text");
      }
      return node.textValue();
    }

    private long id(JsonNode node, String at, String member) {
      JsonNode value = node.path(member);
      if (!value.isIntegralNumber() || !value.canConvertToLong() || value.longValue() < 1) {
        throw wrong(
            at + "/" + member,
            value.isMissingNode() ? "is missing" : "must be a whole number above 0");
      }
      return value.longValue();
    }

    private boolean bool(JsonNode node, String at, String member) {
      if (!node.path(member).isBoolean()) {
        throw wrong(at + "/" + member, "must be true or false");
      }
      return node.path(member).booleanValue();
    }

    private IllegalArgumentException wrong(String at, String what) {
      return new IllegalArgumentException(file + ": " + (at.isEmpty() ? "/" : at) + ": " + what);
    }
  }
}
