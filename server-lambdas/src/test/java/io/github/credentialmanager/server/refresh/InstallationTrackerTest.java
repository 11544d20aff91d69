package io.github.credentialmanager.server.refresh;

import static com.github.tomakehurst.wiremock.client.WireMock.aResponse;
import static com.github.tomakehurst.wiremock.client.WireMock.any;
import static com.github.tomakehurst.wiremock.client.WireMock.anyUrl;
import static com.github.tomakehurst.wiremock.client.WireMock.containing;
import static com.github.tomakehurst.wiremock.client.WireMock.post;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.github.tomakehurst.wiremock.WireMockServer;
import com.github.tomakehurst.wiremock.core.WireMockConfiguration;
import io.github.credentialmanager.server.DynamoDbLocal;
import io.github.credentialmanager.server.GitHubDouble;
import io.github.credentialmanager.server.GitHubDouble.Answer;
import io.github.credentialmanager.server.GitHubStubs;
import io.github.credentialmanager.server.TestContext;
import io.github.credentialmanager.server.World;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

/** The installation tracker as EventBridge invokes it, on real tables and a real HTTP GitHub. */
class InstallationTrackerTest {
  private static final String EVENT =
      "{\"version\":\"0\",\"detail-type\":\"Scheduled Event\",\"source\":\"aws.events\",\"detail\":{}}";

  private static final AttributeValue NONE = AttributeValue.builder().n("-1").s("").build();

  private final GitHubDouble gitHub = new GitHubDouble(Instant::now);
  private final World world =
      new World().closing(gitHub).with(settings -> settings.gitHubApiUrl(gitHub.url()));

  @BeforeEach
  void registerAnApp() {
    world.app(1001);
  }

  @AfterEach
  void close() {
    world.close();
  }

