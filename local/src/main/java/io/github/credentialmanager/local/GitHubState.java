package io.github.credentialmanager.local;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the GitHub double knows: accounts, repositories, Apps, installations, tokens.
 *
 * <p>Guarded by its own monitor: whoever touches it or what it holds synchronizes on it.
 */
final class GitHubState {
  static final Duration TOKEN_LIFE = Duration.ofHours(1);

  /** The kinds of account an App is installed on, with the names on the wire. */
  enum AccountType {
    ORGANIZATION("Organization", "O"),
    USER("User", "U"),
    ENTERPRISE("Enterprise", "E");

    final String wireName;
    private final String nodeIdPrefix;

    AccountType(String wireName, String nodeIdPrefix) {
      this.wireName = wireName;
      this.nodeIdPrefix = nodeIdPrefix;
    }
  }

  static final class Account {
    final AccountType type;
    final long id;
    final String login;
    final String nodeId;
    final Map<String, Repository> repositories = new LinkedHashMap<>();

    Account(AccountType type, long id, String login, String nodeId) {
      this.type = type;
      this.id = id;
      this.login = login;
      this.nodeId = nodeId;
    }
  }

  record Repository(Account owner, long id, String name, boolean isPrivate) {
    String nodeId() {
      return GitHubState.nodeId("R", id);
    }

    String fullName() {
      return owner.login + "/" + name;
    }
  }

  static final class App {
    final long id;
    final String slug;
    final String name;
    final Map<String, String> permissions;
    final Set<PublicKey> keys = new LinkedHashSet<>();
    final RateLimit rateLimit = new RateLimit();

    App(long id, String slug, String name, Map<String, String> permissions) {
      this.id = id;
      this.slug = slug;
      this.name = name;
      this.permissions = Map.copyOf(permissions);
    }

    String clientId() {
      return "Iv23li%014d".formatted(id);
    }
  }

  static final class Installation {
    final App app;
    final Account account;
    final long id;
    final Instant created;
    final RateLimit rateLimit = new RateLimit();
    Map<String, String> permissions;
    boolean accountHidden;
    @Nullable Instant suspended;

    /** Names in lower case; null for all of the account's repositories. */
    @Nullable Set<String> selected;

    Installation(App app, Account account, long id, Instant created) {
      this.app = app;
      this.account = account;
      this.id = id;
      this.created = created;
      this.permissions = app.permissions;
    }

    List<Repository> repositories() {
      Set<String> names = selected;
      return account.repositories.values().stream()
          .filter(it -> names == null || names.contains(it.name().toLowerCase(Locale.ROOT)))
          .toList();
    }
  }

  /**
   * @param repositories null for all the installation has, also those it gets later
   */
  record Token(
      Installation installation,
      Instant minted,
      Map<String, String> permissions,
      @Nullable List<Repository> repositories) {

    Instant expires() {
      return minted.plus(TOKEN_LIFE);
    }

    List<Repository> readable() {
      return repositories == null ? installation.repositories() : repositories;
    }

    @Override
    public String toString() {
      return "Token of installation " + installation.id;
    }
  }

  /** The primary rate limit of one caller: a number of requests in an hour. */
  static final class RateLimit {
    private static final Duration WINDOW = Duration.ofHours(1);
    private Instant reset = Instant.MIN;
    private int used;

    void count(Instant now) {
      roll(now);
      used++;
    }

    int used(Instant now) {
      roll(now);
      return used;
    }

    Instant reset(Instant now) {
      roll(now);
      return reset;
    }

    void exhaust(Instant now, int limit) {
      roll(now);
      used = limit;
    }

    private void roll(Instant now) {
      if (!now.isBefore(reset)) {
        reset = now.plus(WINDOW);
        used = 0;
      }
    }
  }

  private final SecureRandom random = new SecureRandom();
  private final Map<String, Account> accounts = new LinkedHashMap<>();
  private final Map<Long, App> apps = new LinkedHashMap<>();
  private final Map<Long, Installation> installations = new LinkedHashMap<>();
  private final Map<String, Token> tokens = new HashMap<>();
  private long nextAccountId = 9_919;
  private long nextRepositoryId = 1_296_269_000L;
  private long nextInstallationId = 60_000_001;
  private long minted;

  boolean shortTokens;
  Duration tokenDelay = Duration.ZERO;
  int requestsAnHour = 5_000;
  boolean rateLimitOff;

  /** An account that is there already, or a new one. */
  Account account(AccountType type, String login) {
    Account known = accounts.get(key(login));
    return known != null ? known : addAccount(type, login, null, null);
  }

  /**
   * @param nodeId null for one as GitHub makes it
   */
  Account addAccount(AccountType type, String login, @Nullable Long id, @Nullable String nodeId) {
    long accountId = id != null ? id : nextAccountId++;
    Account account =
        new Account(
            type, accountId, login, nodeId != null ? nodeId : nodeId(type.nodeIdPrefix, accountId));
    if (accounts.putIfAbsent(key(login), account) != null) {
      throw new IllegalArgumentException("There is an account " + login + " already.");
    }
    return account;
  }

