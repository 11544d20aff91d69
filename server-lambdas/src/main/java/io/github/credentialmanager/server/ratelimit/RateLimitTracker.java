package io.github.credentialmanager.server.ratelimit;

import io.github.credentialmanager.server.appcredentials.AppCredentials;
import io.github.credentialmanager.server.audit.ServiceLog;
import io.github.credentialmanager.server.contract.Reason;
import io.github.credentialmanager.server.github.GitHubApi;
import io.github.credentialmanager.server.github.GitHubException;
import io.github.credentialmanager.server.github.InstallationToken;
import io.github.credentialmanager.server.github.RateLimit;
import io.github.credentialmanager.server.github.RequestBudget;
import io.github.credentialmanager.server.github.RequestLimit;
import io.github.credentialmanager.server.github.TokenScope;
import io.github.credentialmanager.server.outbound.Deadline;
import io.github.credentialmanager.server.outbound.DeadlineExceededException;
import io.github.credentialmanager.server.outbound.Retry;
import io.github.credentialmanager.server.store.AppTable;
import io.github.credentialmanager.server.store.Installation;
import io.github.credentialmanager.server.store.InstallationTable;
import io.github.credentialmanager.server.tracking.AppReport;
import io.github.credentialmanager.server.tracking.FanOut;
import io.github.credentialmanager.server.tracking.Tracker;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/**
 * Measures what is left of GitHub's rate limits for each installation.
 *
 * <p>Only an installation's own token shows its limits, so one is made, for {@code metadata: read}
 * alone, used once and revoked. An installation that is suspended, gone or throttled costs its own
 * measurement and no other.
 *
 * <p>That is eleven points of the 900 that GitHub gives an App a minute. Where an App has more
 * installations than fit into a run, the next run in the same environment goes on where this one
 * stopped; the first one of an environment begins somewhere.
 *
 * <p>Safe for use by multiple threads.
 */
public final class RateLimitTracker implements Tracker {
  private static final String MEASURED = "measured";
  private static final String NOT_LIMITED = "NOT_LIMITED";
  private static final TokenScope LEAST =
      new TokenScope(Optional.empty(), Optional.empty(), Optional.of(Map.of("metadata", "read")));
  private static final int REVOCATION_POINTS = 5;

  /** What measuring one installation costs: make a token, use it, revoke it. */
  public static final int POINTS = 5 + 1 + REVOCATION_POINTS;

  private static final Duration EXCHANGE_TIME = Duration.ofSeconds(20);
  private static final Duration REVOCATION_TIME = Duration.ofSeconds(5);
  // A token may meet 401 for a few seconds, until it has reached all of GitHub.
  private static final List<Duration> REPLICATION_PAUSES =
      List.of(Duration.ofSeconds(1), Duration.ofSeconds(2));
  // So many refused in a row are not the installations' fault.
  private static final int HOPELESS = 20;

  private final AppTable apps;
  private final InstallationTable installations;
  private final AppCredentials credentials;
  private final GitHubApi gitHub;
  private final RequestBudget budget;
  private final FanOut fanOut;
  private final RateLimitMetrics metrics;
  private final ServiceLog log;
  private final Retry.Sleeper sleeper;
  private final Map<Long, Long> goOnAt = new ConcurrentHashMap<>();

  /**
   * @param categories of GitHub's that become metrics
   * @param sleeper waits for a new token to be known everywhere
   */
  public RateLimitTracker(
      AppTable apps,
      InstallationTable installations,
      AppCredentials credentials,
      GitHubApi gitHub,
      RequestBudget budget,
      FanOut fanOut,
      List<String> categories,
      ServiceLog log,
      InstantSource clock,
      Retry.Sleeper sleeper) {
    this.apps = apps;
    this.installations = installations;
    this.credentials = credentials;
    this.gitHub = gitHub;
    this.budget = budget;
    this.fanOut = fanOut;
    this.metrics = new RateLimitMetrics(categories, log, clock);
    this.log = log;
    this.sleeper = sleeper;
  }

  /**
   * One run over all Apps. Each App's result is logged.
   *
   * @throws io.github.credentialmanager.server.store.StoreException if the Apps cannot be read
   */
  @Override
  public List<AppReport> run(Deadline deadline) {
    List<Long> appIds = apps.appIds(deadline);
    AtomicBoolean unlimited = new AtomicBoolean();
    Collection<AppReport> reports = new ConcurrentLinkedQueue<>();
    fanOut.forEach(appIds, appId -> reports.add(run(appId, unlimited, deadline)));
    return List.copyOf(reports);
  }

  private AppReport run(long appId, AtomicBoolean unlimited, Deadline deadline) {
    AppReport report = new AppReport(appId, MEASURED);
    try {
      new Run(appId, report, unlimited, deadline).measure();
    } catch (RuntimeException e) {
      report.failed(e, 1);
    }
    if (report.hasFailures()) {
      Map<String, Object> line = new HashMap<>(report.diagnosis());
      line.putAll(report.toJson());
      log.alarm("RateLimitsNotMeasured", line);
    } else {
      log.write("RateLimitsMeasured", report.toJson());
    }
    return report;
  }

  /** One App's part of a run. */
  private final class Run {
    private final long appId;
    private final AppReport report;
    private final AtomicBoolean unlimited;
    private final Deadline deadline;
    private final AtomicBoolean stopped = new AtomicBoolean();
    private final AtomicInteger refusedInARow = new AtomicInteger();
    private final ConcurrentSkipListSet<Integer> deferred = new ConcurrentSkipListSet<>();

