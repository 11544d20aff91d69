package io.github.credentialmanager.server.refresh;

import io.github.credentialmanager.server.appcredentials.AppCredentials;
import io.github.credentialmanager.server.audit.ServiceLog;
import io.github.credentialmanager.server.github.GitHubApi;
import io.github.credentialmanager.server.github.GitHubInstallation;
import io.github.credentialmanager.server.github.RequestBudget;
import io.github.credentialmanager.server.outbound.Deadline;
import io.github.credentialmanager.server.store.AppTable;
import io.github.credentialmanager.server.store.Installation;
import io.github.credentialmanager.server.store.InstallationTable;
import io.github.credentialmanager.server.store.InstallationTable.Change;
import io.github.credentialmanager.server.store.InstallationTable.Row;
import io.github.credentialmanager.server.store.LeftApps;
import io.github.credentialmanager.server.tracking.AppReport;
import io.github.credentialmanager.server.tracking.FanOut;
import io.github.credentialmanager.server.tracking.Tracker;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * Brings the Installation table up to date with GitHub.
 *
 * <p>Apps are apart: where one fails, the others are still brought up to date. Only rows that
 * differ are written, so a run that changes nothing writes nothing. A row that somebody else has
 * changed since this run read it is left to the next run, and one of a newer installation than
 * GitHub lists on the account stays unless GitHub answers 404 for it: a listing may lag behind.
 *
 * <p>A row is deleted only after a complete listing that lacks its installation, only if GitHub
 * then answers 404 for it, and only if the row still names it. Where more than five and more than a
 * fifth of an App's rows are missing at once, none is deleted: then something else is wrong.
 *
 * <p>Rows of Apps that left the App table are deleted, in one transaction with the proof that the
 * App is not registered; the same limit holds for the number of Apps.
 *
 * <p>Safe for use by multiple threads, and by several runs at a time.
 */
public final class Reconciler implements Tracker {
  private static final int ALWAYS_PLAUSIBLE = 5;
  private static final int IMPLAUSIBLE_PART = 5; // One fifth.

  private static final String SEEN = "seen";
  private static final String WRITTEN = "written";
  private static final String DELETED = "deleted";

  private final AppTable apps;
  private final InstallationTable table;
  private final LeftApps leftApps;
  private final AppCredentials credentials;
  private final GitHubApi gitHub;
  private final RequestBudget budget;
  private final FanOut fanOut;
  private final ServiceLog log;
  private final InstantSource clock;

  public Reconciler(
      AppTable apps,
      InstallationTable table,
      LeftApps leftApps,
      AppCredentials credentials,
      GitHubApi gitHub,
      RequestBudget budget,
      FanOut fanOut,
      ServiceLog log,
      InstantSource clock) {
    this.apps = apps;
    this.table = table;
    this.leftApps = leftApps;
    this.credentials = credentials;
    this.gitHub = gitHub;
    this.budget = budget;
    this.fanOut = fanOut;
    this.log = log;
    this.clock = clock;
  }

  /**
   * One run over all Apps. Each App's result is logged.
   *
   * @throws io.github.credentialmanager.server.store.StoreException if the Apps cannot be read
   */
  @Override
  public List<AppReport> run(Deadline deadline) {
    Set<Long> registered = new HashSet<>(apps.appIds(deadline));
    Collection<AppReport> reports = new ConcurrentLinkedQueue<>();
    fanOut.forEach(registered, appId -> reports.add(run(appId, deadline)));
    reports.addAll(deleteRowsOfLeftApps(registered, deadline));
    return List.copyOf(reports);
  }

  private AppReport run(long appId, Deadline deadline) {
    AppReport report = new AppReport(appId, SEEN, WRITTEN, DELETED);
    try {
      new Run(appId, report, deadline).reconcile();
    } catch (RuntimeException e) {
      report.failed(e, 1);
    }
    log("InstallationsSynced", report);
    return report;
  }

  private void log(String event, AppReport report) {
    if (report.hasFailures()) {
      Map<String, Object> line = new HashMap<>(report.diagnosis());
      line.putAll(report.toJson());
      log.alarm("InstallationSyncFailed", line);
    } else {
      log.write(event, report.toJson());
    }
  }

  private static boolean isPlausible(int missing, int all) {
    return missing <= ALWAYS_PLAUSIBLE || missing * IMPLAUSIBLE_PART <= all;
  }

  private List<AppReport> deleteRowsOfLeftApps(Set<Long> registered, Deadline deadline) {
    List<AppReport> reports = new ArrayList<>();
    try {
      Set<Long> appsWithRows = leftApps.appsWithRows(deadline);
      Set<Long> left = new HashSet<>(appsWithRows);
      left.removeAll(registered);
      if (isPlausible(left.size(), appsWithRows.size())) {
        left.forEach(appId -> reports.add(deleteRowsOfLeftApp(appId, deadline)));
      } else {
        log.alarm(
            "ImplausiblyManyInstallationsMissing",
            Map.of("appsMissing", left.size(), "appsWithRows", appsWithRows.size()));
      }
    } catch (RuntimeException e) {
      AppReport report = new AppReport(0, DELETED);
      report.failed(e, 1);
      log("", report);
    }
    return reports;
  }

  private AppReport deleteRowsOfLeftApp(long appId, Deadline deadline) {
    AppReport report = new AppReport(appId, DELETED);
    try {
      List<Row> rows = table.rowsOfApp(appId, deadline);
      int deleted = leftApps.delete(appId, rows, deadline);
      report.did(DELETED, deleted);
      report.skipped("REGISTERED_AGAIN", rows.size() - deleted);
    } catch (RuntimeException e) {
      report.failed(e, 1);
    }
    log("RowsOfLeftAppDeleted", report);
    return report;
  }