  Repository addRepository(Account account, String name, @Nullable Long id, boolean isPrivate) {
    Repository repository =
        new Repository(account, id != null ? id : nextRepositoryId++, name, isPrivate);
    if (account.repositories.putIfAbsent(key(name), repository) != null) {
      throw new IllegalArgumentException("There is a repository " + repository.fullName() + ".");
    }
    return repository;
  }

  App addApp(long id, String slug, String name, Map<String, String> permissions) {
    App app = new App(id, slug, name, permissions);
    if (apps.putIfAbsent(id, app) != null) {
      throw new IllegalArgumentException("There is an App " + id + " already.");
    }
    return app;
  }

  Installation install(App app, Account account, @Nullable Long id, Instant now) {
    if (installationsOf(app).stream().anyMatch(it -> it.account == account)) {
      throw new IllegalArgumentException(
          "App " + app.id + " is installed on " + account.login + " already.");
    }
    Installation installation =
        new Installation(app, account, id != null ? id : nextInstallationId++, now);
    if (installations.putIfAbsent(installation.id, installation) != null) {
      throw new IllegalArgumentException("There is an installation " + installation.id + ".");
    }
    return installation;
  }

  void uninstall(Installation installation) {
    installations.remove(installation.id);
    revokeTokens(installation);
  }

  void revokeTokens(Installation installation) {
    tokens.values().removeIf(token -> token.installation() == installation);
  }

  boolean revoke(String token) {
    return tokens.remove(token) != null;
  }

  /** The App of an id or a client id. */
  Optional<App> app(String issuer) {
    return apps.values().stream()
        .filter(app -> issuer.equals(Long.toString(app.id)) || issuer.equals(app.clientId()))
        .findFirst();
  }

  List<App> apps() {
    return List.copyOf(apps.values());
  }

  Optional<Installation> installation(App app, long id) {
    return Optional.ofNullable(installations.get(id)).filter(it -> it.app == app);
  }

  List<Installation> installationsOf(App app) {
    return installations.values().stream().filter(it -> it.app == app).toList();
  }

  Optional<Account> account(String login) {
    return Optional.ofNullable(accounts.get(key(login)));
  }

  Optional<Repository> repository(String owner, String name) {
    return account(owner).map(account -> account.repositories.get(key(name)));
  }

  /** The token of a string, unless it has expired or has not replicated yet. */
  Optional<Token> token(String value, Instant now) {
    return Optional.ofNullable(tokens.get(value))
        .filter(token -> now.isBefore(token.expires()))
        .filter(token -> !now.isBefore(token.minted().plus(tokenDelay)));
  }

  String mint(Token token) {
    String value = shortTokens ? "ghs_" + random(36) : longToken(token);
    tokens.put(value, token);
    minted++;
    return value;
  }

  long minted() {
    return minted;
  }

  /**
   * A token in GitHub's format of October 2026: {@code ghs_<APPID>_<JWT>}, 520 characters.
   *
   * <p>It looks like a JWT and is none: clients are to take it as opaque.
   */
  private String longToken(Token token) {
    String prefix = "ghs_" + token.installation().app.id + "_";
    ObjectNode header = JsonNodeFactory.instance.objectNode().put("alg", "RS256").put("typ", "JWT");
    byte[] signature = new byte[256];
    random.nextBytes(signature);
    String head = base64Url(header.toString().getBytes(StandardCharsets.UTF_8)) + ".";
    String tail = "." + base64Url(signature);
    int room = 520 - prefix.length() - head.length() - tail.length();
    // Base64 has no text whose length is 1 above a multiple of 4.
    byte[] payload = new byte[room * 3 / 4];
    random.nextBytes(payload);
    return prefix + head + base64Url(payload) + tail;
  }

  private String random(int length) {
    String alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    StringBuilder text = new StringBuilder(length);
    for (int i = 0; i < length; i++) {
      text.append(alphabet.charAt(random.nextInt(alphabet.length())));
    }
    return text.toString();
  }

  private static String base64Url(byte[] bytes) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  /** A GraphQL node id as GitHub makes them: the type's letters, then MessagePack of [0, id]. */
  static String nodeId(String prefix, long id) {
    ByteBuffer packed = ByteBuffer.allocate(11);
    packed.put((byte) 0x92).put((byte) 0);
    if (id <= 0xffff_ffffL) {
      packed.put((byte) 0xce).putInt((int) id);
    } else {
      packed.put((byte) 0xcf).putLong(id);
    }
    byte[] bytes = new byte[packed.flip().remaining()];
    packed.get(bytes);
    return prefix + "_" + base64Url(bytes);
  }

  private static String key(String login) {
    return login.toLowerCase(Locale.ROOT);
  }
}
