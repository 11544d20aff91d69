package io.github.credentialmanager.server.ratelimit;

import io.github.credentialmanager.server.audit.ServiceLog;
import io.github.credentialmanager.server.audit.ServiceLog.Metric;
import io.github.credentialmanager.server.github.RateLimit;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Writes rate limits as metrics, one line for each installation and category.
 *
 * <p>Namespace, dimensions and names are those of the TypeScript Credential Manager, so that its
 * dashboards and alarms go on working.
 */
final class RateLimitMetrics {
  private static final String NAMESPACE = "AppFrameworkGitHubAPICallMetrics";

  private final List<String> categories;
  private final ServiceLog log;
  private final InstantSource clock;

  /**
   * @param categories of GitHub's that become metrics
   */
  RateLimitMetrics(List<String> categories, ServiceLog log, InstantSource clock) {
    this.categories = List.copyOf(categories);
    this.log = log;
    this.clock = clock;
  }

  /**
   * @param limits by category
   * @return how many lines there were to write
   */
  int write(long appId, long installationId, Map<String, RateLimit> limits) {
    int lines = 0;
    for (String category : categories) {
      Optional<RateLimit> limit = Optional.ofNullable(limits.get(category));
      if (limit.isPresent()) {
        log.measure(
            "RateLimitMeasured",
            NAMESPACE,
            Map.of(
                "Category", category,
                "AppID", Long.toString(appId),
                "InstallationID", Long.toString(installationId)),
            metrics(limit.get()),
            Map.of());
        lines++;
      }
    }
    return lines;
  }

  private List<Metric> metrics(RateLimit limit) {
    Duration toReset = Duration.between(clock.instant(), limit.reset());
    List<Metric> metrics = new ArrayList<>();
    metrics.add(Metric.count("GitHubAPICalls", limit.used()));
    metrics.add(Metric.count("GitHubAPICallsRemaining", limit.remaining()));
    metrics.add(Metric.count("GitHubAPIRateLimit", limit.limit()));
    metrics.add(
        new Metric("GitHubRateLimitTimeToReset", "Seconds", Math.max(0, toReset.toSeconds())));
    if (limit.limit() > 0) {
      metrics.add(
          new Metric(
              "GitHubAPICallsRemainingPercent",
              "Percent",
              100.0 * limit.remaining() / limit.limit()));
    }
    return metrics;
  }
}
