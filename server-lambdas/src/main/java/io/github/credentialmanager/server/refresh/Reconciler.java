package io.github.credentialmanager.server.refresh;

import io.github.credentialmanager.server.appcredentials.AppCredentials;
import io.github.credentialmanager.server.audit.ServiceLog;
import io.github.credentialmanager.server.github.GitHubApi;
import io.github.credentialmanager.server.github.GitHubInstallation;
import io.github.credentialmanager.server.github.InstallationListing;
import io.github.credentialmanager.server.outbound.Deadline;
import io.github.credentialmanager.server.store.AppTable;
import io.github.credentialmanager.server.store.Installation;
import io.github.credentialmanager.server.store.InstallationTable;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Brings the Installation table up to date with GitHub.
 *
 * <p>Apps are apart: where one fails, the others are still brought up to date. Only rows that
 * differ are written, so a run that changes nothing writes nothing.
 *
 * <p>A row is deleted only after a complete listing that lacks it, only if GitHub answers 404 for
 * its installation, and only if it has not changed meanwhile. Where more than five rows and more
 * than a fifth of an App's are missing at once, none is: then something else is wrong.
 *
 * <p>Rows of Apps that are not registered any more are deleted.
 *
 * <p>Safe for use by multiple threads, and by several runs at a time.
 */
public final class Reconciler {
  private static final int ALWAYS_PLAUSIBLE = 5;
  private static final int IMPLAUSIBLE_PART = 5; // One fifth.
  private static final int SCAN_PAGE = 1_000;

  private final AppTable apps;
  private final InstallationTable table;
  private final AppCredentials credentials;
  private final GitHubApi gitHub;
  private final ServiceLog log;
  private final InstantSource clock;

  public Reconciler(
      AppTable apps,
      InstallationTable table,
      AppCredentials credentials,
      GitHubApi gitHub,
      ServiceLog log,
      InstantSource clock) {
    this.apps = apps;
    this.table = table;
    this.credentials = credentials;
    this.gitHub = gitHub;
    this.log = log;
    this.clock = clock;
  }

  /**
   * One run over all Apps. Each App's result is logged.
   *
   * @return what became of each App
   * @throws io.github.credentialmanager.server.store.StoreException if the Apps cannot be read
   */
  List<AppResult> run(Deadline deadline) {
    List<Long> appIds = apps.appIds(deadline);
    List<AppResult> results = new ArrayList<>();
    for (long appId : appIds) {
      AppResult result = run(appId, deadline);
      results.add(result);
      if (result.failure().isPresent()) {
        log.alarm("InstallationSyncFailed", result.toJson());
      } else {
        log.write("InstallationsSynced", result.toJson());
      }
    }
    removeRowsOfOtherApps(new HashSet<>(appIds), deadline);
    return results;
  }

  private AppResult run(long appId, Deadline deadline) {
    AppResult.Builder result = new AppResult.Builder(appId);
    try {
      reconcile(appId, result, deadline);
      return result.build();
    } catch (RuntimeException e) {
      return result.failed(e);
    }
  }

  private void reconcile(long appId, AppResult.Builder result, Deadline deadline) {
    // Rows first: what appears in the table after the listing must not look as if GitHub lacked it.
    List<Installation> rows = table.ofApp(appId, deadline);
    InstallationListing listing =
        credentials.call(appId, deadline, jwt -> gitHub.listInstallations(jwt.value(), deadline));
    result.seen = listing.installations().size();
    result.skipped = listing.withoutAccount().size();

    Map<String, Installation> wanted = byNode(appId, listing);
    write(wanted, rows, result, deadline);
    if (listing.complete()) {
      List<Installation> missing = missing(wanted, rows, listing);
      if (isPlausible(missing.size(), rows.size())) {
        delete(missing, result, deadline);
      } else {
        result.skipped += missing.size();
        log.alarm(
            "ImplausiblyManyInstallationsMissing",
            Map.of("appId", appId, "missing", missing.size(), "rows", rows.size()));
      }
    }
  }

  /** Where GitHub lists two installations on one account, the newer one counts. */
  private static Map<String, Installation> byNode(long appId, InstallationListing listing) {
    Map<String, Installation> byNode = new HashMap<>();
    for (GitHubInstallation listed : listing.installations()) {
      Installation installation =
          new Installation(
              appId,
              listed.nodeId(),
              listed.id(),
              listed.targetType(),
              listed.name(),
              listed.suspended());
      byNode.merge(
          listed.nodeId(), installation, (a, b) -> a.installationId() > b.installationId() ? a : b);
    }
    return byNode;
  }

  private void write(
      Map<String, Installation> wanted,
      List<Installation> rows,
      AppResult.Builder result,
      Deadline deadline) {
    Instant now = clock.instant();
    Map<String, Installation> added = new HashMap<>(wanted);
    for (Installation row : rows) {
      Installation current = added.remove(row.nodeId());
      if (current != null && !current.equals(row) && table.write(current, now, deadline)) {
        result.written++;
      }
    }
    table.writeNew(List.copyOf(added.values()), now, deadline);
    result.written += added.size();
  }

  private static List<Installation> missing(
      Map<String, Installation> wanted, List<Installation> rows, InstallationListing listing) {
    return rows.stream()
        .filter(row -> !wanted.containsKey(row.nodeId()))
        .filter(row -> !listing.withoutAccount().contains(row.installationId()))
        .toList();
  }

  private static boolean isPlausible(int missing, int rows) {
    return missing <= ALWAYS_PLAUSIBLE || missing * IMPLAUSIBLE_PART <= rows;
  }

  private void delete(List<Installation> missing, AppResult.Builder result, Deadline deadline) {
    for (Installation row : missing) {
      boolean exists =
          credentials.call(
              row.appId(),
              deadline,
              jwt -> gitHub.hasInstallation(jwt.value(), row.installationId(), deadline));
      if (!exists && table.delete(row, deadline)) {
        result.deleted++;
      } else {
        result.skipped++;
      }
    }
  }

  private void removeRowsOfOtherApps(Set<Long> registered, Deadline deadline) {
    Set<Long> confirmed = new HashSet<>();
    Map<Long, Integer> deleted = new HashMap<>();
    Optional<InstallationTable.Key> next = Optional.empty();
    do {
      InstallationTable.Page page = table.list(next, SCAN_PAGE, deadline);
      for (Installation row : page.installations()) {
        if (registered.contains(row.appId())) {
          continue;
        }
        if (!confirmed.contains(row.appId())) {
          if (apps.isRegistered(row.appId(), deadline)) {
            registered.add(row.appId());
            continue;
          }
          confirmed.add(row.appId());
        }
        if (table.delete(row, deadline)) {
          deleted.merge(row.appId(), 1, Integer::sum);
        }
      }
      next = page.next();
    } while (next.isPresent());
    deleted.forEach(
        (appId, rows) ->
            log.write("RowsOfUnknownAppRemoved", Map.of("appId", appId, "deleted", rows)));
  }
}