  private JsonNode run() {
    ByteArrayOutputStream result = new ByteArrayOutputStream();
    try {
      new InstallationTrackerHandler(world.server())
          .handleRequest(
              new ByteArrayInputStream(EVENT.getBytes(UTF_8)),
              result,
              new TestContext(TestContext.ACCOUNT, 300_000));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return World.read(result.toString(UTF_8));
  }

  private JsonNode report(JsonNode result, long appId) {
    for (JsonNode report : result.path("results")) {
      if (report.path("appId").asLong() == appId) {
        return report;
      }
    }
    throw new AssertionError("nothing said of App " + appId + " in " + result);
  }

  private Map<String, Long> rows(long appId) {
    Map<String, Long> rows = new TreeMap<>();
    for (Map<String, AttributeValue> row : world.rows(world.installationTable)) {
      if (number(row, "AppId") == appId) {
        rows.put(row.getOrDefault("NodeId", NONE).s(), number(row, "InstallationId"));
      }
    }
    return rows;
  }

  private static long number(Map<String, AttributeValue> row, String name) {
    return Long.parseLong(row.getOrDefault(name, NONE).n());
  }

  private long callsTo(String path) {
    return gitHub.calls().stream().filter(call -> call.path().startsWith(path)).count();
  }

  @Nested
  class TwoThousandInstallations {
    private static final int COUNT = 2_000;

    @BeforeEach
    void install() {
      LongStream.rangeClosed(1, COUNT).forEach(id -> gitHub.install(1001, id, "O_" + id));
    }

    @Test
    void areWrittenOnceAndLaterRunsWriteWhatChanges() {
      JsonNode first = report(run(), 1001);
      assertThat(first.path("seen").asInt()).isEqualTo(COUNT);
      assertThat(first.path("written").asInt()).isEqualTo(COUNT);
      assertThat(rows(1001).size()).isEqualTo(COUNT);
      assertThat(callsTo("/app/installations")).as("20 full pages and the proof").isEqualTo(21);
      assertThat(gitHub.mostAtATime()).isLessThanOrEqualTo(20);

      List<Map<String, AttributeValue>> table = sorted(world.rows(world.installationTable));
      assertThat(world.post("/installations/refresh", "").status()).isEqualTo(200);
      JsonNode second = report(run(), 1001);
      assertThat(second.path("written").asInt()).isZero();
      assertThat(second.path("deleted").asInt()).isZero();
      assertThat(sorted(world.rows(world.installationTable)).equals(table))
          .as("the table is what it was, LastRefreshed included")
          .isTrue();

      gitHub.install(1001, 2_001, "O_2001").uninstall(1001, 7);
      gitHub.install(1001, 2_002, "O_8").uninstall(1001, 8);
      JsonNode third = report(run(), 1001);
      assertThat(third.path("written").asInt()).as("one new, one installed again").isEqualTo(2);
      assertThat(third.path("deleted").asInt()).isEqualTo(1);
      Map<String, Long> rows = rows(1001);
      assertThat(rows.size()).isEqualTo(COUNT);
      assertThat(rows.get("O_8")).isEqualTo(2_002L);
      assertThat(rows.get("O_2001")).isEqualTo(2_001L);
      assertThat(rows.get("O_7")).isNull();
    }

    @Test
    void areNotDeletedWhereMoreThanAFifthAreMissingButUpToAFifthAre() {
      run();
      LongStream.rangeClosed(1, COUNT / 5 + 1).forEach(id -> gitHub.uninstall(1001, id));
      JsonNode tooMany = report(run(), 1001);
      assertThat(tooMany.path("deleted").asInt()).isZero();
      assertThat(tooMany.path("skippedBecause").path("IMPLAUSIBLY_MANY_MISSING").asInt())
          .isEqualTo(COUNT / 5 + 1);
      assertThat(rows(1001).size()).isEqualTo(COUNT);
      assertThat(world.logged("ImplausiblyManyInstallationsMissing"))
          .singleElement()
          .satisfies(line -> assertThat(line.path("missing").asInt()).isEqualTo(COUNT / 5 + 1));
      assertThat(callsTo("/app/installations/")).as("nothing to confirm").isZero();

      gitHub.install(1001, 1, "O_1");
      assertThat(report(run(), 1001).path("deleted").asInt()).isEqualTo(COUNT / 5);
      assertThat(callsTo("/app/installations/")).as("each is asked for").isEqualTo(COUNT / 5);
      assertThat(gitHub.mostAtATime()).isLessThanOrEqualTo(20);
      assertThat(rows(1001).size()).isEqualTo(COUNT - COUNT / 5);
    }

    private static List<Map<String, AttributeValue>> sorted(
        List<Map<String, AttributeValue>> rows) {
      return rows.stream()
          .sorted(
              Comparator.comparing(
                  (Map<String, AttributeValue> row) -> number(row, "InstallationId")))
          .toList();
    }
  }

  @Nested
  class OfOneAppsInstallations {
    @Test
    void suspendedOnesStayAndAreMarked() {
      gitHub.install(1001, 1, "O_1");
      run();
      gitHub.list(
          1001,
          1,
          "{\"id\":1,\"account\":{\"login\":\"account-1\",\"node_id\":\"O_1\"},"
              + "\"target_type\":\"Organization\",\"suspended_at\":\"2026-11-23T08:00:00Z\"}");
      assertThat(report(run(), 1001).path("written").asInt()).isEqualTo(1);
      assertThat(world.rows(world.installationTable))
          .singleElement()
          .satisfies(
              row -> assertThat(row).containsEntry("Suspended", AttributeValue.fromBool(true)));
      gitHub.install(1001, 1, "O_1");
      run();
      assertThat(world.rows(world.installationTable).get(0)).doesNotContainKey("Suspended");
    }

    @Test
    void enterprisesGoByTheirSlug() {
      gitHub.list(
          1001,
          1,
          "{\"id\":1,\"account\":{\"slug\":\"acme\",\"node_id\":\"E_1\"},"
              + "\"target_type\":\"Enterprise\",\"suspended_at\":null}");
      run();
      assertThat(world.rows(world.installationTable).get(0))
          .containsEntry("Name", AttributeValue.fromS("acme"))
          .containsEntry("TargetType", AttributeValue.fromS("Enterprise"));
    }

    @Test
    void thoseWithoutAnAccountAreCountedAndKeepTheirRows() {
      world.installation(1001, "O_1", 1);
      gitHub.list(1001, 1, "{\"id\":1,\"account\":null}");
      JsonNode report = report(run(), 1001);
      assertThat(report.path("seen").asInt()).isEqualTo(1);
      assertThat(report.path("skippedBecause").path("WITHOUT_ACCOUNT").asInt()).isEqualTo(1);
      assertThat(rows(1001)).containsEntry("O_1", 1L);
    }

    @Test
    void oneWithAnImpossibleNodeIdSpoilsNoOther() {
      gitHub.install(1001, 1, "").install(1001, 2, "x".repeat(257)).install(1001, 3, "O_3");
      world.installation(1001, "O_gone", 9);
      JsonNode report = report(run(), 1001);
      assertThat(rows(1001)).isEqualTo(Map.of("O_3", 3L, "O_gone", 9L));
      assertThat(report.path("skippedBecause").path("NOT_UNDERSTOOD").asInt()).isEqualTo(2);
      assertThat(report.path("skippedBecause").path("LISTING_INCOMPLETE").asInt()).isEqualTo(1);
      assertThat(callsTo("/app/installations/")).as("nothing to confirm").isZero();
    }

    @Test
    void theNewerOfTwoOnOneAccountCounts() {
      gitHub.install(1001, 1, "O_1").install(1001, 2, "O_1");
      world.installation(1001, "O_1", 1);
      run();
      assertThat(rows(1001)).isEqualTo(Map.of("O_1", 2L));
    }

    @Test
    void oneUnderANewNodeIdKeepsTheRowOfTheOldOne() {
      gitHub.install(1001, 1, "O_kgDOnew");
      world.installation(1001, "MDEyOk9yZw==", 1);
      JsonNode report = report(run(), 1001);
      assertThat(rows(1001)).isEqualTo(Map.of("O_kgDOnew", 1L, "MDEyOk9yZw==", 1L));
      assertThat(report.path("skippedBecause").path("LISTED_OTHERWISE").asInt()).isEqualTo(1);
    }

    @Test
    void damagedRowsAreRepairedOrLeft() {
      gitHub.install(1001, 1, "O_1");
      for (String nodeId : List.of("O_1", "O_2")) {
        world.row(
            world.installationTable,
            Map.of("AppId", World.number(1001), "NodeId", AttributeValue.fromS(nodeId)),
            Map.of("Name", AttributeValue.fromN("1.5")));
      }
      JsonNode report = report(run(), 1001);
      assertThat(rows(1001)).isEqualTo(Map.of("O_1", 1L, "O_2", -1L));
      assertThat(report.path("skippedBecause").path("DAMAGED_ROW").asInt()).isEqualTo(1);
      assertThat(report.path("failed").asInt()).isZero();
    }

    @Test
    void aPageThatFailsKeepsTheOthersButNothingIsDeleted() {
      LongStream.rangeClosed(1, 250).forEach(id -> gitHub.install(1001, id, "O_" + id));
      world.installation(1001, "O_gone", 999);
      gitHub.answer("GET", "/app/installations?page=2", 0, Answer.message(502, "Server Error"));
      JsonNode report = report(run(), 1001);
      assertThat(report.path("written").asInt()).isEqualTo(150);
      assertThat(report.path("failedBecause").path("GITHUB_UNAVAILABLE").asInt()).isEqualTo(1);
      assertThat(report.path("skippedBecause").path("LISTING_INCOMPLETE").asInt()).isEqualTo(1);
      assertThat(rows(1001)).containsKey("O_gone").hasSize(151);
    }

    @Test
    void oneListedTwiceIsSeenOnceAndNothingIsDeleted() {
      LongStream.rangeClosed(1, 150).forEach(id -> gitHub.install(1001, id, "O_" + id));
      world.installation(1001, "O_gone", 999);
      String shifted =
          LongStream.rangeClosed(100, 149)
              .mapToObj(id -> GitHubStubs.entry(id, "O_" + id))
              .collect(Collectors.joining(",", "[", "]"));
      gitHub.answer("GET", "/app/installations?page=2", 0, Answer.ok(shifted));
      JsonNode report = report(run(), 1001);
      assertThat(report.path("seen").asInt()).isEqualTo(149);
      assertThat(report.path("written").asInt()).isEqualTo(149);
      assertThat(report.path("skippedBecause").path("LISTING_INCOMPLETE").asInt()).isEqualTo(1);
      assertThat(rows(1001)).containsKey("O_gone");
    }

    @Test
    void aListingThatLagsBehindAReinstallLeavesTheNewRow() {
      world.installation(1001, "O_1", 9);
      gitHub.install(1001, 9, "O_1");
      gitHub.answer(
          "GET",
          "/app/installations?page=1",
          0,
          Answer.ok("[" + GitHubStubs.entry(5, "O_1") + "]"));
      JsonNode report = report(run(), 1001);
      assertThat(rows(1001)).isEqualTo(Map.of("O_1", 9L));
      assertThat(report.path("skippedBecause").path("STILL_INSTALLED").asInt()).isEqualTo(1);

      gitHub.uninstall(1001, 9);
      run();
      assertThat(rows(1001)).as("GitHub denies the newer").isEqualTo(Map.of("O_1", 5L));
    }

    @Test
    void aBatchThatFailsKeepsTheOthers() {
      LongStream.rangeClosed(1, 60).forEach(id -> gitHub.install(1001, id, "O_" + id));
      WireMockServer dynamoDb = new WireMockServer(WireMockConfiguration.options().dynamicPort());
      dynamoDb.start();
      world.closing(dynamoDb::stop);
      dynamoDb.stubFor(
          any(anyUrl()).willReturn(aResponse().proxiedFrom(DynamoDbLocal.endpoint().toString())));
      dynamoDb.stubFor(
          post(anyUrl())
              .withHeader("x-amz-target", containing("TransactWriteItems"))
              .withRequestBody(containing("\"O_30\""))
              .willReturn(
                  aResponse()
                      .withStatus(400)
                      .withBody("{\"__type\":\"com.amazon.coral.validate#ValidationException\"}")));
      world.with(settings -> settings.dynamoDbEndpoint(URI.create(dynamoDb.baseUrl())));
      JsonNode report = report(run(), 1001);
      assertThat(report.path("written").asInt()).isIn(35, 50);
      assertThat(report.path("failedBecause").path("AWS_UNAVAILABLE").asInt())
          .isEqualTo(60 - report.path("written").asInt());
      assertThat(rows(1001)).hasSize(report.path("written").asInt());
    }

    @Test
    void anInstallationThatGitHubDoesNotConfirmStays() {
      world.installation(1001, "O_1", 1).installation(1001, "O_2", 2);
      gitHub.answer("GET", "/app/installations/ID", 1, Answer.ok("{\"id\":1}"));
      gitHub.answer("GET", "/app/installations/ID", 2, Answer.message(403, "Resource protected"));
      JsonNode report = report(run(), 1001);
      assertThat(rows(1001)).hasSize(2);
      assertThat(report.path("skippedBecause").path("STILL_INSTALLED").asInt()).isEqualTo(1);
      assertThat(report.path("failed").asInt()).isEqualTo(1);
    }
  }

  @Nested
  class Apps {
    @Test
    void areApart() {
      world.app(1002, Map.of()).installation(1002, "O_1", 21);
      world.app(1003).installation(1003, "O_1", 31);
      world.kms.failWith(World.keyArn("app-1003"), "DisabledException");
      gitHub.install(1001, 1, "O_1");
      JsonNode result = run();
      assertThat(result.path("apps").asInt()).isEqualTo(3);
      assertThat(result.path("appsWithFailures").asInt()).isEqualTo(2);
      assertThat(report(result, 1001).path("written").asInt()).isEqualTo(1);
      assertThat(report(result, 1002).path("failedBecause").path("INTERNAL").asInt()).isEqualTo(1);
      assertThat(report(result, 1003).path("failedBecause").path("APP_KEY_UNAVAILABLE").asInt())
          .isEqualTo(1);
      assertThat(rows(1002)).hasSize(1);
      assertThat(rows(1003)).hasSize(1);
      assertThat(world.logged("InstallationSyncFailed")).hasSize(2);
      assertThat(world.logged("InstallationsSynced")).hasSize(1);
      assertThat(world.logged("InstallationTrackerRan")).hasSize(1);
    }

    @Test
    void thatLeftTheTableLeaveNoRows() {
      for (int i = 0; i < 120; i++) {
        world.installation(1002, "O_" + i, i + 1);
      }
      gitHub.install(1001, 1, "O_1");
      JsonNode report = report(run(), 1002);
      assertThat(report.path("deleted").asInt()).isEqualTo(120);
      assertThat(rows(1002)).isEmpty();
      assertThat(rows(1001)).hasSize(1);
    }

    @Test
    void allOfWhichFailedAreTheQueuesBusiness() {
      world.kms.failWith("KMSInternalException");
      assertThatThrownBy(InstallationTrackerTest.this::run)
          .hasMessage("Nothing could be done for any App: AWS_UNAVAILABLE");
      assertThat(world.logged("InstallationTrackerFailed")).hasSize(1);
      assertThat(world.logged("InstallationTrackerRan")).isEmpty();
    }

    @Test
    void mayBeNone() {
      world.dynamoDb.deleteItem(
          request -> request.tableName(world.appTable).key(Map.of("AppId", World.number(1001))));
      assertThat(run().path("apps").asInt()).isZero();
    }
  }

  @Test
  void aRunInvokedTwiceDoesNoHarm() {
    gitHub.install(1001, 1, "O_1");
    run();
    assertThat(report(run(), 1001).path("written").asInt()).isZero();
    assertThat(rows(1001)).isEqualTo(Map.of("O_1", 1L));
  }

  @Test
  void everyLineOfTheLogIsOneJsonObjectAndNamesNoToken() {
    world.app(1002, Map.of());
    gitHub.install(1001, 1, "O_1\\n{}");
    run();
    assertThat(world.log).isNotEmpty().allSatisfy(World::read);
    assertThat(world.log.toString()).doesNotContain("eyJ").doesNotContain("Bearer");
  }
}
