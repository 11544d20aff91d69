package io.github.credentialmanager.infra;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.credentialmanager.infra.SynthesizedStack.Resource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awscdk.App;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.services.sns.Topic;

@RequiresNode
class MonitoringTest {
  private static SynthesizedStack stack;

  @BeforeAll
  static void synthesise() {
    stack =
        SynthesizedStack.of(
            CredentialManagerProps.builder().build(),
            (scope, credentialManager) -> {
              credentialManager.addAlarms(new Topic(scope, "Topic"));
              credentialManager.addDashboard();
              credentialManager.rateLimitDashboard(15);
            });
  }

  /** The alarms that {@code addAlarms} makes. */
  @Nested
  class Alarms {
    @Test
    void tellTheTopicWhenTheyGoOffAndWhenAllIsWell() {
      String topic = SynthesizedStack.arn("sns", stack.resource("AWS::SNS::Topic", "Topic").id());
      assertThat(alarms()).hasSize(13);
      assertThat(alarms())
          .allSatisfy(
              alarm -> {
                JsonNode properties = stack.resolved(alarm);
                assertThat(properties.path("AlarmActions"))
                    .extracting(JsonNode::asText)
                    .containsExactly(topic);
                assertThat(properties.path("OKActions"))
                    .extracting(JsonNode::asText)
                    .containsExactly(topic);
                assertThat(properties.path("AlarmDescription").asText()).isNotBlank();
              });
    }

    @Test
    void mayPublishToTheTopic() {
      assertThat(
              stack
                  .resolved(stack.resource("AWS::SNS::TopicPolicy", ""))
                  .at("/PolicyDocument/Statement"))
          .filteredOn(
              statement ->
                  statement.at("/Principal/Service").asText().equals("cloudwatch.amazonaws.com"))
          .singleElement()
          .satisfies(
              statement -> {
                assertThat(statement.path("Action").asText()).isEqualTo("sns:Publish");
                assertThat(
                        statement
                            .path("Condition")
                            .path("StringEquals")
                            .path("aws:SourceAccount")
                            .asText())
                    .isEqualTo(SynthesizedStack.ACCOUNT);
              });
    }

    @ParameterizedTest
    @CsvSource({"AppToken,GetAppToken,5", "InstallationToken,GetInstallationToken,5"})
    void goOffWhenTokensFail(String alarm, String operation, int threshold) {
      JsonNode properties = alarm(alarm + "ServerErrors");
      JsonNode metric = properties.at("/Metrics/0/MetricStat/Metric");
      assertThat(metric.path("MetricName").asText()).isEqualTo("Url5xxCount");
      assertThat(properties.path("Threshold").asInt()).isEqualTo(threshold);
      assertThat(metric.path("Dimensions"))
          .anySatisfy(
              dimension -> {
                assertThat(dimension.path("Name").asText()).isEqualTo("Resource");
                assertThat(dimension.path("Value").asText())
                    .isEqualTo(
                        stack.resource("AWS::Lambda::Function", operation + "Function").id()
                            + ":live");
              });
    }

    @ParameterizedTest
    @CsvSource({"InstallationTracker,5400", "RateLimitTracker,1800"})
    void goOffWhenATrackerIsSilent(String tracker, int seconds) {
      JsonNode properties = alarm(tracker + "Silent");
      assertThat(properties.path("TreatMissingData").asText()).isEqualTo("breaching");
      assertThat(properties.path("ComparisonOperator").asText()).isEqualTo("LessThanThreshold");
      assertThat(properties.path("MetricName").asText()).isEqualTo(tracker + "Ran");
      assertThat(properties.path("Period").asInt()).isEqualTo(seconds);
      assertCounted(tracker + "Ran", tracker);
    }

