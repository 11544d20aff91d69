package io.github.credentialmanager.server.ratelimit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.credentialmanager.server.GitHubDouble;
import io.github.credentialmanager.server.GitHubDouble.Answer;
import io.github.credentialmanager.server.GitHubDouble.Call;
import io.github.credentialmanager.server.TestContext;
import io.github.credentialmanager.server.VirtualTime;
import io.github.credentialmanager.server.World;
import io.github.credentialmanager.server.appcredentials.AppCredentials;
import io.github.credentialmanager.server.audit.ServiceLog;
import io.github.credentialmanager.server.github.GitHubApi;
import io.github.credentialmanager.server.github.RequestBudget;
import io.github.credentialmanager.server.outbound.Deadline;
import io.github.credentialmanager.server.signing.AppJwtSigner;
import io.github.credentialmanager.server.store.AppTable;
import io.github.credentialmanager.server.store.InstallationTable;
import io.github.credentialmanager.server.tracking.AppReport;
import io.github.credentialmanager.server.tracking.FanOut;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.kms.KmsClient;

/** Against real tables, a KMS that signs and an HTTP GitHub that verifies and counts. */
class RateLimitTrackerTest {
  private static final long APP = 1001;

  private final VirtualTime time = new VirtualTime();
  private final GitHubDouble gitHub = new GitHubDouble(time::instant);
  private final ExecutorService threads = Executors.newFixedThreadPool(20);
  private final World world =
      new World().at(time.instant().toString()).closing(gitHub).closing(threads::shutdownNow);
  private final KmsClient kms =
      KmsClient.builder()
          .endpointOverride(world.kms.endpoint())
          .region(Region.US_EAST_1)
          .credentialsProvider(io.github.credentialmanager.server.DynamoDbLocal.credentials())
          .httpClientBuilder(UrlConnectionHttpClient.builder())
          .build();
  private final List<Duration> pauses = new ArrayList<>();
  private RateLimitTracker tracker =
      tracker(List.of("core", "graphql", "search"), new FanOut(threads, 20));

  @AfterEach
  void close() {
    kms.close();
    world.close();
  }

  private RateLimitTracker tracker(List<String> categories) {
    return tracker(categories, new FanOut(threads, 20));
  }

  private RateLimitTracker tracker(List<String> categories, FanOut fanOut) {
    AppTable apps = AppTable.dynamoDb(world.dynamoDb, world.appTable);
    GitHubApi api = GitHubApi.over(gitHub.url(), time);
    ServiceLog log = new ServiceLog(world.log::add, time);
    return new RateLimitTracker(
        apps,
        InstallationTable.dynamoDb(world.dynamoDb, world.installationTable),
        new AppCredentials(apps, AppJwtSigner.kms(kms, time), api, log, time),
        api,
        new RequestBudget(20, 900, time::nanoTime, time::sleep),
        fanOut,
        categories,
        log,
        time,
        pause -> {
          pauses.add(pause);
          time.sleep(pause);
        });
  }

  /**
   * One run of one App, that does not end before it is done. What is under way takes real time: it
   * must not be late because somebody else sleeps.
   */
  private JsonNode run() {
    List<AppReport> reports = tracker.run(Deadline.in(Duration.ofHours(2)));
    assertThat(reports).hasSize(1);
    return World.JSON.valueToTree(reports.get(0).toJson());
  }

  /** The App, installed at GitHub and known to the table, that many times. */
  private void installed(long count) {
    world.app(APP);
    for (long id = 1; id <= count; id++) {
      installed(APP, id);
    }
  }

  private void installed(long appId, long id) {
    gitHub.install(appId, id, "O_" + id);
    world.installation(appId, "O_" + id, id);
  }

