package io.github.credentialmanager.local;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.github.tomakehurst.wiremock.WireMockServer;
import com.github.tomakehurst.wiremock.client.ResponseDefinitionBuilder;
import com.github.tomakehurst.wiremock.client.WireMock;
import com.github.tomakehurst.wiremock.core.WireMockConfiguration;
import com.github.tomakehurst.wiremock.extension.ResponseDefinitionTransformerV2;
import com.github.tomakehurst.wiremock.extension.requestfilter.RequestFilterAction;
import com.github.tomakehurst.wiremock.extension.requestfilter.StubRequestFilterV2;
import com.github.tomakehurst.wiremock.http.Request;
import com.github.tomakehurst.wiremock.http.ResponseDefinition;
import com.github.tomakehurst.wiremock.standalone.MappingsSource;
import com.github.tomakehurst.wiremock.stubbing.ServeEvent;
import com.github.tomakehurst.wiremock.stubbing.StubMapping;
import com.github.tomakehurst.wiremock.stubbing.StubMappings;
import java.net.URI;
import java.security.PublicKey;
import java.time.Duration;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;

/**
 * A GitHub for tests: the REST API's part for Apps and installations, on a free port of 127.0.0.1.
 *
 * <p>It checks what GitHub checks. An App JWT must carry a valid RS256 signature by a key
 * registered for the App and times within GitHub's limits; a token must be one it minted, not
 * expired, not revoked, of an installation that is there and not suspended, and reads no more than
 * it was scoped to. Status codes and messages are GitHub's.
 *
 * <p>It is a WireMock server underneath: stubs added through {@link #wireMock} come first, and get
 * only requests whose credentials are good (or that have none).
 *
 * <p>Safe for use by multiple threads.
 */
public final class GitHubDouble implements AutoCloseable {
  /** What an App may do unless it is registered otherwise. */
  private static final Map<String, String> USUAL_PERMISSIONS =
      Map.of("metadata", "read", "contents", "write", "issues", "write", "pull_requests", "write");

  private static final int LAST = 1_000;

