package io.github.credentialmanager.server.refresh;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.credentialmanager.server.World;
import io.github.credentialmanager.server.appcredentials.AppCredentials;
import io.github.credentialmanager.server.audit.ServiceLog;
import io.github.credentialmanager.server.github.GitHubApi;
import io.github.credentialmanager.server.github.GitHubException;
import io.github.credentialmanager.server.github.GitHubFailures;
import io.github.credentialmanager.server.github.GitHubInstallation;
import io.github.credentialmanager.server.github.GitHubPages;
import io.github.credentialmanager.server.github.InstallationPage;
import io.github.credentialmanager.server.github.InstallationToken;
import io.github.credentialmanager.server.github.RateLimit;
import io.github.credentialmanager.server.github.RequestBudget;
import io.github.credentialmanager.server.github.RequestLimit;
import io.github.credentialmanager.server.github.TokenScope;
import io.github.credentialmanager.server.outbound.Deadline;
import io.github.credentialmanager.server.signing.AppJwtSigner;
import io.github.credentialmanager.server.store.AppRow;
import io.github.credentialmanager.server.store.AppTable;
import io.github.credentialmanager.server.store.Installation;
import io.github.credentialmanager.server.store.InstallationTable;
import io.github.credentialmanager.server.store.LeftApps;
import io.github.credentialmanager.server.store.StoreException;
import io.github.credentialmanager.server.store.StoreFailures;
import io.github.credentialmanager.server.tracking.AppReport;
import io.github.credentialmanager.server.tracking.FanOut;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.awssdk.services.kms.model.SignRequest;
import software.amazon.awssdk.services.kms.model.SignResponse;

/**
 * One random life of a GitHub, its accounts, both tables and the runs that reconcile them.
 *
 * <p>The reconciler is the real one, behind ports that are maps. While two runs are under way the
 * world changes between any two of their calls, calls fail with or without effect, listings lie and
 * runs die. Every change of the table is judged at once by what is true at that moment. In the end
 * all is quiet, and one more run must bring the table to the state that the rules, written down
 * here once more and in other words, say; and a further one must change nothing.
 */
final class History {
  /** A fault that is built into a port, for the judges to find. */
  enum Sabotage {
    NONE,
    DELETES_WHATEVER_THE_ROW_HOLDS,
    WRITES_WHATEVER_THE_ROW_HOLDS,
    CONFIRMS_EVERY_DELETE,
    TAKES_A_FULL_PAGE_FOR_THE_LAST,
    DELETES_ROWS_OF_REGISTERED_APPS
  }

  /** What happened, to know that every rule was put to the test. */
  enum Happened {
    ROW_ADDED,
    ROW_CHANGED,
    ROW_OF_A_NEW_INSTALLATION,
    ROW_OF_AN_ENTERPRISE,
    ROW_OF_A_SUSPENDED_INSTALLATION,
    DAMAGED_ROW_REPAIRED,
    DAMAGED_ROW_LEFT,
    LISTED_WITHOUT_ACCOUNT,
    LISTING_INCOMPLETE_WITH_ROWS_MISSING,
    ROW_DELETED,
    ROW_OF_LEFT_APP_DELETED,
    CHANGE_LOST_TO_ANOTHER,
    DELETE_LOST_TO_ANOTHER,
    LEFT_APP_CAME_BACK,
    DELETE_NOT_CONFIRMED,
    TOO_MANY_MISSING,
    AS_MANY_MISSING_AS_MAY_BE,
    ONE_MORE_MISSING_THAN_MAY_BE,
    TOO_MANY_APPS_LEFT,
    AS_MANY_APPS_LEFT_AS_MAY_BE,
    ONE_MORE_APP_LEFT_THAN_MAY_BE,
    TWO_INSTALLATIONS_ON_ONE_ACCOUNT,
    APP_FAILED,
    APP_FAILED_BESIDE_ONE_THAT_DID_NOT,
    RUN_DIED,
    QUIET_RUN
  }

  private static final int PAGE_SIZE = 4;
  private static final Instant NOW = Instant.parse("2026-11-23T09:00:00Z");

  private final Random random;
  private final Sabotage sabotage;
  private final Baton baton;
  private final Deadline deadline = Deadline.in(Duration.ofHours(1), () -> 0);
  private final Map<Happened, Integer> happened = new EnumMap<>(Happened.class);
  private final List<String> log = new ArrayList<>();

