package io.github.credentialmanager.infra;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awscdk.Aws;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.services.cloudwatch.Alarm;
import software.amazon.awscdk.services.cloudwatch.AlarmWidget;
import software.amazon.awscdk.services.cloudwatch.ComparisonOperator;
import software.amazon.awscdk.services.cloudwatch.Dashboard;
import software.amazon.awscdk.services.cloudwatch.GraphWidget;
import software.amazon.awscdk.services.cloudwatch.HorizontalAnnotation;
import software.amazon.awscdk.services.cloudwatch.IMetric;
import software.amazon.awscdk.services.cloudwatch.MathExpression;
import software.amazon.awscdk.services.cloudwatch.Metric;
import software.amazon.awscdk.services.cloudwatch.MetricOptions;
import software.amazon.awscdk.services.cloudwatch.Stats;
import software.amazon.awscdk.services.cloudwatch.TreatMissingData;
import software.amazon.awscdk.services.cloudwatch.YAxisProps;
import software.amazon.awscdk.services.cloudwatch.actions.SnsAction;
import software.amazon.awscdk.services.dynamodb.ITable;
import software.amazon.awscdk.services.logs.FilterPattern;
import software.amazon.awscdk.services.logs.MetricFilter;
import software.amazon.awscdk.services.sns.ITopic;
import software.amazon.awscdk.services.sqs.Queue;
import software.constructs.Construct;

/**
 * Alarms and dashboards over what Lambda, SQS and DynamoDB measure and what the server logs.
 *
 * <p>The server's events are counted by metric filters on the functions' own logs, in a namespace
 * of this stack's: two deployments in one account do not set off each other's alarms.
 */
final class Monitoring {
  private static final Duration FIVE_MINUTES = Duration.minutes(5);
  private static final Duration HOUR = Duration.hours(1);

  /** Where the rate-limit tracker's metrics are, as the TypeScript Credential Manager named it. */
  private static final String RATE_LIMIT_NAMESPACE = "AppFrameworkGitHubAPICallMetrics";

  private static final String REMAINING_PERCENT = "GitHubAPICallsRemainingPercent";

  private final Construct scope;
  private final AlarmThresholds thresholds;
  private final boolean rateLimitTracking;
  private final Map<Operation, ServerFunction> endpoints;
  private final ServerFunction installationTracker;
  private final ServerFunction rateLimitTracker;
  private final Queue failedRuns;
  private final ITable appTable;
  private final Map<String, Metric> logMetrics = new HashMap<>();

  Monitoring(
      Construct scope,
      CredentialManagerProps props,
      Map<Operation, ServerFunction> endpoints,
      ServerFunction installationTracker,
      ServerFunction rateLimitTracker,
      Queue failedRuns,
      ITable appTable) {
    this.scope = scope;
    this.thresholds = props.alarmThresholds;
    this.rateLimitTracking = props.rateLimitTracking;
    this.endpoints = endpoints;
    this.installationTracker = installationTracker;
    this.rateLimitTracker = rateLimitTracker;
    this.failedRuns = failedRuns;
    this.appTable = appTable;
  }

  // ---- Alarms

