package io.github.credentialmanager.server.ratelimit;

import io.github.credentialmanager.server.audit.ServiceLog;
import io.github.credentialmanager.server.github.RateLimit;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import software.amazon.cloudwatchlogs.emf.exception.InvalidDimensionException;
import software.amazon.cloudwatchlogs.emf.model.MetricsContext;
import software.amazon.lambda.powertools.metrics.Metrics;
import software.amazon.lambda.powertools.metrics.internal.EmfMetricsLogger;
import software.amazon.lambda.powertools.metrics.model.DimensionSet;
import software.amazon.lambda.powertools.metrics.model.MetricUnit;

/**
 * Writes rate limits as metrics, one line for each installation and category.
 *
 * <p>Namespace, dimensions and names are those of the TypeScript Credential Manager, so that its
 * dashboards and alarms go on working.
 *
 * <p>Safe for use by multiple threads.
 */
final class RateLimitMetrics {
  private static final String NAMESPACE = "AppFrameworkGitHubAPICallMetrics";

  private final List<String> categories;
  private final InstantSource clock;
  private final LogEnvironment environment;

  /**
   * @param categories of GitHub's that become metrics
   */
  RateLimitMetrics(List<String> categories, ServiceLog log, InstantSource clock) {
    this.categories = List.copyOf(categories);
    this.clock = clock;
    this.environment = new LogEnvironment(log);
  }

  /**
   * @param limits by category
   */
  void write(long appId, long installationId, Map<String, RateLimit> limits) {
    for (String category : categories) {
      Optional.ofNullable(limits.get(category))
          .ifPresent(limit -> write(appId, installationId, category, limit));
    }
  }

  private void write(long appId, long installationId, String category, RateLimit limit) {
    Instant now = clock.instant();
    // Not MetricsFactory's, which is the whole process's and writes to standard output.
    Metrics line = new EmfMetricsLogger(environment, ofService());
    line.setNamespace(NAMESPACE);
    line.addDimension(
        DimensionSet.of(
            "Category", category,
            "AppID", Long.toString(appId),
            "InstallationID", Long.toString(installationId)));
    line.addMetadata("event", "RateLimitMeasured");
    line.addMetadata("time", now.toString());
    add(line, limit, Duration.between(now, limit.reset()));
    line.flush();
  }

  /** Powertools takes no dimension with a blank in its value, and dashboards ask for this one. */
  private static MetricsContext ofService() {
    try {
      MetricsContext context = new MetricsContext();
      context.setDefaultDimensions(
          software.amazon.cloudwatchlogs.emf.model.DimensionSet.of("service", ServiceLog.SERVICE));
      return context;
    } catch (InvalidDimensionException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void add(Metrics line, RateLimit limit, Duration toReset) {
    line.addMetric("GitHubAPICalls", limit.used(), MetricUnit.COUNT);
    line.addMetric("GitHubAPICallsRemaining", limit.remaining(), MetricUnit.COUNT);
    line.addMetric("GitHubAPIRateLimit", limit.limit(), MetricUnit.COUNT);
    line.addMetric(
        "GitHubRateLimitTimeToReset", Math.max(0, toReset.toSeconds()), MetricUnit.SECONDS);
    if (limit.limit() > 0) {
      line.addMetric(
          "GitHubAPICallsRemainingPercent",
          100.0 * limit.remaining() / limit.limit(),
          MetricUnit.PERCENT);
    }
  }
}