    @ParameterizedTest
    @CsvSource(
        delimiter = '|',
        value = {
          "MassDeleteGuard|ImplausiblyManyInstallationsMissing|RefreshCachedData,InstallationTracker",
          "PreviousKeyUsed|PreviousKeyUsed|GetAppToken,GetInstallationToken,RefreshCachedData,"
              + "InstallationTracker,RateLimitTracker",
          "GrantWiderThanAsked|GrantWiderThanAsked|GetInstallationToken",
          "ForeignEvents|ForeignEvent|GetAppToken,GetInstallationToken,RefreshCachedData,"
              + "GetInstallationData,GetInstallations",
        })
    void goOffOnTheFirstLineOfItsKind(String alarm, String event, String functions) {
      JsonNode properties = alarm(alarm);
      assertThat(properties.path("Threshold").asInt()).isEqualTo(1);
      assertThat(properties.path("MetricName").asText()).isEqualTo(event);
      assertThat(properties.path("Namespace").asText()).isEqualTo("CredentialManager/NestedStack");
      assertThat(properties.path("Statistic").asText()).isEqualTo("Sum");
      assertCounted(event, functions);
    }

    @ParameterizedTest
    @CsvSource(
        delimiter = '|',
        value = {
          "InstallationSyncFailed|RefreshCachedData,InstallationTracker",
          "RateLimitsNotMeasured|RateLimitTracker"
        })
    void goOffWhenLaterRunsDoNotPutItRight(String event, String functions) {
      JsonNode properties = alarm(event);
      assertThat(properties.path("MetricName").asText()).isEqualTo(event);
      assertThat(properties.path("Period").asInt()).isEqualTo(3600);
      assertThat(properties.path("EvaluationPeriods").asInt()).isEqualTo(2);
      assertCounted(event, functions);
    }

    private void assertCounted(String event, String functions) {
      List<JsonNode> filters =
          stack.resources("AWS::Logs::MetricFilter").stream()
              .map(stack::resolved)
              .filter(
                  filter -> filter.at("/MetricTransformations/0/MetricName").asText().equals(event))
              .toList();
      assertThat(filters)
          .allSatisfy(
              filter -> {
                assertThat(filter.path("FilterPattern").asText())
                    .isEqualTo("{ $.event = \"" + event + "\" }");
                assertThat(filter.at("/MetricTransformations/0/MetricNamespace").asText())
                    .isEqualTo("CredentialManager/NestedStack");
                assertThat(filter.at("/MetricTransformations/0/MetricValue").asText())
                    .isEqualTo("1");
              });
      assertThat(filters)
          .extracting(filter -> filter.path("LogGroupName").asText())
          .containsExactlyInAnyOrderElementsOf(
              Arrays.stream(functions.split(",", -1))
                  .map(function -> stack.resource("AWS::Logs::LogGroup", function + "Logs").id())
                  .toList());
    }

    /** One mail when it begins and one when it ends, not one for each run of a tracker. */
    @ParameterizedTest
    @CsvSource({"MassDeleteGuard,3600", "PreviousKeyUsed,3600", "LowRateLimit,1800"})
    void stayOnBetweenRunsThatFindTheSame(String alarm, int seconds) {
      assertThat(alarm(alarm).path("Period").asInt()).isEqualTo(seconds);
    }

    @Test
    void goOffWhenLambdaTurnsAnyFunctionAway() {
      Set<String> functions =
          stack.resources("AWS::Lambda::Function").stream()
              .map(Resource::id)
              .collect(Collectors.toSet());
      assertThat(alarm("Throttles").path("Metrics"))
          .filteredOn(metric -> metric.has("MetricStat"))
          .extracting(metric -> metric.at("/MetricStat/Metric/Dimensions/0/Value").asText())
          .containsExactlyInAnyOrderElementsOf(functions);
    }

    @Test
    void goOffWhenARunIsLost() {
      JsonNode properties = alarm("FailedRuns");
      assertThat(properties.path("MetricName").asText())
          .isEqualTo("ApproximateNumberOfMessagesVisible");
      assertThat(properties.path("Threshold").asInt()).isEqualTo(1);
    }

    @Test
    void goOffWhenLittleIsLeftOfARateLimit() {
      JsonNode properties = alarm("LowRateLimit");
      assertThat(properties.path("Threshold").asInt()).isEqualTo(20);
      assertThat(properties.path("ComparisonOperator").asText())
          .isEqualTo("LessThanOrEqualToThreshold");
      assertThat(properties.path("Statistic").asText()).isEqualTo("Minimum");
    }