  List<Alarm> addAlarms(ITopic topic) {
    List<Alarm> alarms = new ArrayList<>();
    alarms.add(
        atLeast(
            "AppTokenServerErrors",
            "GetAppToken fails: see RequestRefused lines in its log for the reason.",
            serverErrors(Operation.GET_APP_TOKEN),
            thresholds.tokenServerErrors));
    alarms.add(
        atLeast(
            "InstallationTokenServerErrors",
            "GetInstallationToken fails: see RequestRefused lines in its log for the reason.",
            serverErrors(Operation.GET_INSTALLATION_TOKEN),
            thresholds.tokenServerErrors));
    alarms.add(
        silent(
            "InstallationTrackerSilent",
            "No run of the installation tracker has ended well: new installations are found more"
                + " slowly, removed ones stay listed.",
            installationTracker,
            thresholds.installationTrackerSilence));
    alarms.add(
        repeated(
            "InstallationSyncFailed",
            "An App's installations could not be brought up to date for two hours: see"
                + " InstallationSyncFailed lines for the App and the reason.",
            "InstallationSyncFailed",
            reconcilers()));
    alarms.add(
        atLeast(
            "MassDeleteGuard",
            "GitHub lists implausibly few of an App's installations; none was deleted. If they are"
                + " really gone, delete the rows by hand.",
            // Each run finds it again: within the hour, so that it does not go off for each.
            within(HOUR, logged("ImplausiblyManyInstallationsMissing", reconcilers())),
            1));
    alarms.add(
        atLeast(
            "PreviousKeyUsed",
            "An App's current key cannot sign and the previous one was used: repair the current key"
                + " before the previous one is retired.",
            within(HOUR, logged("PreviousKeyUsed", signers())),
            1));
    alarms.add(
        atLeast(
            "GrantWiderThanAsked",
            "GitHub granted more than was asked for. The token was revoked and not handed out.",
            logged("GrantWiderThanAsked", List.of(endpoint(Operation.GET_INSTALLATION_TOKEN))),
            1));
    alarms.add(
        atLeast(
            "ForeignEvents",
            "A function was invoked other than through its URL, or by a caller of an account that"
                + " was not let in. Look in CloudTrail for who did, and who permitted it.",
            logged("ForeignEvent", endpoints.values()),
            1));
    alarms.add(
        atLeast(
            "Throttles",
            "Lambda turns invocations away: raise the account's or the function's concurrency.",
            sum("Throttled invocations", throttles()),
            thresholds.throttles));
    alarms.add(
        atLeast(
            "FailedRuns",
            "A scheduled run failed for good; its event is in the queue.",
            failedRuns.metricApproximateNumberOfMessagesVisible(
                MetricOptions.builder().period(FIVE_MINUTES).statistic(Stats.MAXIMUM).build()),
            1));
    if (rateLimitTracking) {
      alarms.add(
          silent(
              "RateLimitTrackerSilent",
              "No run of the rate-limit tracker has ended well: GitHub's limits are not watched.",
              rateLimitTracker,
              thresholds.rateLimitTrackerSilence));
      alarms.add(
          repeated(
              "RateLimitsNotMeasured",
              "An App's rate limits could not be measured for two hours: see RateLimitsNotMeasured"
                  + " lines for the App and the reason.",
              "RateLimitsNotMeasured",
              List.of(rateLimitTracker)));
      alarms.add(lowRateLimit("LowRateLimit", thresholds.rateLimitRemainingPercent));
    }

    SnsAction tell = new SnsAction(topic);
    for (Alarm alarm : alarms) {
      alarm.addAlarmAction(tell);
      alarm.addOkAction(tell);
    }
    return alarms;
  }

  private Alarm atLeast(String id, String meaning, IMetric metric, int threshold) {
    return Alarm.Builder.create(scope, id + "Alarm")
        .alarmDescription(meaning)
        .metric(metric)
        .threshold(threshold)
        .comparisonOperator(ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD)
        .evaluationPeriods(1)
        .treatMissingData(TreatMissingData.NOT_BREACHING)
        .build();
  }

  /** For what a later run usually puts right. */
  private Alarm repeated(String id, String meaning, String event, List<ServerFunction> functions) {
    return Alarm.Builder.create(scope, id + "Alarm")
        .alarmDescription(meaning)
        .metric(within(HOUR, logged(event, functions)))
        .threshold(1)
        .comparisonOperator(ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD)
        .evaluationPeriods(2)
        .treatMissingData(TreatMissingData.NOT_BREACHING)
        .build();
  }

  /** Goes off for want of the line that ends a good run, so it is also in alarm until the first. */
  private Alarm silent(String id, String meaning, ServerFunction tracker, Duration silence) {
    return Alarm.Builder.create(scope, id + "Alarm")
        .alarmDescription(meaning)
        .metric(within(silence, logged(tracker.getNode().getId() + "Ran", List.of(tracker))))
        .threshold(1)
        .comparisonOperator(ComparisonOperator.LESS_THAN_THRESHOLD)
        .evaluationPeriods(1)
        .treatMissingData(TreatMissingData.BREACHING)
        .build();
  }

  private Alarm lowRateLimit(String id, int percent) {
    return Alarm.Builder.create(scope, id + "Alarm")
        .alarmDescription(
            "Little is left of one of GitHub's rate limits: the dashboard shows which"
                + " installation's.")
        // There is a measurement within that time, or another alarm goes off.
        .metric(within(thresholds.rateLimitTrackerSilence, lowestRemainingPercent()))
        .threshold(percent)
        .comparisonOperator(ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD)
        .evaluationPeriods(1)
        .treatMissingData(TreatMissingData.NOT_BREACHING)
        .build();
  }