  // The truth.
  private final Map<Long, App> apps = new TreeMap<>();
  private final Map<InstallationTable.Key, Stored> table = new HashMap<>();
  private long nextInstallationId = 100;
  private int nextNode;
  private long now;

  // How this GitHub is.
  private final boolean newestFirst;
  private final boolean hidesLinks;
  private final boolean tellsLastPage;
  private final boolean leavesPagesShort;
  private boolean quiet;

  History(long seed, Sabotage sabotage) {
    this.random = new Random(seed);
    this.sabotage = sabotage;
    this.baton = new Baton(random);
    this.newestFirst = oneIn(3);
    this.hidesLinks = oneIn(8);
    this.tellsLastPage = oneIn(2);
    this.leavesPagesShort = !hidesLinks && oneIn(4);
    beginning();
  }

  Map<Happened, Integer> play(ExecutorService threads) {
    baton.run(
        threads,
        List.of(
            () -> live(5 + random.nextInt(25)), () -> runs(1 + random.nextInt(2)), () -> runs(1)));
    if (oneIn(2)) {
      apps.values().forEach(this::uninstallUpToTheLimit);
    }
    if (oneIn(appsWithRows().size() > limit(0) ? 2 : 9)) {
      leaveUpToTheLimit();
    }
    quiet = true;
    quietRun();
    return happened;
  }

  // ---- What the world does

  private void beginning() {
    boolean many = oneIn(12);
    int count = many ? 6 + random.nextInt(25) : 1 + random.nextInt(3);
    for (long appId = 1; appId <= count; appId++) {
      App app = new App(appId);
      apps.put(appId, app);
      int installations = many ? random.nextInt(3) : random.nextInt(oneIn(3) ? 50 : 9);
      for (int i = 0; i < installations; i++) {
        install(app, newNode());
      }
      for (Truth truth : app.truths.values()) {
        if (!oneIn(4)) {
          table.put(key(app, truth.nodeId), Stored.of(truth.state(app)));
        }
      }
      if (oneIn(6)) {
        app.trouble = Trouble.values()[random.nextInt(Trouble.values().length)];
      }
    }
    if (many && oneIn(3)) {
      apps.values().forEach(app -> app.registered = oneIn(3));
    }
  }

  private void live(int events) {
    for (int i = 0; i < events; i++) {
      baton.step();
      now++;
      App app = pick(new ArrayList<>(apps.values()));
      List<Truth> truths = new ArrayList<>(app.truths.values());
      switch (random.nextInt(16)) {
        case 0, 1 -> install(app, newNode());
        case 2, 3 -> ifAny(truths, truth -> uninstall(app, truth));
        case 4 -> {
          if (oneIn(4)) {
            truths.forEach(truth -> uninstall(app, truth));
          }
        }
        case 5, 6 ->
            ifAny(
                truths,
                truth -> {
                  uninstall(app, truth);
                  install(app, truth.nodeId);
                });
        case 7 -> ifAny(truths, truth -> truth.change(now, t -> t.suspended = !t.suspended));
        case 8 -> ifAny(truths, truth -> truth.change(now, t -> t.name = "renamed-" + now));
        case 9 -> ifAny(truths, truth -> truth.change(now, t -> t.hasAccount = !t.hasAccount));
        case 10 -> ifAny(truths, truth -> truth.change(now, t -> t.nodeId = newNode()));
        case 11 -> app.registered = !app.registered;
        case 12 ->
            app.trouble =
                app.trouble == Trouble.NONE || oneIn(2)
                    ? Trouble.values()[random.nextInt(Trouble.values().length)]
                    : Trouble.NONE;
        case 13 -> damage(app);
        case 14 -> ifAny(truths, truth -> install(app, truth.nodeId));
        default -> restoreOldRow(app);
      }
    }
  }

  private void install(App app, String nodeId) {
    Truth truth = new Truth(nextInstallationId++, nodeId);
    truth.suspended = oneIn(8);
    truth.targetType = pick(List.of("Organization", "User", "Enterprise"));
    truth.hasAccount = !oneIn(12);
    app.truths.put(truth.id, truth);
    app.everything.put(truth.id, truth);
    truth.remember(now);
  }