    private JsonNode alarm(String prefix) {
      return stack.resolved(stack.resource("AWS::CloudWatch::Alarm", prefix + "Alarm"));
    }

    /** Without the one of the rate-limit dashboard, which tells nobody. */
    private List<Resource> alarms() {
      return stack.resources("AWS::CloudWatch::Alarm").stream()
          .filter(alarm -> !alarm.id().startsWith("NearingRateLimit"))
          .toList();
    }
  }

  /** What {@code addDashboard} and {@code rateLimitDashboard} make. */
  @Nested
  class Dashboards {
    @Test
    void showWhatAnOperatorAsksFor() {
      assertThat(titles("Dashboard"))
          .containsExactly(
              "Vends",
              "Latency of tokens",
              "Refused and failed",
              "Vends from the functions' caches",
              "Scheduled runs",
              "Throttled invocations",
              "GitHub's rate limits: left in %",
              "GitHub's rate limits: calls left");
    }

    @Test
    void showTheRateLimitsOfEachInstallation() {
      assertThat(body("Dashboard"))
          .contains(
              "SEARCH('{AppFrameworkGitHubAPICallMetrics,service,Category,AppID,InstallationID}"
                  + " MetricName=\\\"GitHubAPICallsRemainingPercent\\\"'");
    }

    @Test
    void drawTheLimitThatWasAskedFor() {
      assertThat(body("RateLimitDashboard")).contains("\"value\":15");
      assertThat(
              stack
                  .resolved(stack.resource("AWS::CloudWatch::Alarm", "NearingRateLimit"))
                  .path("Threshold")
                  .asInt())
          .isEqualTo(15);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 101})
    void refuseALimitThatIsNoPercentage(int limit) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> stack.credentialManager.rateLimitDashboard(limit));
    }

    private List<String> titles(String dashboard) {
      List<String> titles = new ArrayList<>();
      Pattern.compile("\"title\":\"([^\"]+)\"")
          .matcher(body(dashboard))
          .results()
          .forEach(result -> titles.add(result.group(1)));
      return titles;
    }

    private String body(String dashboard) {
      return stack
          .resolved(stack.resource("AWS::CloudWatch::Dashboard", dashboard))
          .path("DashboardBody")
          .asText();
    }
  }

  /** Every threshold said otherwise. */
  @Nested
  class WithOtherThresholds {
    private static SynthesizedStack other;

    @BeforeAll
    static void synthesise() {
      other =
          SynthesizedStack.of(
              CredentialManagerProps.builder()
                  .alarmThresholds(
                      AlarmThresholds.builder()
                          .tokenServerErrors(7)
                          .throttles(8)
                          .installationTrackerSilence(Duration.hours(3))
                          .rateLimitTrackerSilence(Duration.hours(2))
                          .rateLimitRemainingPercent(9)
                          .build())
                  .build(),
              (scope, credentialManager) -> credentialManager.addAlarms(new Topic(scope, "Topic")));
    }

    @ParameterizedTest
    @CsvSource({
      "AppTokenServerErrors,Threshold,7",
      "InstallationTokenServerErrors,Threshold,7",
      "Throttles,Threshold,8",
      "InstallationTrackerSilent,Period,10800",
      "RateLimitTrackerSilent,Period,7200",
      "LowRateLimit,Threshold,9"
    })
    void alarmsFollow(String alarm, String property, int value) {
      assertThat(
              other
                  .resource("AWS::CloudWatch::Alarm", alarm + "Alarm")
                  .properties()
                  .path(property)
                  .asInt())
          .isEqualTo(value);
    }
  }

  @Test
  void leavesTheRateLimitTrackersAlarmsOutWhereItIsSwitchedOff() {
    Stack scope = new Stack(new App(), "Test");
    Topic topic = new Topic(scope, "Topic");
    CredentialManager credentialManager =
        new CredentialManager(
            scope,
            "CredentialManager",
            CredentialManagerProps.builder().rateLimitTracking(false).build());
    assertThat(credentialManager.addAlarms(topic)).hasSize(10);
  }
}