  // ---- Dashboards

  Dashboard addDashboard() {
    Dashboard dashboard = new Dashboard(scope, "Dashboard");
    IMetric vended = sum("Vends", vends());
    dashboard.addWidgets(
        graph("Vends", null, List.of(appTokens(), installationTokens()), List.of()),
        graph(
            "Latency of tokens",
            YAxisProps.builder().label("ms").min(0).build(),
            List.of(
                latency(Operation.GET_APP_TOKEN, "p50"),
                latency(Operation.GET_APP_TOKEN, "p99"),
                latency(Operation.GET_INSTALLATION_TOKEN, "p50"),
                latency(Operation.GET_INSTALLATION_TOKEN, "p99")),
            List.of()));
    dashboard.addWidgets(
        graph(
            "Refused and failed",
            null,
            Stream.of(Operation.values())
                .flatMap(
                    operation ->
                        Stream.of(url(operation, "Url4xxCount"), url(operation, "Url5xxCount")))
                .toList(),
            List.of()),
        graph(
            "Vends from the functions' caches",
            percent(),
            List.of(
                MathExpression.Builder.create()
                    // Vends that did not have to read the App's row.
                    .expression("100 * (1 - MIN([FILL(reads, 0) / vends, 1]))")
                    .usingMetrics(
                        new TreeMap<>(Map.of("reads", readsOfAppTable(), "vends", vended)))
                    .label("Cache hits")
                    .period(FIVE_MINUTES)
                    .build()),
            List.of()));
    dashboard.addWidgets(
        graph(
            "Scheduled runs",
            null,
            Stream.of(installationTracker, rateLimitTracker)
                .flatMap(
                    tracker ->
                        Stream.<IMetric>of(
                            tracker.function.metricInvocations(), tracker.function.metricErrors()))
                .toList(),
            List.of()),
        graph("Throttled invocations", null, throttles(), List.of()));
    dashboard.addWidgets(remainingPercent(List.of()), callsLeft());
    return dashboard;
  }

  Dashboard addRateLimitDashboard(int limit) {
    Dashboard dashboard = new Dashboard(scope, "RateLimitDashboard");
    dashboard.addWidgets(
        AlarmWidget.Builder.create()
            .title("Nearing a rate limit of GitHub's")
            .alarm(lowRateLimit("NearingRateLimit", limit))
            .width(12)
            .height(8)
            .build(),
        remainingPercent(
            List.of(HorizontalAnnotation.builder().value(limit).visible(true).build())));
    return dashboard;
  }

  private static GraphWidget remainingPercent(List<HorizontalAnnotation> annotations) {
    return graph(
        "GitHub's rate limits: left in %",
        percent(), List.of(eachInstallation(REMAINING_PERCENT)), annotations);
  }

  private static GraphWidget callsLeft() {
    return graph(
        "GitHub's rate limits: calls left",
        null,
        List.of(eachInstallation("GitHubAPICallsRemaining")),
        List.of());
  }

  private static GraphWidget graph(
      String title,
      @Nullable YAxisProps axis,
      List<? extends IMetric> metrics,
      List<HorizontalAnnotation> annotations) {
    return GraphWidget.Builder.create()
        .title(title)
        .left(metrics)
        .leftYAxis(axis)
        .leftAnnotations(annotations)
        .period(FIVE_MINUTES)
        .width(12)
        .height(8)
        .build();
  }

  private static YAxisProps percent() {
    return YAxisProps.builder().label("%").min(0).max(100).showUnits(false).build();
  }

  // ---- Metrics

  private IMetric serverErrors(Operation operation) {
    return url(operation, "Url5xxCount");
  }

  private Metric url(Operation operation, String name) {
    return endpoint(operation)
        .alias
        .metric(
            name,
            MetricOptions.builder()
                .statistic(Stats.SUM)
                .period(FIVE_MINUTES)
                .label(operation.constructId() + " " + name.substring(3, 6))
                .build());
  }

  private Metric latency(Operation operation, String percentile) {
    return endpoint(operation)
        .alias
        .metric(
            "UrlRequestLatency",
            MetricOptions.builder()
                .statistic(percentile)
                .period(FIVE_MINUTES)
                .label(operation.constructId() + " " + percentile)
                .build());
  }

  private List<Metric> vends() {
    return List.of(appTokens(), installationTokens());
  }

  private Metric appTokens() {
    return logged("AppTokenVended", List.of(endpoint(Operation.GET_APP_TOKEN)));
  }