  private void uninstall(App app, Truth truth) {
    app.truths.remove(truth.id);
    truth.remember(now);
    truth.goneSince = now;
  }

  /** So that as many of its rows are missing as may be, or one more. */
  private void uninstallUpToTheLimit(App app) {
    List<InstallationTable.Key> keys = keysOf(app.appId);
    Set<Long> missing = new HashSet<>();
    Set<Truth> others = new HashSet<>();
    for (InstallationTable.Key key : keys) {
      stored(key)
          .installation()
          .ifPresent(
              row ->
                  Optional.ofNullable(app.truths.get(row.installationId()))
                      .ifPresentOrElse(others::add, () -> missing.add(row.installationId())));
    }
    int wanted = limit(keys.size()) + random.nextInt(2);
    List<Truth> leaving =
        others.stream()
            .sorted(Comparator.comparing(truth -> truth.id))
            .collect(Collectors.toList());
    Collections.shuffle(leaving, random);
    leaving.stream()
        .limit(Math.max(0, wanted - missing.size()))
        .forEach(truth -> uninstall(app, truth));
  }

  private void leaveUpToTheLimit() {
    Set<Long> withRows = appsWithRows();
    List<App> registered =
        apps.values().stream()
            .filter(app -> app.registered && withRows.contains(app.appId))
            .collect(Collectors.toList());
    Collections.shuffle(registered, random);
    int left = withRows.size() - registered.size();
    int wanted = limit(withRows.size()) + random.nextInt(2);
    registered.stream().limit(Math.max(0, wanted - left)).forEach(app -> app.registered = false);
  }

  private void damage(App app) {
    List<InstallationTable.Key> keys = keysOf(app.appId);
    InstallationTable.Key key = keys.isEmpty() || oneIn(3) ? key(app, newNode()) : pick(keys);
    String id = List.of("", "1.5", "-7", "12345678901234567890").get(random.nextInt(4));
    table.put(key, new Stored(id.isEmpty() ? Optional.empty() : Optional.of(id), Optional.empty()));
  }

  /** As from a backup: an installation that was there once, or never. */
  private void restoreOldRow(App app) {
    List<Truth> all = new ArrayList<>(app.everything.values());
    if (all.isEmpty() || oneIn(4)) {
      Truth never = new Truth(nextInstallationId++, newNode());
      table.put(key(app, never.nodeId), Stored.of(never.state(app)));
    } else {
      Truth truth = pick(all);
      table.put(key(app, truth.nodeId), Stored.of(truth.state(app)));
    }
  }

  // ---- The runs

  private void runs(int times) {
    for (int i = 0; i < times; i++) {
      try {
        new ReconcilerRun().run();
      } catch (Died | StoreException e) {
        count(Happened.RUN_DIED);
      }
    }
  }

  private void quietRun() {
    Map<InstallationTable.Key, Stored> expected = expected();
    List<AppReport> reports = new ReconcilerRun().run();
    count(Happened.QUIET_RUN);
    require(
        table.equals(expected), () -> "the table is " + table + "\n  and should be " + expected);
    for (AppReport report : reports) {
      App app = apps.get(report.appId());
      require(
          report.hasFailures() == (app != null && app.registered && app.isBroken()),
          () -> "the report of " + app + " says " + report.toJson());
    }
    // What were too many of the rows before may be few enough of those that were added.
    Map<InstallationTable.Key, Stored> expectedThen = expected();
    ReconcilerRun again = new ReconcilerRun();
    again.run();
    require(
        again.changes == 0 || !expectedThen.equals(expected),
        () -> "a run that had nothing to do made changes");
    require(table.equals(expectedThen), () -> "a run that had nothing to do changed the table");
    log.forEach(World::read);
  }

  /** The rules, once more. */
  private Map<InstallationTable.Key, Stored> expected() {
    Map<InstallationTable.Key, Stored> expected = new HashMap<>(table);
    Set<Long> withRows = appsWithRows();
    Set<Long> left =
        withRows.stream().filter(id -> !app(id).registered).collect(Collectors.toSet());
    count(
        left.size() - limit(withRows.size()),
        Happened.AS_MANY_APPS_LEFT_AS_MAY_BE,
        Happened.ONE_MORE_APP_LEFT_THAN_MAY_BE);
    if (isTooMuch(left.size(), withRows.size())) {
      count(Happened.TOO_MANY_APPS_LEFT);
    } else {
      expected.keySet().removeIf(key -> left.contains(key.appId()));
    }
    for (App app : apps.values()) {
      if (app.registered && !app.isBroken()) {
        expect(app, expected);
      }
    }
    return expected;
  }

