package io.github.credentialmanager.server.github;

import io.github.credentialmanager.server.github.InstallationToken.Repository;
import io.github.credentialmanager.server.json.JsonException;
import io.github.credentialmanager.server.json.JsonObject;
import io.github.credentialmanager.server.json.JsonText;
import io.github.credentialmanager.server.outbound.Deadline;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Paths, request bodies and answers of GitHub's REST API. */
final class HttpGitHubApi implements GitHubApi {
  private static final int PAGE_SIZE = 100; // GitHub's most.
  private static final int MAX_NODE_ID_LENGTH = 256;

  private final GitHubHttp http;

  HttpGitHubApi(GitHubHttp http) {
    this.http = http;
  }

  @Override
  public void authenticate(String appJwt, Deadline deadline) {
    http.get("/app", appJwt, deadline).read(JsonObject::parse);
  }

  @Override
  public Optional<GitHubInstallation> findInstallation(
      String appJwt, Predicate<GitHubInstallation> matches, Deadline deadline) {
    for (int page = 1; ; page++) {
      InstallationPage read = listInstallations(appJwt, page, deadline);
      Optional<GitHubInstallation> match =
          read.installations().stream().filter(matches).findFirst();
      if (match.isPresent() || !read.mayContinue()) {
        return match;
      }
    }
  }

  @Override
  public void reconnect() {
    http.replaceClient();
  }

  @Override
  public InstallationPage listInstallations(String appJwt, int page, Deadline deadline) {
    GitHubHttp.Answer answer =
        http.get("/app/installations?per_page=" + PAGE_SIZE + "&page=" + page, appJwt, deadline);
    return page(
        answer.read(JsonObject::parseList), PAGE_SIZE, answer.hasNextPage(), answer.lastPage());
  }

  static InstallationPage page(
      List<JsonObject> entries, int pageSize, boolean hasNext, OptionalInt last) {
    List<GitHubInstallation> installations = new ArrayList<>();
    Set<Long> withoutAccount = new HashSet<>();
    int notUnderstood = 0;
    for (JsonObject entry : entries) {
      try {
        long id = requiredId(entry);
        installation(id, entry).ifPresentOrElse(installations::add, () -> withoutAccount.add(id));
      } catch (JsonException e) {
        notUnderstood++;
      }
    }
    return new InstallationPage(
        installations, withoutAccount, notUnderstood, entries.size() >= pageSize, hasNext, last);
  }

  /** Empty if the entry has no account, as GitHub lists some. */
  private static Optional<GitHubInstallation> installation(long id, JsonObject entry) {
    return entry
        .object("account")
        .map(
            account ->
                new GitHubInstallation(
                    id,
                    required(account.string("node_id").filter(HttpGitHubApi::isKey), "node_id"),
                    entry.string("target_type"),
                    account.string("login").or(() -> account.string("slug")),
                    entry.string("suspended_at").isPresent()));
  }

  /** Whether callers can ask for it, by the contract. DynamoDB refuses an empty key. */
  private static boolean isKey(String nodeId) {
    return !nodeId.isEmpty() && nodeId.codePointCount(0, nodeId.length()) <= MAX_NODE_ID_LENGTH;
  }

  @Override
  public boolean hasInstallation(String appJwt, long installationId, Deadline deadline) {
    try {
      http.get("/app/installations/" + installationId, appJwt, deadline);
      return true;
    } catch (GitHubException e) {
      if (e.reason() == GitHubException.Cause.NOT_FOUND) {
        return false;
      }
      throw e;
    }
  }

  @Override
  public InstallationToken createToken(
      String appJwt, long installationId, TokenScope scope, Deadline deadline) {
    Map<String, Object> body = new HashMap<>();
    scope.repositoryIds().ifPresent(ids -> body.put("repository_ids", ids));
    scope.repositoryNames().ifPresent(names -> body.put("repositories", names));
    scope.permissions().ifPresent(levels -> body.put("permissions", levels));
    GitHubHttp.Answer answer =
        http.post(
            "/app/installations/" + installationId + "/access_tokens",
            appJwt,
            JsonText.of(body),
            deadline);
    return answer.read(text -> token(JsonObject.parse(text), answer.requestId()));
  }

  private static InstallationToken token(JsonObject answer, Optional<String> requestId) {
    Map<String, String> permissions = new HashMap<>();
    answer
        .stringMap("permissions")
        .orElse(Map.of())
        .forEach((name, level) -> permissions.put(name, required(level, "permissions")));
    return new InstallationToken(
        required(answer.string("token"), "token"),
        Instant.parse(required(answer.string("expires_at"), "expires_at")),
        permissions,
        answer.objects("repositories").map(HttpGitHubApi::repositories),
        requestId);
  }

  private static List<Repository> repositories(List<@Nullable JsonObject> entries) {
    List<Repository> repositories = new ArrayList<>(entries.size());
    for (JsonObject entry : entries) {
      JsonObject repository = required(entry, "repositories");
      repositories.add(
          new Repository(requiredId(repository), required(repository.string("name"), "name")));
    }
    return repositories;
  }

  @Override
  public void revoke(InstallationToken token, Deadline deadline) {
    http.delete("/installation/token", token.value(), deadline);
  }

  @Override
  public Map<String, RateLimit> rateLimits(InstallationToken token, Deadline deadline) {
    return http.get("/rate_limit", token.value(), deadline)
        .read(text -> rateLimits(JsonObject.parse(text)));
  }

  private static Map<String, RateLimit> rateLimits(JsonObject answer) {
    JsonObject resources = answer.object("resources").orElse(JsonObject.empty());
    Map<String, RateLimit> limits = new HashMap<>();
    for (String category : resources.names()) {
      try {
        resources
            .object(category)
            .map(HttpGitHubApi::rateLimit)
            .ifPresent(l -> limits.put(category, l));
      } catch (JsonException | DateTimeException e) {
        // GitHub adds categories as it likes: one in another form does not spoil the others.
      }
    }
    return limits;
  }

  private static RateLimit rateLimit(JsonObject category) {
    long limit = requiredInteger(category, "limit");
    long remaining = requiredInteger(category, "remaining");
    return new RateLimit(
        limit,
        category.integer("used").orElse(limit - remaining),
        remaining,
        Instant.ofEpochSecond(requiredInteger(category, "reset")));
  }

  @Override
  public GitHubApi limitedBy(RequestLimit limit) {
    return new HttpGitHubApi(http.limitedBy(limit));
  }

  private static long requiredId(JsonObject entry) {
    return requiredInteger(entry, "id");
  }

  private static long requiredInteger(JsonObject entry, String name) {
    return entry.integer(name).orElseThrow(() -> new JsonException(name + " is missing"));
  }

  private static <T> T required(Optional<T> member, String name) {
    return required(member.orElse(null), name);
  }

  private static <T> T required(@Nullable T member, String name) {
    if (member == null) {
      throw new JsonException(name + " is missing");
    }
    return member;
  }
}
