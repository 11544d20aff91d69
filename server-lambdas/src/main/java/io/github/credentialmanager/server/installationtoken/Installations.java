package io.github.credentialmanager.server.installationtoken;

import io.github.credentialmanager.server.cache.SingleFlightCache;
import io.github.credentialmanager.server.github.GitHubApi;
import io.github.credentialmanager.server.github.GitHubInstallation;
import io.github.credentialmanager.server.outbound.Deadline;
import io.github.credentialmanager.server.store.Installation;
import io.github.credentialmanager.server.store.InstallationTable;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The installation ids by App and account.
 *
 * <p>Known ids are remembered until GitHub denies one, for it changes when an App is installed
 * again. That an App is not installed somewhere is remembered for 60 s.
 *
 * <p>Safe for use by multiple threads.
 */
final class Installations {
  private static final Duration UNKNOWN_LIFE = Duration.ofSeconds(60);
  private static final int MAX_INSTALLATIONS = 10_000;

  private final InstallationTable table;
  private final GitHubApi gitHub;
  private final InstantSource clock;
  private final SingleFlightCache<Key, Known> known = new SingleFlightCache<>(MAX_INSTALLATIONS);

  Installations(InstallationTable table, GitHubApi gitHub, InstantSource clock) {
    this.table = table;
    this.gitHub = gitHub;
    this.clock = clock;
  }

  /** The id, from memory, else from the table, else from GitHub. */
  Optional<Long> find(long appId, String nodeId, String appJwt, Deadline deadline) {
    return known
        .get(
            new Key(appId, nodeId),
            this::isUsable,
            deadline,
            () -> lookUp(appId, nodeId, null, appJwt, deadline))
        .installationId();
  }

  /** The id that took the place of one that GitHub denies: from the table, else from GitHub. */
  Optional<Long> findSuccessor(
      long denied, long appId, String nodeId, String appJwt, Deadline deadline) {
    return known
        .get(
            new Key(appId, nodeId),
            found -> isUsable(found) && !found.installationId().equals(Optional.of(denied)),
            deadline,
            () -> lookUp(appId, nodeId, denied, appJwt, deadline))
        .installationId();
  }

  private Known lookUp(
      long appId, String nodeId, @Nullable Long denied, String appJwt, Deadline deadline) {
    Optional<Long> id =
        table
            .find(appId, nodeId, deadline)
            .map(Installation::installationId)
            .filter(found -> !found.equals(denied))
            .or(
                () ->
                    gitHub
                        .findInstallation(appJwt, found -> found.nodeId().equals(nodeId), deadline)
                        .map(GitHubInstallation::id)
                        .filter(found -> !found.equals(denied)));
    return new Known(id, clock.instant());
  }

  private boolean isUsable(Known found) {
    Instant now = clock.instant();
    return found.installationId().isPresent()
        || (!now.isBefore(found.at()) && now.isBefore(found.at().plus(UNKNOWN_LIFE)));
  }

  /** Forgets everything. */
  void clear() {
    known.clear();
  }

  private record Key(long appId, String nodeId) {}

  /**
   * @param installationId empty if the App is not installed there
   */
  private record Known(Optional<Long> installationId, Instant at) {}
}