  private void expect(App app, Map<InstallationTable.Key, Stored> expected) {
    Set<InstallationTable.Key> rows = new HashSet<>(keysOf(app.appId));
    Set<InstallationTable.Key> listed = new HashSet<>();
    for (Truth truth : app.truths.values()) { // From the oldest: the newest stays.
      if (truth.hasAccount) {
        if (!listed.add(key(app, truth.nodeId))) {
          count(Happened.TWO_INSTALLATIONS_ON_ONE_ACCOUNT);
        }
        if (!leadsToANewerOneWithoutAccount(app, truth)) {
          expected.put(key(app, truth.nodeId), Stored.of(truth.state(app)));
        }
      }
    }
    Set<InstallationTable.Key> gone = new HashSet<>(rows);
    gone.removeAll(listed);
    gone.removeIf(
        key ->
            stored(key)
                .installation()
                .filter(installation -> !app.truths.containsKey(installation.installationId()))
                .isEmpty());
    count(
        gone.size() - limit(rows.size()),
        Happened.AS_MANY_MISSING_AS_MAY_BE,
        Happened.ONE_MORE_MISSING_THAN_MAY_BE);
    if (isTooMuch(gone.size(), rows.size())) {
      count(Happened.TOO_MANY_MISSING);
    } else {
      expected.keySet().removeAll(gone);
    }
  }

  private boolean leadsToANewerOneWithoutAccount(App app, Truth truth) {
    return Optional.ofNullable(table.get(key(app, truth.nodeId)))
        .flatMap(Stored::installation)
        .filter(row -> row.installationId() > truth.id)
        .map(row -> app.truths.get(row.installationId()))
        .filter(newer -> !newer.hasAccount)
        .isPresent();
  }

  private static boolean isTooMuch(int missing, int of) {
    return missing > Math.max(5.0, of * 0.20);
  }

  private static int limit(int of) {
    return IntStream.rangeClosed(0, of + 5).filter(i -> !isTooMuch(i, of)).max().orElseThrow();
  }

  /** One run of the real thing, in an environment of its own. */
  private final class ReconcilerRun {
    private final long began = now;
    private final Map<Long, Integer> rowsRead = new HashMap<>();
    private final Map<Long, Integer> deleted = new HashMap<>();
    private final Set<Long> deletedOfLeft = new HashSet<>();
    private int appsWithRows;
    private final Map<Long, Set<Long>> listed = new HashMap<>();
    private final Set<Long> incomplete = new HashSet<>();
    private int changes;

    List<AppReport> run() {
      Ports ports = new Ports(this);
      ServiceLog serviceLog = new ServiceLog(log::add, () -> NOW);
      List<AppReport> reports =
          new Reconciler(
                  ports,
                  ports,
                  ports,
                  new AppCredentials(
                      ports, AppJwtSigner.kms(new Kms(), () -> NOW), ports, serviceLog, () -> NOW),
                  ports,
                  new RequestBudget(20, 900),
                  new FanOut(Runnable::run, 1),
                  serviceLog,
                  () -> NOW)
              .run(deadline);
      reports.forEach(this::count);
      if (reports.stream().map(AppReport::hasFailures).distinct().count() == 2) {
        History.this.count(Happened.APP_FAILED_BESIDE_ONE_THAT_DID_NOT);
      }
      return reports;
    }

    private void count(AppReport report) {
      if (report.hasFailures()) {
        History.this.count(Happened.APP_FAILED);
      }
      Map.of(
              "DAMAGED_ROW", Happened.DAMAGED_ROW_LEFT,
              "WITHOUT_ACCOUNT", Happened.LISTED_WITHOUT_ACCOUNT,
              "LISTING_INCOMPLETE", Happened.LISTING_INCOMPLETE_WITH_ROWS_MISSING)
          .forEach(
              (why, what) -> {
                if (report.toJson().get("skippedBecause") instanceof Map<?, ?> skipped
                    && skipped.containsKey(why)) {
                  History.this.count(what);
                }
              });
    }
  }

