package io.github.credentialmanager.infra;

import static io.github.credentialmanager.infra.SynthesizedStack.ACCOUNT;
import static java.util.Objects.requireNonNull;
import static java.util.stream.Collectors.toCollection;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.credentialmanager.infra.IamEvaluator.Request;
import io.github.credentialmanager.infra.SynthesizedStack.Resource;
import io.github.credentialmanager.infra.World.Answer;
import io.github.credentialmanager.infra.World.Call;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import software.amazon.awscdk.services.sns.Topic;

/**
 * The seven packaged functions, each with the environment and the role that the template gives it,
 * in a day with all that alarms are for.
 *
 * <p>Every call of AWS is decided by the role's policies, every metric filter has to find its lines
 * in the function's own log. So a permission too few or too many fails here, and so does an event
 * that the server has come to call otherwise.
 */
@RequiresNode
@RequiresJava25
class RolesAndAlarmsAtWorkTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String RETIRED_KEY = World.key("retired");

  /** What Lambda does in the function's name, not its code. */
  private static final Set<String> OF_LAMBDA =
      Set.of("logs:CreateLogStream", "logs:PutLogEvents", "sqs:SendMessage");

  @TempDir private static Path taskRoot;

  private static final Map<String, Day> DAYS = new TreeMap<>();

  private static SynthesizedStack stack;
  private static IamEvaluator iam;

  /**
   * What came of a function's day.
   *
   * @param log the lines of its log
   */
  private record Day(List<Call> calls, List<JsonNode> log) {}

  @BeforeAll
  static void live() throws Exception {
    stack =
        SynthesizedStack.of(
            CredentialManagerProps.builder().build(),
            (scope, credentialManager) -> {
              credentialManager.addAlarms(new Topic(scope, "Topic"));
              credentialManager.addDashboard();
            });
    iam = IamEvaluator.of(stack);
    ServerPackage.unpackTo(taskRoot);
    for (String function : functions().toList()) {
      DAYS.put(function, live(function));
    }
  }

  private static Day live(String function) throws Exception {
    JsonNode template = stack.resolved(stack.resource("AWS::Lambda::Function", function + "F"));
    Map<String, String> environment = new HashMap<>();
    template
        .at("/Environment/Variables")
        .properties()
        .forEach(variable -> environment.put(variable.getKey(), variable.getValue().asText()));
    try (World world = world(environment)) {
      // GitHub and AWS are elsewhere; everything else is the template's.
      Map<String, String> here = new HashMap<>(world.environment());
      here.keySet().removeAll(Set.of("APP_TABLE_NAME", "INSTALLATION_TABLE_NAME"));
      environment.putAll(here);
      try (LambdaProcess process =
          LambdaProcess.start(
              RequiresJava25.Condition.java(),
              taskRoot,
              template.path("Handler").asText(),
              LambdaProcess.Initialization.SNAP_START,
              environment)) {
        for (JsonNode event : events(function)) {
          process.invoke(event, Duration.ofSeconds(template.path("Timeout").asInt()));
        }
        List<JsonNode> log = new ArrayList<>();
        for (String line : process.log().lines().toList()) {
          log.add(JSON.readTree(line));
        }
        return new Day(world.calls(), log);
      }
    }
  }

  /**
   * App 1001 has one installation that stays, one that is new and one that is gone. App 1002 has a
   * key that was retired too soon, and GitHub lists none of its installations. GitHub fails for App
   * 1003. App 1004 has left, its row has not.
   */
  private static World world(Map<String, String> environment) throws Exception {
    World world =
        new World(
                requireNonNull(environment.get("APP_TABLE_NAME")),
                requireNonNull(environment.get("INSTALLATION_TABLE_NAME")))
            .gitHub(RolesAndAlarmsAtWorkTest::gitHub)
            .failing(RETIRED_KEY, "DisabledException")
            .app(1001)
            .app(
                1002,
                "\"KmsKeyArn\": {\"S\": \"%s\"}, \"PreviousKmsKeyArn\": {\"S\": \"%s\"}"
                    .formatted(RETIRED_KEY, World.key("previous")))
            .app(1003)
            .installation(1001, "O_stays", 7001, "Organization", "stays")
            .installation(1001, "O_gone", 7003, "Organization", "gone")
            .installation(1003, "O_3", 7300, "Organization", "fails")
            .installation(1004, "O_4", 7400, "Organization", "left");
    for (int i = 0; i < 10; i++) {
      world.installation(1002, "O_2_" + i, 7200 + i, "Organization", "many-" + i);
    }
    return world;
  }

  private static Answer gitHub(String method, String path, long appId, JsonNode body) {
    if (appId == 1003) {
      return Answer.json(500, "{}");
    }
    return switch (method + " " + path.replaceAll("/\\d+", "/N")) {
      case "GET /app" -> Answer.json(200, "{}");
      case "GET /app/installations" ->
          Answer.json(
              200,
              appId == 1001 ? "[" + listed(7001, "stays") + "," + listed(7002, "new") + "]" : "[]");
      // More than was asked for, if anything was; what the rate-limit tracker asks for is harmless.
      case "POST /app/installations/N/access_tokens" ->
          Answer.json(
              201,
              """
              {"token": "ghs_%s", "expires_at": "%s", "permissions": %s,
               "repository_selection": "all"}
              """
                  .formatted(
                      "x".repeat(36),
                      Instant.now().plus(1, ChronoUnit.HOURS).truncatedTo(ChronoUnit.SECONDS),
                      body.path("permissions").has("contents")
                          ? "{\"contents\": \"write\"}"
                          : "{\"metadata\": \"read\"}"));
      case "GET /rate_limit" ->
          Answer.json(
              200,
              """
              {"resources": {"core": {"limit": 5000, "used": 4900, "remaining": 100, "reset": %d}}}
              """
                  .formatted(Instant.now().plusSeconds(600).getEpochSecond()));
      case "DELETE /installation/token" -> Answer.json(204, "");
      default -> Answer.json(404, "{\"message\": \"Not Found\"}");
    };
  }

  private static String listed(long id, String name) {
    return """
        {"id": %d, "account": {"login": "%s", "node_id": "O_%s"}, "target_type": "Organization",
         "suspended_at": null}
        """
        .formatted(id, name, name);
  }

  private static List<ObjectNode> events(String function) {
    if (function.endsWith("Tracker")) {
      return List.of(JSON.createObjectNode());
    }
    List<ObjectNode> events =
        new ArrayList<>(
            switch (function) {
              case "GetAppToken" ->
                  List.of(
                      event("/tokens/app", "{\"appId\":1001}"),
                      event("/tokens/app", "{\"appId\":1002}"));
              case "GetInstallationToken" ->
                  List.of(
                      event("/tokens/installation", "{\"appId\":1001,\"nodeId\":\"O_stays\"}"),
                      event("/tokens/installation", "{\"appId\":1002,\"nodeId\":\"O_2_1\"}"),
                      event(
                          "/tokens/installation",
                          "{\"appId\":1001,\"nodeId\":\"O_stays\","
                              + "\"scopeDown\":{\"permissions\":{\"contents\":\"read\"}}}"));
              case "RefreshCachedData" -> List.of(event("/installations/refresh", ""));
              case "GetInstallationData" ->
                  List.of(event("/installations/info", "{\"nodeId\":\"O_stays\"}"));
              case "GetInstallations" -> List.of(event("/installations", "{}"));
              default -> throw new AssertionError("No day for " + function);
            });
    ObjectNode foreign = event(events.get(0).path("rawPath").asText(), "{}");
    foreign.withObject("/requestContext/authorizer/iam").put("accountId", "999999999999");
    events.add(foreign);
    events.add(event("/no/such/operation", "{}"));
    return events;
  }

  private static ObjectNode event(String path, String body) {
    return FunctionUrlEvents.to(path).put("body", body);
  }

  private static Stream<String> functions() {
    return Stream.of(
        "GetAppToken",
        "GetInstallationToken",
        "RefreshCachedData",
        "GetInstallationData",
        "GetInstallations",
        "InstallationTracker",
        "RateLimitTracker");
  }

  @Test
  void theDayIsOfAllFunctions() {
    assertThat(stack.resources("AWS::Lambda::Function")).hasSameSizeAs(DAYS.keySet());
  }

  @ParameterizedTest
  @MethodSource("functions")
  void everyCallIsPermitted(String function) {
    for (Call call : dayOf(function).calls()) {
      Map<String, String> context = new HashMap<>(call.context());
      if (call.action().startsWith("kms:")) {
        context.put("aws:ResourceTag/FrameworkForGitHubAppOnAwsManaged", "true");
        context.put("aws:ResourceTag/Status", "Active");
      }
      assertThat(iam.allows(new Request(role(function), call.action(), call.resource(), context)))
          .as("%s may %s", function, call)
          .isTrue();
    }
  }

  @ParameterizedTest
  @MethodSource("functions")
  void everyPermissionIsUsed(String function) {
    Set<String> used =
        dayOf(function).calls().stream()
            .map(call -> call.action() + " on " + call.resource().replaceAll("key/.*", "key/*"))
            .collect(toCollection(TreeSet::new));
    Set<String> permitted = new TreeSet<>();
    for (JsonNode statement : requireNonNull(iam.identityPolicies.get(role(function)))) {
      IamEvaluator.elements(statement.path("Action"))
          .map(JsonNode::asText)
          .filter(action -> !OF_LAMBDA.contains(action))
          .forEach(
              action ->
                  IamEvaluator.elements(statement.path("Resource"))
                      .forEach(resource -> permitted.add(action + " on " + resource.asText())));
    }
    assertThat(used).isEqualTo(permitted);
  }

  /** A filter that finds nothing on such a day never will. */
  @ParameterizedTest
  @MethodSource("functions")
  void everyMetricFilterFindsItsLines(String function) {
    List<JsonNode> log = dayOf(function).log();
    for (JsonNode filter : filters(function)) {
      assertThat(log)
          .as("%s in the log of %s: %s", filter.path("FilterPattern"), function, log)
          .anyMatch(line -> matches(filter.path("FilterPattern").asText(), line));
      assertThat(log)
          .as("the filter tells lines apart")
          .anyMatch(line -> !matches(filter.path("FilterPattern").asText(), line));
    }
  }

  /** The other way round: what the server measures because it matters is watched. */
  @ParameterizedTest
  @MethodSource("functions")
  void everythingThatTheServerRaisesIsCounted(String function) {
    Set<String> raised =
        dayOf(function).log().stream()
            .filter(
                line ->
                    line.at("/_aws/CloudWatchMetrics/0/Namespace")
                        .asText()
                        .equals("CredentialManager"))
            .map(line -> line.at("/_aws/CloudWatchMetrics/0/Metrics/0/Name").asText())
            .collect(toCollection(TreeSet::new));
    Set<String> counted =
        filters(function).stream()
            .map(filter -> filter.at("/MetricTransformations/0/MetricName").asText())
            .collect(toCollection(TreeSet::new));
    assertThat(counted).containsAll(raised);
  }

  /** The dashboard's searches name the metrics with exactly the dimensions that they have. */
  @Test
  void theDashboardFindsWhatTheRateLimitTrackerMeasures() throws IOException {
    Set<String> measured = new TreeSet<>();
    for (JsonNode line : dayOf("RateLimitTracker").log()) {
      for (JsonNode group : line.at("/_aws/CloudWatchMetrics")) {
        for (JsonNode metric : group.path("Metrics")) {
          Set<String> dimensions = new TreeSet<>();
          group.at("/Dimensions/0").forEach(dimension -> dimensions.add(dimension.asText()));
          measured.add(
              group.path("Namespace").asText() + dimensions + metric.path("Name").asText());
        }
      }
    }
    Matcher search =
        Pattern.compile("SEARCH\\('\\{(\\w+),([\\w,]+)} MetricName=\\\\*\"(\\w+)")
            .matcher(
                stack
                    .resolved(stack.resource("AWS::CloudWatch::Dashboard", "Dashboard"))
                    .path("DashboardBody")
                    .asText());
    int searches = 0;
    for (; search.find(); searches++) {
      assertThat(measured)
          .contains(
              search.group(1)
                  + new TreeSet<>(List.of(search.group(2).split(",", -1)))
                  + search.group(3));
    }
    assertThat(searches).isEqualTo(2);
  }

  private static Day dayOf(String function) {
    return requireNonNull(DAYS.get(function));
  }

  private static List<JsonNode> filters(String function) {
    String log = stack.resource("AWS::Logs::LogGroup", function + "Logs").id();
    return stack.resources("AWS::Logs::MetricFilter").stream()
        .map(stack::resolved)
        .filter(filter -> filter.path("LogGroupName").asText().equals(log))
        .toList();
  }

  /** The two forms of CloudWatch Logs' filter patterns that are used here. */
  private static boolean matches(String pattern, JsonNode line) {
    Matcher equality = Pattern.compile("\\{ \\$\\.(\\w+) = \"(\\w+)\" }").matcher(pattern);
    if (equality.matches()) {
      return line.path(equality.group(1)).asText().equals(equality.group(2));
    }
    Matcher existence = Pattern.compile("\\{ \\$\\.(\\w+) = \"\\*\" }").matcher(pattern);
    if (existence.matches()) {
      return line.has(existence.group(1));
    }
    throw new AssertionError("Unknown pattern " + pattern);
  }

  private static String role(String function) {
    Resource role = stack.resource("AWS::IAM::Role", function + "Role");
    return "arn:aws:iam::" + ACCOUNT + ":role/" + role.id();
  }
}
