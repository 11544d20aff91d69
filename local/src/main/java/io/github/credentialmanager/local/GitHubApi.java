package io.github.credentialmanager.local;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.credentialmanager.local.GitHubState.Account;
import io.github.credentialmanager.local.GitHubState.AccountType;
import io.github.credentialmanager.local.GitHubState.App;
import io.github.credentialmanager.local.GitHubState.Installation;
import io.github.credentialmanager.local.GitHubState.RateLimit;
import io.github.credentialmanager.local.GitHubState.Repository;
import io.github.credentialmanager.local.GitHubState.Token;
import java.io.IOException;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The part of GitHub's REST API that Apps and installations need, with GitHub's own status codes
 * and messages.
 *
 * <p>Safe for use by multiple threads: every request is answered under the state's monitor.
 */
final class GitHubApi {
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final List<String> LEVELS = List.of("read", "write", "admin");
  private static final int MOST_REPOSITORIES = 500;
  private static final String TOKEN_DOCUMENTATION =
      "https://docs.github.com/rest/reference/apps#create-an-installation-access-token-for-an-app";

  /** A request, free of any HTTP library's types. */
  record Request(String method, String url, @Nullable String authorization, byte[] body) {
    String path() {
      int query = url.indexOf('?');
      return query < 0 ? url : url.substring(0, query);
    }

    Map<String, String> query() {
      Map<String, String> parameters = new HashMap<>();
      int query = url.indexOf('?');
      for (String parameter : (query < 0 ? "" : url.substring(query + 1)).split("&", -1)) {
        int equals = parameter.indexOf('=');
        if (equals > 0) {
          parameters.put(parameter.substring(0, equals), decode(parameter.substring(equals + 1)));
        }
      }
      return parameters;
    }
  }

  /** Who asks. */
  sealed interface Caller {
    /** Nobody in particular. */
    record Anonymous() implements Caller {}

    /** An App, by its JWT. */
    record ByApp(App app) implements Caller {}

    /** An installation, by a token minted here. */
    record ByToken(String value, Token token) implements Caller {
      @Override
      public String toString() {
        return token.toString();
      }
    }
  }

  /** Says no. */
  private static final class RefusedException extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final transient GitHubAnswer answer;