  /** Everything a run can reach. */
  private final class Ports implements AppTable, InstallationTable, LeftApps, GitHubApi {
    private final ReconcilerRun run;

    Ports(ReconcilerRun run) {
      this.run = run;
    }

    @Override
    public void reconnect() {
      // There is no connection.
    }

    // -- App table

    @Override
    public Optional<AppRow> find(long appId, Deadline deadline) {
      table("find");
      App app = app(appId);
      if (app.registered && app.trouble == Trouble.ROW_DAMAGED) {
        throw StoreFailures.of(StoreException.Cause.DAMAGED);
      }
      return app.registered
          ? Optional.of(new AppRow(appId, "key-" + appId, Optional.empty()))
          : Optional.empty();
    }

    @Override
    public List<Long> appIds(Deadline deadline) {
      table("appIds");
      return apps.values().stream().filter(app -> app.registered).map(app -> app.appId).toList();
    }

    // -- Installation table

    @Override
    public List<Row> rowsOfApp(long appId, Deadline deadline) {
      table("rowsOfApp");
      List<Row> rows =
          keysOf(appId).stream()
              .map(
                  key ->
                      new Row(
                          appId,
                          key.nodeId(),
                          stored(key).installation(),
                          stored(key).installationId()))
              .collect(Collectors.toList());
      Collections.shuffle(rows, random);
      run.rowsRead.put(appId, rows.size());
      return rows;
    }

    @Override
    public int write(List<Change> changes, Instant refreshedAt, Deadline deadline) {
      table("write");
      int written = 0;
      for (Change change : changes) {
        Installation installation = change.installation();
        Key key = new Key(installation.appId(), installation.nodeId());
        Optional<Stored> stored = Optional.ofNullable(table.get(key));
        boolean unchanged =
            stored.isPresent() == change.row().isPresent()
                && stored
                    .flatMap(Stored::installationId)
                    .equals(change.row().flatMap(Row::installationId));
        if (unchanged || sabotage == Sabotage.WRITES_WHATEVER_THE_ROW_HOLDS) {
          judgeWrite(run, stored, change);
          table.put(key, Stored.of(installation));
          run.changes++;
          written++;
        } else {
          count(Happened.CHANGE_LOST_TO_ANOTHER);
        }
      }
      answerIsLost();
      return written;
    }

    @Override
    public int delete(List<Installation> installations, Deadline deadline) {
      table("delete");
      int deleted = 0;
      for (Installation installation : installations) {
        Key key = new Key(installation.appId(), installation.nodeId());
        Optional<Stored> stored = Optional.ofNullable(table.get(key));
        boolean unchanged =
            stored
                .flatMap(Stored::installationId)
                .equals(Optional.of(Long.toString(installation.installationId())));
        if (unchanged
            || (stored.isPresent() && sabotage == Sabotage.DELETES_WHATEVER_THE_ROW_HOLDS)) {
          judgeDelete(run, key, stored.orElseThrow());
          table.remove(key);
          run.changes++;
          deleted++;
        } else {
          count(Happened.DELETE_LOST_TO_ANOTHER);
        }
      }
      answerIsLost();
      return deleted;
    }

    @Override
    public Set<Long> appsWithRows(Deadline deadline) {
      table("appsWithRows");
      Set<Long> appsWithRows = History.this.appsWithRows();
      run.appsWithRows = appsWithRows.size();
      return appsWithRows;
    }

    @Override
    public int delete(long appId, List<Row> rows, Deadline deadline) {
      int deleted = 0;
      for (Row row : rows) { // A transaction each.
        table("deleteOfLeftApp");
        if (app(appId).registered && sabotage != Sabotage.DELETES_ROWS_OF_REGISTERED_APPS) {
          count(Happened.LEFT_APP_CAME_BACK);
          return deleted;
        }
        Key key = new Key(appId, row.nodeId());
        Stored stored = table.get(key);
        if (stored != null) {
          judgeDelete(run, key, stored);
          table.remove(key);
          run.changes++;
        }
        deleted++;
      }
      return deleted;
    }