  /** IMF-fixdate (RFC 9110, section 5.6.7). */
  private static final DateTimeFormatter HTTP_DATE =
      DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.US)
          .withZone(ZoneOffset.UTC);

  private final GitHubState state = new GitHubState();
  private final InstantSource clock;
  private final GitHubApi api;
  private final WireMockServer server;
  private final Map<String, AtomicLong> requests = new ConcurrentHashMap<>();
  private final Queue<GitHubAnswer> throttled = new ConcurrentLinkedQueue<>();
  private final ObjectMapper json = new ObjectMapper();

  private GitHubDouble(InstantSource clock) {
    this.clock = requireNonNull(clock, "clock");
    this.api = new GitHubApi(state, clock);
    this.server =
        new WireMockServer(
            WireMockConfiguration.options()
                .bindAddress("127.0.0.1")
                .dynamicPort()
                .containerThreads(64)
                .maxRequestJournalEntries(10_000)
                .mappingSource(new Fallback())
                .stubRequestLoggingDisabled(true)
                .extensions(new Gate(), new Answers()));
  }

  /** One without accounts or Apps. Tokens expire by the clock given. */
  public static GitHubDouble start(InstantSource clock) {
    GitHubDouble started = new GitHubDouble(clock);
    started.server.start();
    started.api.setRoot(started.apiUrl());
    return started;
  }

  /** What {@code GITHUB_API_URL} is set to. */
  public URI apiUrl() {
    return URI.create("http://127.0.0.1:" + server.port());
  }

  /** For stubs of endpoints that the double does not know, and faults of those it does. */
  public WireMockServer wireMock() {
    return server;
  }

  /** An App whose JWTs are signed with the private half of a key; with some usual permissions. */
  public App registerApp(long appId, PublicKey key) {
    return registerApp(appId, key, USUAL_PERMISSIONS);
  }

  /**
   * An App whose JWTs are signed with the private half of a key.
   *
   * @param permissions by name, {@code read}, {@code write} or {@code admin}
   */
  public App registerApp(long appId, PublicKey key, Map<String, String> permissions) {
    synchronized (state) {
      GitHubState.App app = state.addApp(appId, "app-" + appId, "App " + appId, permissions);
      app.keys.add(requireNonNull(key, "key"));
      return new App(app);
    }
  }

  /** The App of an id. */
  public Optional<App> app(long appId) {
    synchronized (state) {
      return state.app(Long.toString(appId)).map(App::new);
    }
  }

  /** The organisation of a name, made if it is not there. */
  public Account organization(String login) {
    return account(GitHubState.AccountType.ORGANIZATION, login);
  }

  /** The user of a name, made if it is not there. */
  public Account user(String login) {
    return account(GitHubState.AccountType.USER, login);
  }

  /** The enterprise of a slug, made if it is not there. */
  public Account enterprise(String slug) {
    return account(GitHubState.AccountType.ENTERPRISE, slug);
  }

  private Account account(GitHubState.AccountType type, String login) {
    synchronized (state) {
      return new Account(state.account(type, login));
    }
  }

  /**
   * How often an endpoint was asked, refused requests included.
   *
   * @param endpoint for example {@code POST /app/installations/{id}/access_tokens}
   * @throws IllegalArgumentException if the double knows no such endpoint
   */
  public long requests(String endpoint) {
    if (!api.endpoints().contains(endpoint)) {
      throw new IllegalArgumentException(
          "No endpoint " + endpoint + " here, but these: " + api.endpoints());
    }
    AtomicLong count = requests.get(endpoint);
    return count == null ? 0 : count.get();
  }

  /** How often any endpoint was asked. */
  public long requests() {
    return requests.values().stream().mapToLong(AtomicLong::get).sum();
  }

  /** How many tokens were minted. */
  public long tokensMinted() {
    synchronized (state) {
      return state.minted();
    }
  }

  /** Has fresh tokens answer 401 for a while, as they do until GitHub has replicated them. */
  public void delayTokens(Duration delay) {
    synchronized (state) {
      state.tokenDelay = requireNonNull(delay, "delay");
    }
  }

  /** Mints tokens of 40 characters, as GitHub Enterprise Server does; else of 520. */
  public void mintShortTokens(boolean shortTokens) {
    synchronized (state) {
      state.shortTokens = shortTokens;
    }
  }

  /** How many requests an hour each App and each installation has; 5,000 at first. */
  public void limitRequests(int anHour) {
    synchronized (state) {
      state.requestsAnHour = anHour;
    }
  }

  /** No rate limit and 404 for {@code GET /rate_limit}, as on GitHub Enterprise Server. */
  public void switchRateLimitOff() {
    synchronized (state) {
      state.rateLimitOff = true;
    }
  }

  /**
   * Has the next requests run into the secondary rate limit.
   *
   * @param status 403 or 429: GitHub answers either
   * @param retryAfter rounded to seconds
   */
  public void throttle(int requests, int status, Duration retryAfter) {
    GitHubAnswer answer =
        GitHubAnswer.error(
                status,
                "You have exceeded a secondary rate limit. Please wait a few minutes before you try"
                    + " again.",
                "https://docs.github.com/free-pro-team@latest/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits")
            .with("retry-after", Long.toString(retryAfter.toSeconds()));
    for (int i = 0; i < requests; i++) {
      throttled.add(answer);
    }
  }

  @Override
  public void close() {
    server.stop();
  }

  /** Makes an account of a seed. */
  void plant(Seed.SeedAccount seed) {
    synchronized (state) {
      GitHubState.Account account =
          state.addAccount(seed.type(), seed.login(), seed.id(), seed.nodeId());
      for (Seed.SeedRepository repository : seed.repositories()) {
        state.addRepository(account, repository.name(), repository.id(), repository.isPrivate());
      }
    }
  }

  /** Makes an App of a seed and its installations. */
  void plant(Seed.SeedApp seed, PublicKey key) {
    synchronized (state) {
      GitHubState.App app = state.addApp(seed.id(), seed.slug(), seed.name(), seed.permissions());
      app.keys.add(key);
      for (Seed.SeedInstallation installed : seed.installations()) {
        GitHubState.Account account = state.account(installed.account()).orElseThrow();
        Installation installation =
            new Installation(state.install(app, account, installed.id(), clock.instant()));
        if (installed.permissions() != null) {
          installation.grant(installed.permissions());
        }
        if (installed.repositories() != null) {
          installation.select(installed.repositories().toArray(String[]::new));
        }
        if (installed.suspended()) {
          installation.suspend();
        }
      }
    }
  }

  /** The Apps, in the order they were registered. */
  public List<App> apps() {
    synchronized (state) {
      return state.apps().stream().map(App::new).toList();
    }
  }

  /** An organisation, user or enterprise. */
  public final class Account {
    private final GitHubState.Account account;

    private Account(GitHubState.Account account) {
      this.account = account;
    }

    public String login() {
      return account.login;
    }

    /** The GraphQL node id, which names the account to the Credential Manager. */
    public String nodeId() {
      return account.nodeId;
    }

    /** Adds a private repository and answers its id. */
    public long addRepository(String name) {
      synchronized (state) {
        return state.addRepository(account, name, null, true).id();
      }
    }
  }

  /** A GitHub App. */
  public final class App {
    private final GitHubState.App app;

    private App(GitHubState.App app) {
      this.app = app;
    }

    public long id() {
      return app.id;
    }

    /** Takes JWTs signed with this key too. */
    public void addKey(PublicKey key) {
      synchronized (state) {
        app.keys.add(requireNonNull(key, "key"));
      }
    }

    /** Takes no more JWTs signed with this key. */
    public void removeKey(PublicKey key) {
      synchronized (state) {
        app.keys.remove(key);
      }
    }

    /** Installs the App with all its permissions on all repositories of an account. */
    public Installation install(Account account) {
      synchronized (state) {
        return new Installation(state.install(app, account.account, null, clock.instant()));
      }
    }

    /** Its installations, in the order they were made. */
    public List<Installation> installations() {
      synchronized (state) {
        return state.installationsOf(app).stream().map(Installation::new).toList();
      }
    }

    /** Its installation on an account. */
    public Optional<Installation> installationOn(String login) {
      synchronized (state) {
        return state.installationsOf(app).stream()
            .filter(it -> it.account.login.equalsIgnoreCase(login))
            .findFirst()
            .map(Installation::new);
      }
    }
  }

  /** An App on an account. */
  public final class Installation {
    private final GitHubState.Installation installation;

    private Installation(GitHubState.Installation installation) {
      this.installation = installation;
    }

    public long id() {
      return installation.id;
    }

    /** The node id of the account. */
    public String nodeId() {
      return installation.account.nodeId;
    }

    /** The name of the account. */
    public String login() {
      return installation.account.login;
    }

    /** Limits it to some of the account's repositories. */
    public void select(String... repositories) {
      synchronized (state) {
        installation.selected =
            Arrays.stream(repositories)
                .map(name -> name.toLowerCase(Locale.ROOT))
                .collect(Collectors.toCollection(LinkedHashSet::new));
      }
    }

    /** What the account has granted, in place of all the App asks for. */
    public void grant(Map<String, String> permissions) {
      synchronized (state) {
        installation.permissions = Map.copyOf(permissions);
      }
    }

    public void suspend() {
      synchronized (state) {
        installation.suspended = clock.instant();
      }
    }

    public void unsuspend() {
      synchronized (state) {
        installation.suspended = null;
      }
    }

    /** Removes it; its tokens with it. */
    public void uninstall() {
      synchronized (state) {
        state.uninstall(installation);
      }
    }

    /** Removes it and installs the App anew, which gives another id. */
    public Installation reinstall() {
      synchronized (state) {
        state.uninstall(installation);
        return new Installation(
            state.install(installation.app, installation.account, null, clock.instant()));
      }
    }

    /** Ends its tokens. */
    public void revokeTokens() {
      synchronized (state) {
        state.revokeTokens(installation);
      }
    }

    /** Uses up its primary rate limit for the hour. */
    public void exhaustRateLimit() {
      synchronized (state) {
        installation.rateLimit.exhaust(clock.instant(), state.requestsAnHour);
      }
    }

    /** Has its {@code account} listed as {@code null}, as GitHub does for accounts gone. */
    public void hideAccount() {
      synchronized (state) {
        installation.accountHidden = true;
      }
    }
  }

  private static GitHubApi.Request read(Request request) {
    return new GitHubApi.Request(
        request.getMethod().getName(),
        request.getUrl(),
        request.getHeader("Authorization"),
        request.getBody());
  }

  private ResponseDefinition write(GitHubAnswer answer) {
    ResponseDefinitionBuilder response =
        WireMock.aResponse()
            .withStatus(answer.status())
            .withHeader("Date", HTTP_DATE.format(clock.instant()))
            .withHeader("X-GitHub-Request-Id", UUID.randomUUID().toString())
            .withHeader("X-GitHub-Media-Type", "github.v3; format=json");
    answer.headers().forEach(response::withHeader);
    if (answer.body() != null) {
      try {
        response
            .withHeader("Content-Type", "application/json; charset=utf-8")
            .withBody(json.writeValueAsBytes(answer.body()));
      } catch (JsonProcessingException e) {
        throw new IllegalStateException("A tree is always written", e);
      }
    }
    return response.build();
  }

  /** Counts requests, and stops those that GitHub would not even look at. */
  private final class Gate implements StubRequestFilterV2 {
    @Override
    public RequestFilterAction filter(Request request, ServeEvent event) {
      GitHubApi.Request asked = read(request);
      api.endpoint(asked)
          .ifPresent(
              endpoint ->
                  requests.computeIfAbsent(endpoint, key -> new AtomicLong()).incrementAndGet());
      GitHubAnswer throttle = throttled.poll();
      return (throttle != null ? Optional.of(throttle) : api.refuse(asked))
          .map(answer -> RequestFilterAction.stopWith(write(answer)))
          .orElseGet(() -> RequestFilterAction.continueWith(request));
    }

    @Override
    public String getName() {
      return "github-gate";
    }
  }

  /**
   * Sends what no stub of the user's takes to {@link Answers}; there again after a reset. In place
   * of the mapping files that WireMock would look for in the user's project.
   */
  private static final class Fallback implements MappingsSource {
    @Override
    public void loadMappingsInto(StubMappings mappings) {
      mappings.addMapping(
          WireMock.any(WireMock.anyUrl())
              .atPriority(LAST)
              .willReturn(WireMock.aResponse().withTransformers(Answers.NAME))
              .build());
    }

    @Override
    public void save(List<StubMapping> mappings) {}

    @Override
    public void save(StubMapping mapping) {}

    @Override
    public void remove(StubMapping mapping) {}

    @Override
    public void removeAll() {}
  }

  /** Answers what no stub of the user's does. */
  private final class Answers implements ResponseDefinitionTransformerV2 {
    static final String NAME = "github-answers";

    @Override
    public ResponseDefinition transform(ServeEvent event) {
      return write(api.answer(read(event.getRequest())));
    }

    @Override
    public boolean applyGlobally() {
      return false;
    }

    @Override
    public String getName() {
      return NAME;
    }
  }
}