  private Metric installationTokens() {
    return logged("InstallationTokenVended", List.of(endpoint(Operation.GET_INSTALLATION_TOKEN)));
  }

  /** How often a row of the App table was read; DynamoDB measures it as a latency. */
  private IMetric readsOfAppTable() {
    return Metric.Builder.create()
        .namespace("AWS/DynamoDB")
        .metricName("SuccessfulRequestLatency")
        .dimensionsMap(
            new TreeMap<>(Map.of("TableName", appTable.getTableName(), "Operation", "GetItem")))
        .statistic(Stats.SAMPLE_COUNT)
        .period(FIVE_MINUTES)
        .build();
  }

  private List<Metric> throttles() {
    return functions()
        .map(
            function ->
                function.function.metricThrottles(
                    MetricOptions.builder()
                        .period(FIVE_MINUTES)
                        .label(function.getNode().getId())
                        .build()))
        .toList();
  }

  private static IMetric sum(String label, List<Metric> metrics) {
    Map<String, IMetric> named = new TreeMap<>();
    for (int i = 0; i < metrics.size(); i++) {
      named.put("m" + i, metrics.get(i));
    }
    return MathExpression.Builder.create()
        .expression(
            String.join(
                " + ", named.keySet().stream().map(name -> "FILL(" + name + ", 0)").toList()))
        .usingMetrics(named)
        .label(label)
        .period(FIVE_MINUTES)
        .build();
  }

  private static IMetric eachInstallation(String metric) {
    return MathExpression.Builder.create()
        .expression(
            "SEARCH('{%s,service,Category,AppID,InstallationID} MetricName=\"%s\"', 'Minimum')"
                .formatted(RATE_LIMIT_NAMESPACE, metric))
        .label("${PROP('Dim.AppID')} ${PROP('Dim.InstallationID')} ${PROP('Dim.Category')}")
        .period(Duration.minutes(10))
        .build();
  }

  /**
   * The lowest percentage that the tracker logged, over all installations and categories.
   *
   * <p>One metric. An alarm on a Metrics Insights query over the tracker's own metrics would be
   * billed for each of them.
   */
  private Metric lowestRemainingPercent() {
    return logMetrics.computeIfAbsent(
        REMAINING_PERCENT,
        name ->
            MetricFilter.Builder.create(rateLimitTracker, name)
                .logGroup(rateLimitTracker.logs)
                .filterPattern(FilterPattern.exists("$." + REMAINING_PERCENT))
                .metricNamespace(namespace())
                .metricName("Lowest" + REMAINING_PERCENT)
                .metricValue("$." + REMAINING_PERCENT)
                .build()
                .metric(
                    MetricOptions.builder().statistic(Stats.MINIMUM).period(FIVE_MINUTES).build()));
  }

  /** How often functions logged an event. */
  private Metric logged(String event, Iterable<ServerFunction> functions) {
    return logMetrics.computeIfAbsent(
        event,
        name -> {
          for (ServerFunction function : functions) {
            MetricFilter.Builder.create(function, name)
                .logGroup(function.logs)
                .filterPattern(FilterPattern.stringValue("$.event", "=", name))
                .metricNamespace(namespace())
                .metricName(name)
                .build();
          }
          return Metric.Builder.create()
              .namespace(namespace())
              .metricName(name)
              .statistic(Stats.SUM)
              .period(FIVE_MINUTES)
              .build();
        });
  }

  private static Metric within(Duration period, Metric metric) {
    return metric.with(MetricOptions.builder().period(period).build());
  }

  private static String namespace() {
    return "CredentialManager/" + Aws.STACK_NAME;
  }

  // ---- Functions

  private ServerFunction endpoint(Operation operation) {
    return requireNonNull(endpoints.get(operation));
  }

  private List<ServerFunction> reconcilers() {
    return List.of(endpoint(Operation.REFRESH_CACHED_DATA), installationTracker);
  }

  private List<ServerFunction> signers() {
    return List.of(
        endpoint(Operation.GET_APP_TOKEN),
        endpoint(Operation.GET_INSTALLATION_TOKEN),
        endpoint(Operation.REFRESH_CACHED_DATA),
        installationTracker,
        rateLimitTracker);
  }

  private Stream<ServerFunction> functions() {
    return Stream.concat(
        endpoints.values().stream(), Stream.of(installationTracker, rateLimitTracker));
  }
}