    private void table(String call) {
      mayDie();
      if (!quiet && oneIn(60)) {
        throw StoreFailures.of(StoreException.Cause.UNAVAILABLE);
      }
    }

    private void answerIsLost() {
      if (!quiet && oneIn(40)) {
        throw StoreFailures.of(StoreException.Cause.UNAVAILABLE);
      }
    }

    // -- GitHub

    @Override
    public InstallationPage listInstallations(String appJwt, int page, Deadline deadline) {
      App app = app(appOf(appJwt));
      try {
        gitHub(appJwt);
      } catch (GitHubException e) {
        run.incomplete.add(app.appId);
        throw e;
      }
      List<Truth> all = new ArrayList<>(app.truths.values());
      if (newestFirst) {
        Collections.reverse(all);
      }
      int pages = (all.size() + PAGE_SIZE - 1) / PAGE_SIZE;
      List<Truth> entries =
          all.subList(
              Math.min((page - 1) * PAGE_SIZE, all.size()), Math.min(page * PAGE_SIZE, all.size()));
      boolean full = entries.size() == PAGE_SIZE;
      int notUnderstood = 0;
      if (!quiet && !entries.isEmpty() && oneIn(15)) {
        entries = entries.subList(1, entries.size()); // GitHub forgets one...
        notUnderstood = random.nextInt(2); // ...or one of its entries is garbled.
      }
      Set<Long> listed = run.listed.computeIfAbsent(app.appId, any -> new HashSet<>());
      if (notUnderstood > 0 || !entries.stream().allMatch(truth -> listed.add(truth.id))) {
        run.incomplete.add(app.appId);
      }
      List<String> json = new ArrayList<>(entries.stream().map(Truth::listed).toList());
      if (notUnderstood > 0) {
        json.add(random.nextInt(json.size() + 1), "{\"id\":\"?\"}");
      }
      return GitHubPages.page(
          json.toString(),
          full && !leavesPagesShort && sabotage != Sabotage.TAKES_A_FULL_PAGE_FOR_THE_LAST
              ? json.size()
              : PAGE_SIZE + 1,
          !hidesLinks && page < pages,
          tellsLastPage && !hidesLinks && pages > 0 ? OptionalInt.of(pages) : OptionalInt.empty());
    }

    @Override
    public boolean hasInstallation(String appJwt, long installationId, Deadline deadline) {
      boolean installed = gitHub(appJwt).truths.containsKey(installationId);
      if (installed) {
        count(Happened.DELETE_NOT_CONFIRMED);
      }
      return installed && sabotage != Sabotage.CONFIRMS_EVERY_DELETE;
    }

    private App gitHub(String appJwt) {
      mayDie();
      if (!quiet && oneIn(40)) {
        throw GitHubFailures.of(
            oneIn(2) ? GitHubException.Cause.UNAVAILABLE : GitHubException.Cause.THROTTLED);
      }
      App app = app(appOf(appJwt));
      if (app.trouble == Trouble.KEY_REFUSED) {
        throw GitHubFailures.of(GitHubException.Cause.UNAUTHORIZED);
      }
      return app;
    }

    private void mayDie() {
      baton.step();
      if (!quiet && oneIn(400)) {
        throw new Died();
      }
    }

    @Override
    public GitHubApi limitedBy(RequestLimit limit) {
      return this;
    }

    // -- What a run has no use for

    @Override
    public Optional<Installation> find(long appId, String nodeId, Deadline deadline) {
      throw new UnsupportedOperationException();
    }

    @Override
    public List<Installation> onAccount(String nodeId, Deadline deadline) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Page list(Optional<Key> after, int limit, Deadline deadline) {
      throw new UnsupportedOperationException();
    }

    @Override
    public List<Installation> ofApp(long appId, Deadline deadline) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void authenticate(String appJwt, Deadline deadline) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Optional<GitHubInstallation> findInstallation(
        String appJwt, Predicate<GitHubInstallation> matches, Deadline deadline) {
      throw new UnsupportedOperationException();
    }

    @Override
    public InstallationToken createToken(
        String appJwt, long installationId, TokenScope scope, Deadline deadline) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void revoke(InstallationToken token, Deadline deadline) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Map<String, RateLimit> rateLimits(InstallationToken token, Deadline deadline) {
      throw new UnsupportedOperationException();
    }
  }