  /** One App's part of a run. */
  private final class Run {
    private final long appId;
    private final AppReport report;
    private final Deadline deadline;
    private final GitHubApi limited;

    Run(long appId, AppReport report, Deadline deadline) {
      this.appId = appId;
      this.report = report;
      this.deadline = deadline;
      this.limited = gitHub.limitedBy(budget.of(appId));
    }

    void reconcile() {
      // Rows first: one that appears after the listing must not look as if GitHub lacked it.
      List<Row> rows = table.rowsOfApp(appId, deadline);
      Listing listing =
          Listing.read(
              page ->
                  credentials.call(
                      appId,
                      deadline,
                      jwt -> limited.listInstallations(jwt.value(), page, deadline)),
              fanOut);
      report.reached();
      report.did(SEEN, listing.size());
      report.skipped("WITHOUT_ACCOUNT", listing.withoutAccount().size());
      report.skipped("NOT_UNDERSTOOD", listing.notUnderstood());
      listing.failures().forEach(failure -> report.failed(failure, 1));

      Map<String, Installation> listed = byNode(listing);
      write(withoutStale(changes(listed, rows), listing));
      List<Row> unlisted = rows.stream().filter(row -> !listed.containsKey(row.nodeId())).toList();
      delete(unlisted, listing, rows.size());
    }

    /** Where GitHub lists two installations on one account, the newer one counts. */
    private Map<String, Installation> byNode(Listing listing) {
      return listing.installations().stream()
          .map(this::installation)
          .collect(
              Collectors.toMap(
                  Installation::nodeId,
                  installation -> installation,
                  (a, b) -> a.installationId() > b.installationId() ? a : b));
    }

    private Installation installation(GitHubInstallation listed) {
      return new Installation(
          appId,
          listed.nodeId(),
          listed.id(),
          listed.targetType().filter(type -> !type.isEmpty()),
          listed.name().filter(name -> !name.isEmpty()),
          listed.suspended());
    }

    private static List<Change> changes(Map<String, Installation> listed, List<Row> rows) {
      Map<String, Row> byNode = rows.stream().collect(Collectors.toMap(Row::nodeId, row -> row));
      return listed.values().stream()
          .map(
              installation ->
                  new Change(Optional.ofNullable(byNode.get(installation.nodeId())), installation))
          .filter(
              change ->
                  !change
                      .row()
                      .flatMap(Row::installation)
                      .equals(Optional.of(change.installation())))
          .toList();
    }

    /** A row of a newer installation than GitHub lists gives way only if that one is gone. */
    private List<Change> withoutStale(List<Change> changes, Listing listing) {
      Queue<Change> sound = new ConcurrentLinkedQueue<>();
      fanOut.forEach(
          changes,
          change ->
              change
                  .row()
                  .flatMap(Row::installation)
                  .filter(row -> row.installationId() > change.installation().installationId())
                  .filter(row -> !listing.namesAccountOf(row.installationId()))
                  .ifPresentOrElse(
                      row -> ifGone(row, () -> sound.add(change)), () -> sound.add(change)));
      return List.copyOf(sound);
    }

    private void write(List<Change> changes) {
      Instant now = clock.instant();
      inBatches(
          changes,
          batch -> {
            int written = table.write(batch, now, deadline);
            report.did(WRITTEN, written);
            report.skipped("CHANGED_MEANWHILE", batch.size() - written);
          });
    }

    private void delete(List<Row> unlisted, Listing listing, int rows) {
      List<Installation> missing = new ArrayList<>();
      for (Row row : unlisted) {
        Optional<Installation> installation = row.installation();
        if (installation.isEmpty()) {
          report.skipped("DAMAGED_ROW", 1);
        } else if (listing.contains(installation.get().installationId())) {
          // Without an account for now, or under a new node id: the row still leads to it.
          report.skipped("LISTED_OTHERWISE", 1);
        } else {
          missing.add(installation.get());
        }
      }
      if (!listing.isComplete()) {
        report.skipped("LISTING_INCOMPLETE", missing.size());
      } else if (!isPlausible(missing.size(), rows)) {
        report.skipped("IMPLAUSIBLY_MANY_MISSING", missing.size());
        log.alarm(
            "ImplausiblyManyInstallationsMissing",
            Map.of("appId", appId, "missing", missing.size(), "rows", rows));
      } else {
        Queue<Installation> gone = new ConcurrentLinkedQueue<>();
        fanOut.forEach(missing, one -> ifGone(one, () -> gone.add(one)));
        inBatches(
            List.copyOf(gone),
            batch -> {
              int deleted = table.delete(batch, deadline);
              report.did(DELETED, deleted);
              report.skipped("CHANGED_MEANWHILE", batch.size() - deleted);
            });
      }
    }

    private void ifGone(Installation missing, Runnable action) {
      try {
        boolean exists =
            credentials.call(
                appId,
                deadline,
                jwt -> limited.hasInstallation(jwt.value(), missing.installationId(), deadline));
        if (exists) {
          report.skipped("STILL_INSTALLED", 1);
        } else {
          action.run();
        }
      } catch (RuntimeException e) {
        report.failed(e, 1);
      }
    }

    private <T> void inBatches(List<T> all, Consumer<List<T>> change) {
      for (int from = 0; from < all.size(); from += InstallationTable.MAX_CHANGES) {
        List<T> batch =
            all.subList(from, Math.min(from + InstallationTable.MAX_CHANGES, all.size()));
        try {
          change.accept(batch);
        } catch (RuntimeException e) {
          report.failed(e, batch.size());
        }
      }
    }
  }
}
