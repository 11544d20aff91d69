package io.github.credentialmanager.sdk;

import static java.util.Objects.requireNonNull;

import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The narrowing of an installation token: fewer repositories, fewer permissions.
 *
 * <pre>{@code
 * Scope scope = Scope.builder().repositories("api", "web").read("contents").write("issues").build();
 * }</pre>
 *
 * <p>Canonical: sorted, without repeats, names in lower case (GitHub ignores their case), so two
 * scopes that mean the same are equal. A part left out is not narrowed. A scope that narrows
 * nothing cannot be built, because GitHub reads an empty one as "everything": for everything the
 * installation has, ask without a scope.
 *
 * <p>Immutable and safe for use by multiple threads.
 */
public final class Scope {
  /**
   * GitHub's limit for one token (REST documentation, "Create an installation access token for an
   * app").
   */
  private static final int MAX_REPOSITORIES = 500;

  /** How much a permission allows; each level includes those before it. */
  public enum Access {
    READ,
    WRITE,
    ADMIN;

    /** The name on the wire, {@code "read"}. */
    String wireName() {
      return name().toLowerCase(Locale.ROOT);
    }

    static @Nullable Access ofWireName(String name) {
      for (Access access : values()) {
        if (access.wireName().equals(name)) {
          return access;
        }
      }
      return null;
    }
  }

  private final List<String> repositories;
  private final List<Long> repositoryIds;
  private final Map<String, Access> permissions;
  private final int hash;

  private Scope(Builder builder) {
    this.repositories = List.copyOf(builder.repositories);
    this.repositoryIds = List.copyOf(builder.repositoryIds);
    this.permissions = Collections.unmodifiableSortedMap(new TreeMap<>(builder.permissions));
    this.hash =
        (31 * repositories.hashCode() + repositoryIds.hashCode()) * 31 + permissions.hashCode();
  }

  public static Builder builder() {
    return new Builder();
  }

  /** Repository names without their owner, in lower case, sorted; empty if not narrowed by name. */
  public List<String> repositories() {
    return repositories;
  }

  /** Repository ids, sorted; empty if not narrowed by id. */
  public List<Long> repositoryIds() {
    return repositoryIds;
  }

  /** Access by permission name, sorted by name; empty if not narrowed. */
  public Map<String, Access> permissions() {
    return permissions;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return this == other
        || (other instanceof Scope scope
            && hash == scope.hash
            && repositories.equals(scope.repositories)
            && repositoryIds.equals(scope.repositoryIds)
            && permissions.equals(scope.permissions));
  }

  @Override
  public int hashCode() {
    return hash;
  }

  @Override
  public String toString() {
    return "Scope[repositories="
        + repositories
        + ", repositoryIds="
        + repositoryIds
        + ", permissions="
        + permissions
        + "]";
  }

  /** Builds a {@link Scope}. Each call adds. Not safe for use by multiple threads. */
  public static final class Builder {
    private final SortedSet<String> repositories = new TreeSet<>();
    private final SortedSet<Long> repositoryIds = new TreeSet<>();
    private final SortedMap<String, Access> permissions = new TreeMap<>();

    private Builder() {}

    /**
     * Adds repositories by name, without the owner: {@code "api"}, not {@code "octo-org/api"}.
     *
     * @throws IllegalArgumentException if a name is blank or has a slash
     */
    public Builder repositories(String... names) {
      for (String name : names) {
        String folded = fold(name, "repository");
        if (folded.indexOf('/') >= 0) {
          throw new IllegalArgumentException(
              "Repository '" + name + "': give the name without its owner, as GitHub does here.");
        }
        repositories.add(folded);
      }
      return this;
    }

    /**
     * Adds repositories by id.
     *
     * @throws IllegalArgumentException if an id is less than 1
     */
    public Builder repositoryIds(long... ids) {
      for (long id : ids) {
        if (id < 1) {
          throw new IllegalArgumentException("Repository id " + id + ": ids start at 1.");
        }
        repositoryIds.add(id);
      }
      return this;
    }

    /**
     * Adds one permission.
     *
     * @param name as GitHub's REST API spells it, {@code "pull_requests"}
     * @throws IllegalArgumentException if the name is blank or was given with another access before
     */
    public Builder permission(String name, Access access) {
      Access before = permissions.put(fold(name, "permission"), requireNonNull(access, "access"));
      if (before != null && before != access) {
        throw new IllegalArgumentException(
            "Permission '" + name + "' was given as " + before + " and as " + access + ".");
      }
      return this;
    }

    /** Adds permissions to read. */
    public Builder read(String... names) {
      return permissions(Access.READ, names);
    }

    /** Adds permissions to write, which includes reading. */
    public Builder write(String... names) {
      return permissions(Access.WRITE, names);
    }

    /** Adds permissions to administer, which includes writing. */
    public Builder admin(String... names) {
      return permissions(Access.ADMIN, names);
    }

    /**
     * The scope.
     *
     * @throws IllegalArgumentException if nothing was added, or more than GitHub's 500 repositories
     */
    public Scope build() {
      if (isEmpty()) {
        throw new IllegalArgumentException(
            "An empty scope would mean everything. Name repositories or permissions, or ask without a scope.");
      }
      if (repositories.size() + repositoryIds.size() > MAX_REPOSITORIES) {
        throw new IllegalArgumentException(
            "A scope names at most " + MAX_REPOSITORIES + " repositories.");
      }
      return new Scope(this);
    }

    /** What an issuer reports, which no limit of ours applies to; null if it reports nothing. */
    @Nullable Scope buildGranted() {
      return isEmpty() ? null : new Scope(this);
    }

    private boolean isEmpty() {
      return repositories.isEmpty() && repositoryIds.isEmpty() && permissions.isEmpty();
    }

    private Builder permissions(Access access, String... names) {
      for (String name : names) {
        permission(name, access);
      }
      return this;
    }

    private static String fold(String name, String what) {
      requireNonNull(name, what);
      if (name.isBlank()) {
        throw new IllegalArgumentException("A " + what + " name is not blank.");
      }
      return name.toLowerCase(Locale.ROOT);
    }
  }
}