  // ---- The judges

  private void judgeWrite(
      ReconcilerRun run, Optional<Stored> old, InstallationTable.Change change) {
    Installation written = change.installation();
    App app = app(written.appId());
    Truth truth = app.everything.get(written.installationId());
    require(
        truth != null && truth.wasEver(written, run.began, now, app),
        () -> "written was what GitHub never said: " + written);
    require(
        !change.row().flatMap(InstallationTable.Row::installation).equals(Optional.of(written)),
        () -> "written was what the run had read: " + written);
    Optional<Installation> before = old.flatMap(Stored::installation);
    boolean aliveWasReplaced =
        before
            // A newer one beside it may be gone by now: nobody can list and write at once.
            .filter(row -> row.installationId() > written.installationId())
            .filter(row -> app.truths.containsKey(row.installationId()))
            .isPresent();
    require(
        !aliveWasReplaced || app.truths.containsKey(written.installationId()),
        () -> "an installation that is gone took the place of " + before.orElseThrow());
    count(
        old.isEmpty()
            ? Happened.ROW_ADDED
            : before.isEmpty()
                ? Happened.DAMAGED_ROW_REPAIRED
                : before.get().installationId() == written.installationId()
                    ? Happened.ROW_CHANGED
                    : Happened.ROW_OF_A_NEW_INSTALLATION);
    if (written.targetType().equals(Optional.of("Enterprise"))) {
      count(Happened.ROW_OF_AN_ENTERPRISE);
    }
    if (written.suspended()) {
      count(Happened.ROW_OF_A_SUSPENDED_INSTALLATION);
    }
  }

  private void judgeDelete(ReconcilerRun run, InstallationTable.Key key, Stored deleted) {
    App app = app(key.appId());
    if (!app.registered) {
      run.deletedOfLeft.add(app.appId);
      require(
          !isTooMuch(run.deletedOfLeft.size(), run.appsWithRows),
          () -> "deleted were the rows of " + run.deletedOfLeft + " of " + run.appsWithRows);
      count(Happened.ROW_OF_LEFT_APP_DELETED);
      return;
    }
    require(
        deleted.installation().isPresent(), () -> "deleted was a damaged row, unconfirmed: " + key);
    require(
        !app.truths.containsKey(deleted.installation().get().installationId()),
        () -> "deleted was the row of an installation that exists: " + key);
    require(
        !run.incomplete.contains(key.appId()),
        () -> "deleted was " + key + " after a listing that was not complete");
    int sofar = run.deleted.merge(key.appId(), 1, Integer::sum);
    int rows = run.rowsRead.getOrDefault(key.appId(), 0);
    require(!isTooMuch(sofar, rows), () -> sofar + " of " + rows + " rows were deleted in one run");
    count(Happened.ROW_DELETED);
  }

  private void require(boolean holds, java.util.function.Supplier<String> otherwise) {
    if (!holds) {
      throw new AssertionError(otherwise.get());
    }
  }

  // ---- Small things

  private void count(Happened what) {
    happened.merge(what, 1, Integer::sum);
  }

  private void count(int overTheLimit, Happened atTheLimit, Happened oneMore) {
    if (overTheLimit == 0) {
      count(atTheLimit);
    } else if (overTheLimit == 1) {
      count(oneMore);
    }
  }

  private boolean oneIn(int n) {
    return random.nextInt(n) == 0;
  }

  private <T> T pick(List<T> from) {
    return from.get(random.nextInt(from.size()));
  }

  private void ifAny(List<Truth> truths, java.util.function.Consumer<Truth> change) {
    if (!truths.isEmpty()) {
      change.accept(pick(truths));
    }
  }

  private String newNode() {
    return "O_" + nextNode++;
  }

  private App app(long appId) {
    return Objects.requireNonNull(apps.get(appId));
  }

  private Stored stored(InstallationTable.Key key) {
    return Objects.requireNonNull(table.get(key));
  }

  private Set<Long> appsWithRows() {
    return table.keySet().stream().map(InstallationTable.Key::appId).collect(Collectors.toSet());
  }

  private List<InstallationTable.Key> keysOf(long appId) {
    return table.keySet().stream()
        .filter(key -> key.appId() == appId)
        .sorted((a, b) -> a.nodeId().compareTo(b.nodeId()))
        .toList();
  }