    RefusedException(GitHubAnswer answer) {
      super(answer.toString(), null, false, false);
      this.answer = answer;
    }
  }

  private record Call(Caller caller, List<String> arguments, Request request) {
    /** One part of the path, by its place among the variable ones. */
    String argument(int index) {
      return decode(arguments.get(index));
    }

    App app() {
      if (caller instanceof Caller.ByApp app) {
        return app.app();
      }
      throw new RefusedException(GitHubAnswer.error(401, AppJwt.NOT_DECODED));
    }

    Caller.ByToken token() {
      if (caller instanceof Caller.ByToken token) {
        return token;
      }
      throw new RefusedException(
          caller instanceof Caller.Anonymous
              ? GitHubAnswer.error(401, "Requires authentication")
              : GitHubAnswer.error(401, "Bad credentials"));
    }
  }

  private record Route(
      String endpoint, String method, Pattern path, Function<Call, GitHubAnswer> answer) {}

  private final GitHubState state;
  private final InstantSource clock;
  private final List<Route> routes = new ArrayList<>();
  private String root = "";

  GitHubApi(GitHubState state, InstantSource clock) {
    this.state = state;
    this.clock = clock;
    route("GET /", call -> GitHubAnswer.of(200, links()));
    route("GET /app", call -> GitHubAnswer.of(200, json(call.app())));
    route("GET /app/installations", this::listInstallations);
    route("GET /app/installations/{id}", this::getInstallation);
    route("POST /app/installations/{id}/access_tokens", this::createToken);
    route("DELETE /installation/token", this::revokeToken);
    route("GET /installation/repositories", this::listRepositories);
    route("GET /orgs/{org}/installation", call -> installationOn(call, AccountType.ORGANIZATION));
    route("GET /users/{user}/installation", call -> installationOn(call, null));
    route("GET /repos/{owner}/{repo}/installation", this::installationOnRepository);
    route("GET /repos/{owner}/{repo}", this::getRepository);
    route("GET /rate_limit", this::getRateLimit);
  }

  private void route(String endpoint, Function<Call, GitHubAnswer> answer) {
    int space = endpoint.indexOf(' ');
    String path = endpoint.substring(space + 1).replaceAll("\\{[a-z]+}", "([^/]+)");
    routes.add(
        new Route(endpoint, endpoint.substring(0, space), Pattern.compile(path + "/?"), answer));
  }

  /** Tells under which address it is reached, for the links it answers. */
  void setRoot(URI root) {
    this.root = root.toString();
  }

  /** The endpoints it knows, for example {@code GET /app/installations/{id}}. */
  List<String> endpoints() {
    return routes.stream().map(Route::endpoint).toList();
  }

  /** Which endpoint a request is for; empty if none is known here. */
  Optional<String> endpoint(Request request) {
    return find(request).map(found -> found.route().endpoint());
  }

  private record Found(Route route, List<String> arguments) {}

  private Optional<Found> find(Request request) {
    for (Route route : routes) {
      Matcher matcher = route.path().matcher(request.path());
      if (route.method().equals(request.method()) && matcher.matches()) {
        List<String> arguments = new ArrayList<>();
        for (int i = 1; i <= matcher.groupCount(); i++) {
          arguments.add(matcher.group(i));
        }
        return Optional.of(new Found(route, arguments));
      }
    }
    return Optional.empty();
  }

  /**
   * What is wrong with a request before it is looked at: credentials, rate limit. Counts it against
   * the rate limit. Empty if nothing is wrong.
   */
  Optional<GitHubAnswer> refuse(Request request) {
    synchronized (state) {
      try {
        Caller caller = caller(request);
        RateLimit limit = rateLimit(caller);
        if (limit != null && !state.rateLimitOff && !request.path().equals("/rate_limit")) {
          if (limit.used(clock.instant()) >= state.requestsAnHour) {
            return Optional.of(limited(exhausted(caller), limit));
          }
          limit.count(clock.instant());
        }
        return Optional.empty();
      } catch (RefusedException e) {
        return Optional.of(e.answer);
      }
    }
  }

  private static GitHubAnswer exhausted(Caller caller) {
    String who =
        caller instanceof Caller.ByToken token
            ? "installation ID " + token.token().installation().id
            : "this App";
    return GitHubAnswer.error(
        403,
        "API rate limit exceeded for " + who + ".",
        "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api");
  }

  GitHubAnswer answer(Request request) {
    synchronized (state) {
      try {
        Caller caller = caller(request);
        Optional<Found> found = find(request);
        GitHubAnswer answer =
            found.isPresent()
                ? found
                    .get()
                    .route()
                    .answer()
                    .apply(new Call(caller, found.get().arguments(), request))
                : GitHubAnswer.error(404, "Not Found")
                    .with("x-github-double", "knows no such endpoint; stub it");
        return limited(answer, rateLimit(caller));
      } catch (RefusedException e) {
        return e.answer;
      }
    }
  }

  private @Nullable RateLimit rateLimit(Caller caller) {
    if (caller instanceof Caller.ByApp app) {
      return app.app().rateLimit;
    }
    return caller instanceof Caller.ByToken token ? token.token().installation().rateLimit : null;
  }

  private GitHubAnswer limited(GitHubAnswer answer, @Nullable RateLimit limit) {
    if (limit == null || state.rateLimitOff) {
      return answer;
    }
    Instant now = clock.instant();
    return answer
        .with("x-ratelimit-limit", Integer.toString(state.requestsAnHour))
        .with("x-ratelimit-used", Integer.toString(limit.used(now)))
        .with("x-ratelimit-remaining", Integer.toString(remaining(limit)))
        .with("x-ratelimit-reset", Long.toString(limit.reset(now).getEpochSecond()))
        .with("x-ratelimit-resource", "core");
  }

  private int remaining(RateLimit limit) {
    return Math.max(0, state.requestsAnHour - limit.used(clock.instant()));
  }

  private Caller caller(Request request) {
    String authorization = request.authorization();
    if (authorization == null || authorization.isBlank()) {
      return new Caller.Anonymous();
    }
    String credential = credential(authorization.strip());
    Optional<Token> token = state.token(credential, clock.instant());
    if (token.isPresent()) {
      Installation installation = token.get().installation();
      if (installation.suspended != null) {
        throw new RefusedException(suspended());
      }
      return new Caller.ByToken(credential, token.get());
    }
    boolean appOnly = request.path().equals("/app") || request.path().startsWith("/app/");
    if (credential.startsWith("eyJ") || appOnly) {
      return new Caller.ByApp(authenticate(credential));
    }
    throw new RefusedException(GitHubAnswer.error(401, "Bad credentials"));
  }

  /** What comes after {@code Bearer} or {@code token}; or the password, as git sends it. */
  private static String credential(String authorization) {
    int space = authorization.indexOf(' ');
    String scheme = authorization.substring(0, Math.max(space, 0)).toLowerCase(Locale.ROOT);
    String rest = authorization.substring(space + 1).strip();
    if (!scheme.equals("basic")) {
      return rest;
    }
    try {
      String pair = new String(Base64.getDecoder().decode(rest), StandardCharsets.UTF_8);
      return pair.substring(pair.indexOf(':') + 1);
    } catch (IllegalArgumentException e) {
      return "";
    }
  }

  private App authenticate(String credential) {
    AppJwt jwt = AppJwt.parse(credential);
    if (jwt == null) {
      throw new RefusedException(GitHubAnswer.error(401, AppJwt.NOT_DECODED));
    }
    if (jwt.issuer().isEmpty()) {
      throw new RefusedException(
          GitHubAnswer.error(401, "'Issuer' claim ('iss') must be an Integer"));
    }
    App app =
        state
            .app(jwt.issuer())
            .orElseThrow(
                () -> new RefusedException(GitHubAnswer.error(404, "Integration not found")));
    String complaint =
        jwt.signedByOneOf(app.keys) ? jwt.complaint(clock.instant()) : AppJwt.NOT_DECODED;
    if (complaint != null) {
      throw new RefusedException(GitHubAnswer.error(401, complaint));
    }
    return app;
  }

  private static GitHubAnswer suspended() {
    return GitHubAnswer.error(403, "This installation has been suspended", TOKEN_DOCUMENTATION);
  }

  private static GitHubAnswer notFound() {
    return GitHubAnswer.error(404, "Not Found");
  }

  private GitHubAnswer listInstallations(Call call) {
    return page(call, state.installationsOf(call.app()), null);
  }

  private GitHubAnswer getInstallation(Call call) {
    return installation(call)
        .map(installation -> GitHubAnswer.of(200, json(installation)))
        .orElseGet(GitHubApi::notFound);
  }

  private Optional<Installation> installation(Call call) {
    App app = call.app();
    try {
      return state.installation(app, Long.parseLong(call.argument(0)));
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }

  private GitHubAnswer installationOn(Call call, @Nullable AccountType type) {
    App app = call.app();
    return state
        .account(call.argument(0))
        .filter(
            account -> type == null ? account.type != AccountType.ENTERPRISE : account.type == type)
        .flatMap(account -> installation(app, account))
        .map(installation -> GitHubAnswer.of(200, json(installation)))
        .orElseGet(GitHubApi::notFound);
  }

  private GitHubAnswer installationOnRepository(Call call) {
    App app = call.app();
    return state
        .repository(call.argument(0), call.argument(1))
        .flatMap(
            repository ->
                installation(app, repository.owner())
                    .filter(installation -> installation.repositories().contains(repository)))
        .map(installation -> GitHubAnswer.of(200, json(installation)))
        .orElseGet(GitHubApi::notFound);
  }

  private Optional<Installation> installation(App app, Account account) {
    return state.installationsOf(app).stream().filter(it -> it.account == account).findFirst();
  }

  private GitHubAnswer createToken(Call call) {
    Optional<Installation> found = installation(call);
    if (found.isEmpty()) {
      return notFound();
    }
    Installation installation = found.get();
    if (installation.suspended != null) {
      return suspended();
    }
    JsonNode body;
    try {
      body =
          call.request().body().length == 0
              ? JSON.objectNode()
              : MAPPER.readTree(call.request().body());
    } catch (JsonProcessingException e) {
      return GitHubAnswer.error(400, "Problems parsing JSON", TOKEN_DOCUMENTATION);
    } catch (IOException e) {
      throw new IllegalStateException("Reading from memory", e);
    }
    List<Repository> repositories = requestedRepositories(installation, body);
    Map<String, String> permissions = requestedPermissions(installation, body);
    // To the second, as GitHub's expires_at is.
    Instant now = clock.instant().truncatedTo(ChronoUnit.SECONDS);
    Token token = new Token(installation, now, permissions, repositories);
    ObjectNode answer = JSON.objectNode();
    answer.put("token", state.mint(token));
    answer.put("expires_at", token.expires().toString());
    answer.set("permissions", json(permissions));
    boolean all = repositories == null && installation.selected == null;
    answer.put("repository_selection", all ? "all" : "selected");
    if (repositories != null) {
      ArrayNode list = answer.putArray("repositories");
      repositories.forEach(repository -> list.add(json(repository)));
    }
    return GitHubAnswer.of(201, answer);
  }

  /**
   * The repositories named by name or id; null if none are named, which gives a token for all. An
   * empty list names none: that is how GitHub reads it.
   */
  private @Nullable List<Repository> requestedRepositories(
      Installation installation, JsonNode body) {
    JsonNode ids = body.path("repository_ids");
    JsonNode names = body.path("repositories");
    if (ids.size() + names.size() == 0) {
      return null;
    }
    if (ids.size() + names.size() > MOST_REPOSITORIES) {
      throw new RefusedException(
          unprocessable("A token takes at most " + MOST_REPOSITORIES + " repositories."));
    }
    Map<String, Repository> known = new HashMap<>();
    for (Repository repository : installation.repositories()) {
      known.put(Long.toString(repository.id()), repository);
      known.put("name " + repository.name().toLowerCase(Locale.ROOT), repository);
    }
    Set<Repository> requested = new LinkedHashSet<>();
    ids.forEach(id -> requested.add(require(known.get(id.asText()))));
    names.forEach(
        name ->
            requested.add(require(known.get("name " + name.asText().toLowerCase(Locale.ROOT)))));
    return List.copyOf(requested);
  }

  private static Repository require(@Nullable Repository repository) {
    if (repository == null) {
      throw new RefusedException(
          unprocessable(
              "There is at least one repository that does not exist or is not accessible to the"
                  + " parent installation."));
    }
    return repository;
  }

  /** What is asked for, with {@code metadata: read}, which every token has; all if nothing is. */
  private static Map<String, String> requestedPermissions(
      Installation installation, JsonNode body) {
    JsonNode requested = body.path("permissions");
    if (requested.isEmpty()) {
      return installation.permissions;
    }
    Map<String, String> permissions = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> permission : requested.properties()) {
      String level = permission.getValue().asText();
      String granted = installation.permissions.getOrDefault(permission.getKey(), "");
      if (!LEVELS.contains(level) || LEVELS.indexOf(level) > LEVELS.indexOf(granted)) {
        throw new RefusedException(
            unprocessable("The permissions requested are not granted to this installation."));
      }
      permissions.put(permission.getKey(), level);
    }
    if (installation.permissions.containsKey("metadata")) {
      permissions.putIfAbsent("metadata", "read");
    }
    return permissions;
  }

  private static GitHubAnswer unprocessable(String message) {
    return GitHubAnswer.error(422, message, TOKEN_DOCUMENTATION);
  }

  private GitHubAnswer revokeToken(Call call) {
    state.revoke(call.token().value());
    return new GitHubAnswer(204, Map.of(), null);
  }

  private GitHubAnswer listRepositories(Call call) {
    Token token = call.token().token();
    boolean all = token.repositories() == null && token.installation().selected == null;
    return page(call, token.readable(), all ? "all" : "selected");
  }

  private GitHubAnswer getRepository(Call call) {
    return state
        .repository(call.argument(0), call.argument(1))
        .filter(
            repository ->
                !repository.isPrivate()
                    || (call.caller() instanceof Caller.ByToken token
                        && token.token().readable().contains(repository)))
        .map(repository -> GitHubAnswer.of(200, json(repository)))
        .orElseGet(GitHubApi::notFound);
  }

  private GitHubAnswer getRateLimit(Call call) {
    if (state.rateLimitOff) {
      return GitHubAnswer.error(404, "Rate limiting is not enabled.");
    }
    RateLimit limit = rateLimit(call.caller());
    RateLimit core = limit == null ? new RateLimit() : limit;
    ObjectNode answer = JSON.objectNode();
    ObjectNode resources = answer.putObject("resources");
    resources.set("core", json(core, state.requestsAnHour));
    for (String untouched : List.of("graphql", "search", "integration_manifest", "code_search")) {
      resources.set(untouched, json(new RateLimit(), untouched.contains("search") ? 30 : 5_000));
    }
    answer.set("rate", json(core, state.requestsAnHour));
    return GitHubAnswer.of(200, answer);
  }

  private ObjectNode json(RateLimit limit, int requests) {
    Instant now = clock.instant();
    ObjectNode json = JSON.objectNode();
    json.put("limit", requests);
    json.put("used", limit.used(now));
    json.put("remaining", Math.max(0, requests - limit.used(now)));
    json.put("reset", limit.reset(now).getEpochSecond());
    json.put("resource", "core");
    return json;
  }

  /**
   * One page of a list, with {@code Link} to the others.
   *
   * @param selection of the repositories listed; null for a list of installations
   */
  private GitHubAnswer page(Call call, List<?> all, @Nullable String selection) {
    Map<String, String> query = call.request().query();
    int size = Math.min(100, Math.max(1, number(query.get("per_page"), 30)));
    int page = Math.max(1, number(query.get("page"), 1));
    int last = Math.max(1, (all.size() + size - 1) / size);
    ArrayNode entries = JSON.arrayNode();
    all.stream().skip((page - 1L) * size).limit(size).forEach(entry -> entries.add(json(entry)));
    List<String> links = new ArrayList<>();
    String path = root + call.request().path() + "?per_page=" + size + "&page=";
    if (page > 1) {
      links.add("<" + path + (page - 1) + ">; rel=\"prev\"");
    }
    if (page < last) {
      links.add("<" + path + (page + 1) + ">; rel=\"next\"");
      links.add("<" + path + last + ">; rel=\"last\"");
    }
    if (page > 1) {
      links.add("<" + path + "1>; rel=\"first\"");
    }
    JsonNode body = entries;
    if (selection != null) {
      ObjectNode wrapped = JSON.objectNode();
      wrapped.put("total_count", all.size());
      wrapped.put("repository_selection", selection);
      body = wrapped.set("repositories", entries);
    }
    GitHubAnswer answer = GitHubAnswer.of(200, body);
    return links.isEmpty() ? answer : answer.with("Link", String.join(", ", links));
  }

  private static int number(@Nullable String text, int otherwise) {
    try {
      return text == null ? otherwise : Integer.parseInt(text);
    } catch (NumberFormatException e) {
      return otherwise;
    }
  }

  private JsonNode json(Object entry) {
    return entry instanceof Installation installation
        ? json(installation)
        : json((Repository) entry);
  }

  private ObjectNode json(App app) {
    ObjectNode json = JSON.objectNode();
    json.put("id", app.id);
    json.put("client_id", app.clientId());
    json.put("slug", app.slug);
    json.put("node_id", GitHubState.nodeId("A", app.id));
    json.put("name", app.name);
    json.put("description", "");
    json.put("external_url", "https://example.com");
    json.put("html_url", "https://github.com/apps/" + app.slug);
    json.put("created_at", "2026-01-01T00:00:00Z");
    json.put("updated_at", "2026-01-01T00:00:00Z");
    json.set("permissions", json(app.permissions));
    json.putArray("events");
    json.put("installations_count", state.installationsOf(app).size());
    return json;
  }

  private ObjectNode json(Installation installation) {
    String url = root + "/app/installations/" + installation.id;
    ObjectNode json = JSON.objectNode();
    json.put("id", installation.id);
    json.set("account", installation.accountHidden ? JSON.nullNode() : json(installation.account));
    json.put("repository_selection", installation.selected == null ? "all" : "selected");
    json.put("access_tokens_url", url + "/access_tokens");
    json.put("repositories_url", root + "/installation/repositories");
    json.put("html_url", "https://github.com/settings/installations/" + installation.id);
    json.put("app_id", installation.app.id);
    json.put("client_id", installation.app.clientId());
    json.put("app_slug", installation.app.slug);
    json.put("target_id", installation.account.id);
    json.put("target_type", installation.account.type.wireName);
    json.set("permissions", json(installation.permissions));
    json.putArray("events");
    json.put("created_at", installation.created.toString());
    json.put("updated_at", installation.created.toString());
    json.putNull("single_file_name");
    json.put("has_multiple_single_files", false);
    json.putArray("single_file_paths");
    json.putNull("suspended_by");
    Instant suspended = installation.suspended;
    json.put("suspended_at", suspended == null ? null : suspended.toString());
    return json;
  }

  /** Enterprise accounts have a {@code slug} where the others have a {@code login}. */
  private ObjectNode json(Account account) {
    boolean enterprise = account.type == AccountType.ENTERPRISE;
    ObjectNode json = JSON.objectNode();
    json.put("id", account.id);
    json.put("node_id", account.nodeId);
    json.put("avatar_url", "https://avatars.githubusercontent.com/u/" + account.id);
    if (enterprise) {
      json.put("slug", account.login);
      json.put("name", account.login);
      json.put("html_url", "https://github.com/enterprises/" + account.login);
      return json;
    }
    json.put("login", account.login);
    json.put("url", root + "/users/" + account.login);
    json.put("html_url", "https://github.com/" + account.login);
    json.put("type", account.type.wireName);
    json.put("site_admin", false);
    return json;
  }

  private ObjectNode json(Repository repository) {
    ObjectNode json = JSON.objectNode();
    json.put("id", repository.id());
    json.put("node_id", repository.nodeId());
    json.put("name", repository.name());
    json.put("full_name", repository.fullName());
    json.put("private", repository.isPrivate());
    json.set("owner", json(repository.owner()));
    json.put("html_url", "https://github.com/" + repository.fullName());
    json.put("description", "");
    json.put("fork", false);
    json.put("url", root + "/repos/" + repository.fullName());
    json.put("clone_url", "https://github.com/" + repository.fullName() + ".git");
    json.put("default_branch", "main");
    json.put("visibility", repository.isPrivate() ? "private" : "public");
    json.put("archived", false);
    json.put("disabled", false);
    return json;
  }

  private static ObjectNode json(Map<String, String> permissions) {
    ObjectNode json = JSON.objectNode();
    permissions.forEach(json::put);
    return json;
  }

  private ObjectNode links() {
    return JSON.objectNode()
        .put("current_user_url", root + "/user")
        .put("rate_limit_url", root + "/rate_limit")
        .put("repository_url", root + "/repos/{owner}/{repo}");
  }

  private static String decode(String text) {
    try {
      return URLDecoder.decode(text, StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      return text;
    }
  }
}