  private Set<Long> measured() {
    return world.logged("RateLimitMeasured").stream()
        .map(line -> line.path("InstallationID").asLong())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private List<Call> calls(String method) {
    return gitHub.calls().stream().filter(call -> call.method().equals(method)).toList();
  }

  @Nested
  class AnInstallation {
    @Test
    void isMeasuredWithItsOwnTokenOfTheLeastScopeWhichIsThenRevoked() {
      installed(1);
      assertThat(run().path("measured").asInt()).isEqualTo(1);
      assertThat(gitHub.calls())
          .extracting(call -> call.method() + " " + call.path())
          .containsExactly(
              "POST /app/installations/1/access_tokens",
              "GET /rate_limit",
              "DELETE /installation/token");
      assertThat(gitHub.calls().get(0).body())
          .isEqualTo("{\"permissions\":{\"metadata\":\"read\"}}");
      assertThat(gitHub.tokensAlive()).isZero();
    }

    @Test
    void becomesTheMetricsThatDashboardsKnow() {
      installed(1);
      gitHub.answer(
          "GET",
          "/rate_limit",
          1,
          Answer.ok(
              "{\"resources\":{\"core\":{\"limit\":5000,\"used\":1250,\"remaining\":3750,"
                  + "\"reset\":"
                  + (time.instant().getEpochSecond() + 90)
                  + "},\"graphql\":{\"limit\":0,\"used\":0,\"remaining\":0,\"reset\":0},"
                  + "\"search\":null,\"scim\":{\"limit\":1,\"remaining\":1,\"reset\":1}}}"));
      run();
      List<JsonNode> lines = world.logged("RateLimitMeasured");
      assertThat(lines).hasSize(2);
      assertThat(asCloudWatchReads(lines.get(0)))
          .isEqualTo(
              Map.of(
                  "GitHubAPICalls Count", 1250.0,
                  "GitHubAPICallsRemaining Count", 3750.0,
                  "GitHubAPICallsRemainingPercent Percent", 75.0,
                  "GitHubAPIRateLimit Count", 5000.0,
                  "GitHubRateLimitTimeToReset Seconds", 90.0));
      assertThat(dimensions(lines.get(0)))
          .isEqualTo(
              Map.of(
                  "service", "Credential Manager",
                  "Category", "core",
                  "AppID", "1001",
                  "InstallationID", "1"));
      assertThat(asCloudWatchReads(lines.get(1)))
          .as("no percentage of nothing, no time that has passed")
          .isEqualTo(
              Map.of(
                  "GitHubAPICalls Count", 0.0,
                  "GitHubAPICallsRemaining Count", 0.0,
                  "GitHubAPIRateLimit Count", 0.0,
                  "GitHubRateLimitTimeToReset Seconds", 0.0));
      assertThat(world.log.toString()).doesNotContain("NaN").doesNotContain("Infinity");
    }

    @Test
    void isMeasuredInTheCategoriesThatWereAskedFor() {
      tracker = tracker(List.of("scim"));
      installed(1);
      run();
      assertThat(world.logged("RateLimitMeasured"))
          .extracting(line -> line.path("Category").asText())
          .containsExactly("scim");
    }

    @Test
    void thatIsMarkedSuspendedCostsNoCall() {
      installed(1);
      world.row(
          world.installationTable,
          Map.of("AppId", World.number(APP), "NodeId", AttributeValue.fromS("O_9")),
          Map.of("InstallationId", World.number(9), "Suspended", AttributeValue.fromBool(true)));
      JsonNode report = run();
      assertThat(measured()).containsExactly(1L);
      assertThat(report.path("skippedBecause").path("INSTALLATION_SUSPENDED").asInt()).isEqualTo(1);
      assertThat(gitHub.calls()).hasSize(3);
    }

    @Test
    void whoseTokenIsNotYetKnownEverywhereIsAskedForOnceMoreWithTheSameToken() {
      installed(1);
      gitHub.answerOnce("GET", "/rate_limit", 1, Answer.message(401, "Bad credentials"));
      assertThat(run().path("measured").asInt()).isEqualTo(1);
      assertThat(calls("POST")).hasSize(1);
      assertThat(calls("GET")).hasSize(2);
      assertThat(pauses).containsExactly(Duration.ofSeconds(1));
    }

    private Map<String, Double> asCloudWatchReads(JsonNode line) {
      JsonNode directive = line.path("_aws").path("CloudWatchMetrics").get(0);
      assertThat(directive.path("Namespace").asText())
          .isEqualTo("AppFrameworkGitHubAPICallMetrics");
      assertThat(Instant.ofEpochMilli(line.path("_aws").path("Timestamp").asLong()))
          .as("CloudWatch drops what is old")
          .isCloseTo(Instant.now(), within(1, ChronoUnit.MINUTES));
      Map<String, Double> metrics = new HashMap<>();
      for (JsonNode metric : directive.path("Metrics")) {
        JsonNode value = line.path(metric.path("Name").asText());
        assertThat(value.isNumber()).as(metric.toString()).isTrue();
        metrics.put(
            metric.path("Name").asText() + " " + metric.path("Unit").asText(), value.asDouble());
      }
      return metrics;
    }

    private Map<String, String> dimensions(JsonNode line) {
      Map<String, String> dimensions = new HashMap<>();
      for (JsonNode name :
          line.path("_aws").path("CloudWatchMetrics").get(0).path("Dimensions").get(0)) {
        assertThat(line.path(name.asText()).isTextual()).as(name.asText()).isTrue();
        dimensions.put(name.asText(), line.path(name.asText()).asText());
      }
      return dimensions;
    }
  }

  @Nested
  class AnInstallationInTrouble {
    @ParameterizedTest
    @CsvSource({
      "404, Not Found, INSTALLATION_NOT_FOUND, skipped",
      "403, This installation has been suspended, INSTALLATION_SUSPENDED, skipped",
      "422, The permissions requested are not granted, SCOPE_NOT_GRANTED, skipped",
      "403, You have exceeded a secondary rate limit, THROTTLED, failed",
      "429, Too many requests, THROTTLED, failed",
      "400, Whatever, GITHUB_UNAVAILABLE, failed"
    })
    void costsItsOwnMeasurementWhereItGetsNoToken(
        int status, String message, String why, String counted) {
      installed(5);
      gitHub.answer(
          "POST", "/app/installations/ID/access_tokens", 3, Answer.message(status, message));
      JsonNode report = run();
      assertThat(measured()).containsExactly(1L, 2L, 4L, 5L);
      assertThat(report.path(counted + "Because").path(why).asInt()).isEqualTo(1);
      assertThat(report.path("measured").asInt()).isEqualTo(4);
      assertThat(gitHub.tokensAlive()).isZero();
    }

    @ParameterizedTest
    @CsvSource({
      "401, Bad credentials, TOKEN_NOT_ACCEPTED, skipped",
      "403, This installation has been suspended, TOKEN_NOT_ACCEPTED, skipped",
      "404, Not Found, NOT_LIMITED, skipped",
      "403, You have exceeded a secondary rate limit, THROTTLED, failed",
      "200, nothing, '', ''"
    })
    void costsItsOwnMeasurementWhereItsTokenIsRefused(
        int status, String message, String why, String counted) {
      installed(5);
      gitHub.answer("GET", "/rate_limit", 3, Answer.message(status, message));
      JsonNode report = run();
      assertThat(measured()).containsExactly(1L, 2L, 4L, 5L);
      if (!why.isEmpty()) {
        assertThat(report.path(counted + "Because").path(why).asInt()).isEqualTo(1);
      }
      assertThat(gitHub.tokensAlive()).as("also that token is revoked").isZero();
    }

    @Test
    void neverHoldsUpTheOthersForAsLongAsGitHubSays() {
      installed(5);
      gitHub.answer(
          "POST",
          "/app/installations/ID/access_tokens",
          3,
          Answer.message(403, "slow down").with("retry-after", "3600"));
      run();
      assertThat(measured()).hasSize(4);
      assertThat(time.nanoTime()).isZero();
    }

    @Test
    void whoseTokenCannotBeRevokedIsReported() {
      installed(2);
      gitHub.answer("DELETE", "/installation/token", 1, Answer.message(400, "no"));
      JsonNode report = run();
      assertThat(report.path("measured").asInt()).isEqualTo(2);
      assertThat(report.path("failedBecause").path("GITHUB_UNAVAILABLE").asInt()).isEqualTo(1);
      assertThat(world.logged("RateLimitsNotMeasured")).hasSize(1);
    }
  }

  @Nested
  class GitHub {
    @Test
    void withItsLimitsSwitchedOffIsAskedOnce() {
      tracker = tracker(List.of("core"));
      installed(30);
      for (long id = 1; id <= 30; id++) {
        gitHub.answer(
            "GET", "/rate_limit", id, Answer.message(404, "Rate limiting is not enabled."));
      }
      JsonNode report = run();
      assertThat(report.path("skippedBecause").path("NOT_LIMITED").asInt()).isEqualTo(30);
      assertThat(report.path("failed").asInt()).isZero();
      assertThat(calls("POST").size()).as("those under way").isLessThanOrEqualTo(20);
      assertThat(gitHub.tokensAlive()).isZero();
    }

    @Test
    void thatThrottlesTheAppItselfIsLeftAlone() {
      installed(100);
      for (long id = 1; id <= 100; id++) {
        gitHub.answer(
            "POST",
            "/app/installations/ID/access_tokens",
            id,
            Answer.message(403, "secondary rate limit").with("retry-after", "60"));
      }
      JsonNode report = run();
      assertThat(report.path("failedBecause").path("THROTTLED").asInt()).isBetween(20, 40);
      assertThat(report.path("skippedBecause").path("GIVEN_UP").asInt()).isBetween(60, 80);
      assertThat(calls("POST")).hasSizeBetween(20, 40);
    }

    @Test
    void thatRefusesTheAppsKeyIsAskedNoMore() {
      world.app(APP);
      for (long id = 1; id <= 50; id++) {
        installed(APP, id);
        gitHub.answer(
            "POST", "/app/installations/ID/access_tokens", id, Answer.message(401, "no such key"));
      }
      JsonNode report = run();
      assertThat(report.path("failedBecause").path("APP_KEY_REJECTED").asInt()).isBetween(1, 20);
      assertThat(report.path("skippedBecause").path("GIVEN_UP").asInt()).isBetween(30, 49);
    }
  }

  @Nested
  class Apps {
    @Test
    void areApart() {
      installed(2);
      world.app(1002, Map.of());
      installed(1002, 21);
      world.app(1003);
      installed(1003, 31);
      world.kms.failWith(World.keyArn("app-1003"), "DisabledException");
      List<AppReport> reports = tracker.run(Deadline.in(Duration.ofHours(1)));
      assertThat(measured()).containsExactly(1L, 2L);
      assertThat(reports).filteredOn(AppReport::hasFailures).hasSize(2);
      assertThat(world.logged("RateLimitsNotMeasured")).hasSize(2);
      assertThat(world.logged("RateLimitsMeasured")).hasSize(1);
    }
  }

  @Nested
  class TwoThousandInstallations {
    @Test
    void areMeasuredAtMostTwentyAtATimeAndWithin900PointsAMinute() {
      tracker = tracker(List.of("core"));
      installed(2_000);
      JsonNode report = run();
      assertThat(report.path("measured").asInt()).isEqualTo(2_000);
      assertThat(measured()).hasSize(2_000);
      assertThat(gitHub.tokensAlive()).isZero();
      assertThat(gitHub.mostAtATime()).isBetween(2, 20);
      assertThat(mostPointsInAMinute()).isBetween(600, 900);
      assertThat(Duration.ofNanos(time.nanoTime()))
          .as("81 a minute, less what is under way whenever time jumps")
          .isBetween(Duration.ofMinutes(24), Duration.ofMinutes(40));
    }

    @Test
    void areMeasuredInTurnWhereARunIsTooShortForAll() {
      tracker = tracker(List.of("core"), new FanOut(Runnable::run, 1));
      installed(300);
      Set<Long> all = new HashSet<>();
      int runs = 0;
      while (all.size() < 300) {
        assertThat(++runs).as("runs of 90 s, 162 installations each").isLessThanOrEqualTo(2);
        Instant began = time.instant();
        tracker.run(Deadline.in(Duration.ofSeconds(90), time::nanoTime));
        assertThat(Duration.between(began, time.instant())).isLessThan(Duration.ofSeconds(90));
        all.addAll(measured());
        world.log.clear();
        time.sleep(Duration.ofMinutes(10));
      }
      assertThat(gitHub.tokensAlive()).isZero();
    }

    private int mostPointsInAMinute() {
      List<Call> calls = gitHub.calls().stream().sorted(Comparator.comparing(Call::at)).toList();
      int most = 0;
      int points = 0;
      int from = 0;
      for (Call call : calls) {
        points += call.points();
        while (!calls.get(from).at().plusSeconds(60).isAfter(call.at())) {
          points -= calls.get(from).points();
          from++;
        }
        most = Math.max(most, points);
      }
      return most;
    }
  }

  @Nested
  class TheFunction {
    private JsonNode invoke() {
      ByteArrayOutputStream result = new ByteArrayOutputStream();
      try {
        new RateLimitTrackerHandler(
                world
                    .with(
                        settings ->
                            settings.gitHubApiUrl(gitHub.url()).rateLimitCategories(Set.of("core")))
                    .server())
            .handleRequest(
                new ByteArrayInputStream("\"ignored\"".getBytes(UTF_8)),
                result,
                new TestContext(TestContext.ACCOUNT, 300_000));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return World.read(result.toString(UTF_8));
    }

    @Test
    void saysWhatBecameOfEachApp() {
      installed(3);
      JsonNode result = invoke();
      assertThat(result.path("apps").asInt()).isEqualTo(1);
      assertThat(result.path("results").get(0).path("measured").asInt()).isEqualTo(3);
      assertThat(measured()).containsExactly(1L, 2L, 3L);
      assertThat(world.logged("RateLimitTrackerRan")).hasSize(1);
    }

    @Test
    void throwsIfItCouldDoNothing() {
      installed(3);
      world.kms.failWith("DisabledException");
      assertThatThrownBy(this::invoke)
          .hasMessage("Nothing could be done for any App: APP_KEY_UNAVAILABLE");
      assertThat(world.logged("RateLimitTrackerFailed")).hasSize(1);
    }

    @Test
    void logsJsonAndNoToken() {
      installed(3);
      gitHub.answer("GET", "/rate_limit", 2, Answer.message(500, "ghs_1001_leaked"));
      invoke();
      assertThat(world.log).isNotEmpty().allSatisfy(World::read);
      assertThat(gitHub.tokens()).hasSize(3);
      for (String token : gitHub.tokens()) {
        assertThat(world.log.toString()).doesNotContain(token);
      }
      assertThat(world.log.toString()).doesNotContain("eyJ");
    }
  }
}