  private static InstallationTable.Key key(App app, String nodeId) {
    return new InstallationTable.Key(app.appId, nodeId);
  }

  /** The App that a JWT says it is of. */
  private static long appOf(String appJwt) {
    String claims = new String(Base64.getUrlDecoder().decode(appJwt.split("\\.", -1)[1]), UTF_8);
    return World.read(claims).path("iss").asLong();
  }

  /** A KMS whose signatures nobody checks. */
  private final class Kms implements KmsClient {
    @Override
    public SignResponse sign(SignRequest request) {
      baton.step();
      App app = app(Long.parseLong(request.keyId().substring("key-".length())));
      if (app.trouble == Trouble.KEY_UNAVAILABLE) {
        throw software.amazon.awssdk.services.kms.model.DisabledException.builder().build();
      }
      return SignResponse.builder().signature(SdkBytes.fromUtf8String("signature")).build();
    }

    @Override
    public String serviceName() {
      return "kms";
    }

    @Override
    public void close() {}
  }

  /** What can be wrong with one App. */
  private enum Trouble {
    NONE,
    ROW_DAMAGED,
    KEY_UNAVAILABLE,
    KEY_REFUSED
  }

  private static final class App {
    final long appId;
    boolean registered = true;
    Trouble trouble = Trouble.NONE;
    final TreeMap<Long, Truth> truths = new TreeMap<>();
    final TreeMap<Long, Truth> everything = new TreeMap<>();

    App(long appId) {
      this.appId = appId;
    }

    boolean isBroken() {
      return trouble != Trouble.NONE;
    }

    @Override
    public String toString() {
      return "App " + appId + (registered ? "" : " (left)") + " " + trouble;
    }
  }

  /** An installation as it is at GitHub, and as it was. */
  private static final class Truth {
    final long id;
    String targetType = "Organization";
    String nodeId;
    String name;
    boolean suspended;
    boolean hasAccount = true;
    long goneSince = Long.MAX_VALUE;
    private final List<Version> versions = new ArrayList<>();

    Truth(long id, String nodeId) {
      this.id = id;
      this.nodeId = nodeId;
      this.name = "account-" + id;
    }

    void change(long now, java.util.function.Consumer<Truth> change) {
      change.accept(this);
      remember(now);
    }

    void remember(long now) {
      versions.add(new Version(now, nodeId, name, suspended));
    }

    Installation state(App app) {
      return new Installation(
          app.appId, nodeId, id, Optional.of(targetType), Optional.of(name), suspended);
    }

    /** As GitHub lists it: an enterprise has a slug where others have a login. */
    String listed() {
      String account =
          String.format(
              "{\"%s\":\"%s\",\"node_id\":\"%s\"}",
              targetType.equals("Enterprise") ? "slug" : "login", name, nodeId);
      return String.format(
          "{\"id\":%d,\"account\":%s,\"target_type\":\"%s\",\"suspended_at\":%s}",
          id,
          hasAccount ? account : "null",
          targetType,
          suspended ? "\"2026-11-23T08:00:00Z\"" : "null");
    }

    /** Whether GitHub could have said so at some moment within that time. */
    boolean wasEver(Installation said, long from, long to, App app) {
      return IntStream.range(0, versions.size())
          .anyMatch(
              i -> {
                Version version = versions.get(i);
                long until = i + 1 < versions.size() ? versions.get(i + 1).since : goneSince;
                return version.since <= to
                    && until >= from
                    && said.equals(
                        new Installation(
                            app.appId,
                            version.nodeId,
                            id,
                            Optional.of(targetType),
                            Optional.of(version.name),
                            version.suspended));
              });
    }

    private record Version(long since, String nodeId, String name, boolean suspended) {}
  }

  /** A row as the table holds it. */
  private record Stored(Optional<String> installationId, Optional<Installation> installation) {
    static Stored of(Installation installation) {
      return new Stored(
          Optional.of(Long.toString(installation.installationId())), Optional.of(installation));
    }
  }

  /** The end of an environment, in the middle of anything. */
  private static final class Died extends Error {
    private static final long serialVersionUID = 1;

    Died() {
      super("", null, false, false);
    }
  }
}