    /**
     * @param unlimited whether GitHub has said that it limits nobody
     */
    Run(long appId, AppReport report, AtomicBoolean unlimited, Deadline deadline) {
      this.appId = appId;
      this.report = report;
      this.unlimited = unlimited;
      this.deadline = deadline;
    }

    void measure() {
      List<Installation> all = installations.ofApp(appId, deadline);
      List<Installation> active =
          new ArrayList<>(all.stream().filter(installation -> !installation.suspended()).toList());
      report.skipped(Reason.INSTALLATION_SUSPENDED.name(), all.size() - active.size());
      active.sort(Comparator.comparing(Installation::installationId));
      Collections.rotate(active, -start(active));
      fanOut.forEach(
          IntStream.range(0, active.size()).boxed().toList(), i -> measure(i, active.get(i)));
      report.skipped("NO_TIME", deferred.size());
      if (deferred.isEmpty()) {
        goOnAt.remove(appId);
      } else {
        goOnAt.put(appId, active.get(deferred.first()).installationId());
      }
    }

    private int start(List<Installation> sorted) {
      if (sorted.isEmpty()) {
        return 0;
      }
      Long id = goOnAt.get(appId);
      if (id == null) {
        return ThreadLocalRandom.current().nextInt(sorted.size());
      }
      int behind = (int) sorted.stream().filter(one -> one.installationId() < id).count();
      return behind % sorted.size();
    }

    private void measure(int position, Installation installation) {
      Deadline startBy = deadline.earlierBy(EXCHANGE_TIME.plus(REVOCATION_TIME));
      if (stopped.get()) {
        report.skipped("GIVEN_UP", 1);
      } else if (unlimited.get()) {
        report.skipped(NOT_LIMITED, 1);
      } else if (startBy.hasPassed()) {
        deferred.add(position);
      } else {
        try (RequestBudget.Reservation points = budget.reserve(appId, POINTS, startBy);
            RequestBudget.Reservation forRevocation = points.split(REVOCATION_POINTS)) {
          exchange(installation.installationId(), points, forRevocation);
        } catch (DeadlineExceededException e) {
          deferred.add(position);
        }
      }
    }

    private void exchange(long id, RequestLimit points, RequestLimit forRevocation) {
      Deadline within = deadline.within(EXCHANGE_TIME);
      GitHubApi limited = gitHub.limitedBy(points);
      InstallationToken token;
      try {
        token =
            credentials.call(
                appId, within, jwt -> limited.createToken(jwt.value(), id, LEAST, within));
        answered();
      } catch (RuntimeException e) {
        refused(e);
        return;
      }
      try {
        metrics.write(appId, id, limits(limited, token, within));
        report.did(MEASURED, 1);
      } catch (RuntimeException e) {
        notMeasured(e);
      } finally {
        revoke(gitHub.limitedBy(forRevocation), token);
      }
    }

    private void answered() {
      report.reached();
      refusedInARow.set(0);
    }

    private void refused(RuntimeException refusal) {
      if (isAboutTheInstallation(refusal)) {
        answered();
        report.skipped(refusal, 1);
        return;
      }
      report.failed(refusal, 1);
      if (!isPassing(refusal) || refusedInARow.incrementAndGet() >= HOPELESS) {
        stopped.set(true);
      }
    }

    private Map<String, RateLimit> limits(GitHubApi api, InstallationToken token, Deadline within) {
      for (Duration pause : REPLICATION_PAUSES) {
        try {
          return api.rateLimits(token, within);
        } catch (GitHubException e) {
          if (e.reason() != GitHubException.Cause.UNAUTHORIZED) {
            throw e;
          }
          sleep(pause);
        }
      }
      return api.rateLimits(token, within);
    }

    private void notMeasured(RuntimeException failure) {
      if (failure instanceof GitHubException e && e.reason() == GitHubException.Cause.NOT_FOUND) {
        // GitHub Enterprise Server with its limits switched off says so, and means everybody.
        if (e.gitHubMessage().filter(RateLimitTracker::saysNotEnabled).isPresent()) {
          unlimited.set(true);
        }
        report.skipped(NOT_LIMITED, 1);
      } else if (failure instanceof GitHubException e && !isPassing(e)) {
        report.skipped("TOKEN_NOT_ACCEPTED", 1);
      } else {
        report.failed(failure, 1);
      }
    }

    private void revoke(GitHubApi api, InstallationToken token) {
      try {
        api.revoke(token, deadline.within(REVOCATION_TIME));
      } catch (RuntimeException e) {
        boolean revokedAlready =
            e instanceof GitHubException refusal
                && refusal.reason() == GitHubException.Cause.UNAUTHORIZED;
        if (!revokedAlready) {
          report.failed(e, 1);
        }
      }
    }
  }

  private static boolean isAboutTheInstallation(RuntimeException refusal) {
    return refusal instanceof GitHubException e
        && switch (e.reason()) {
          case NOT_FOUND, SUSPENDED, FORBIDDEN, UNPROCESSABLE -> true;
          case UNAUTHORIZED, THROTTLED, TIMEOUT, UNAVAILABLE -> false;
        };
  }

  private static boolean isPassing(RuntimeException failure) {
    return failure instanceof GitHubException e
        && switch (e.reason()) {
          case THROTTLED, TIMEOUT, UNAVAILABLE -> true;
          case UNAUTHORIZED, NOT_FOUND, SUSPENDED, FORBIDDEN, UNPROCESSABLE -> false;
        };
  }

  private static boolean saysNotEnabled(String message) {
    return message.toLowerCase(Locale.ROOT).contains("not enabled");
  }

  private void sleep(Duration pause) {
    try {
      sleeper.sleep(pause);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DeadlineExceededException(e);
    }
  }
}
