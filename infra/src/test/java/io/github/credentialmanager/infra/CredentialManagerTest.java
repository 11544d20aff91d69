package io.github.credentialmanager.infra;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.credentialmanager.infra.SynthesizedStack.Resource;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awscdk.App;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.services.sns.Topic;

/** The nested stack as it is when nothing is said. */
@RequiresNode
class CredentialManagerTest {
  private static SynthesizedStack stack;

  @BeforeAll
  static void synthesise() {
    stack = SynthesizedStack.of(CredentialManagerProps.builder().build());
  }

  @Test
  void givesNoResourceAFixedName() {
    Set<String> names =
        Set.of(
            "AlarmName",
            "DashboardName",
            "FunctionName",
            "LogGroupName",
            "Name",
            "QueueName",
            "RoleName",
            "TableName");
    for (JsonNode resource : stack.template().path("Resources")) {
      String type = resource.path("Type").asText();
      if (type.equals("AWS::Lambda::Alias") || !type.matches("AWS::(\\w+)::(\\w+)")) {
        continue; // An alias is named within its function.
      }
      resource
          .path("Properties")
          .properties()
          .forEach(
              property ->
                  assertThat(names.contains(property.getKey()) && property.getValue().isTextual())
                      .as("%s has a fixed %s", type, property)
                      .isFalse());
    }
  }

  /** Nor does one stand in another's way inside one stack, alarms and dashboards included. */
  @Test
  void fitsAStackTwice() {
    App app = new App();
    Stack both = new Stack(app, "Test");
    Topic topic = new Topic(both, "Topic");
    List<String> namespaces = new ArrayList<>();
    for (String id : List.of("One", "Two")) {
      CredentialManager one = new CredentialManager(both, id);
      one.addAlarms(topic);
      one.addDashboard();
      one.rateLimitDashboard(10);
      namespaces.add(one.getStackName());
    }
    app.synth();
    assertThat(namespaces).doesNotHaveDuplicates();
  }

  /** China and GovCloud have partitions of their own. */
  @Test
  void namesNoPartition() {
    assertThat(stack.template().toString()).doesNotContain("arn:aws");
  }

  @Test
  void isTaggedSoThatToolsFindIt() {
    for (String type :
        List.of("AWS::DynamoDB::Table", "AWS::Lambda::Function", "AWS::CloudFormation::Stack")) {
      assertThat(stack.resources(type)).isNotEmpty();
      assertThat(stack.resources(type))
          .allSatisfy(
              resource ->
                  assertThat(stack.tags(resource))
                      .containsEntry("FrameworkForGitHubAppOnAwsManaged", "CredentialManager"));
    }
  }

  /** The two tables. */
  @Nested
  class Tables {
    @ParameterizedTest
    @CsvSource({"AppTable,AppTable", "AppInstallationTable,AppInstallationTable"})
    void areKeptEncryptedAndRecoverable(String prefix, String tag) {
      Resource table = stack.resource("AWS::DynamoDB::Table", prefix);
      JsonNode properties = table.properties();
      assertThat(table.definition().path("DeletionPolicy").asText()).isEqualTo("Retain");
      assertThat(table.definition().path("UpdateReplacePolicy").asText()).isEqualTo("Retain");
      assertThat(properties.path("DeletionProtectionEnabled").asBoolean()).isTrue();
      assertThat(properties.at("/SSESpecification/SSEEnabled").asBoolean()).isTrue();
      assertThat(
              properties
                  .at("/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled")
                  .asBoolean())
          .isTrue();
      assertThat(properties.path("BillingMode").asText()).isEqualTo("PAY_PER_REQUEST");
      assertThat(stack.tags(table)).containsEntry("CredentialManager", tag);
    }

    @Test
    void haveTheKeysOfTheTypeScriptConstruct() {
      assertThat(keys(stack.resource("AWS::DynamoDB::Table", "AppTable").properties()))
          .isEqualTo("AppId HASH");
      JsonNode installations =
          stack.resource("AWS::DynamoDB::Table", "AppInstallationTable").properties();
      assertThat(keys(installations)).isEqualTo("AppId HASH, NodeId RANGE");
      assertThat(installations.path("GlobalSecondaryIndexes"))
          .extracting(index -> index.path("IndexName").asText() + ": " + keys(index))
          .containsExactlyInAnyOrder(
              "NodeID: NodeId HASH, AppId RANGE",
              "InstallationID: InstallationId HASH, AppId RANGE");
      assertThat(installations.path("AttributeDefinitions"))
          .extracting(
              definition ->
                  definition.path("AttributeName").asText()
                      + " "
                      + definition.path("AttributeType").asText())
          .containsExactlyInAnyOrder("AppId N", "NodeId S", "InstallationId N");
    }

    /** Read off a stack of the TypeScript construct: updating it must not replace its tables. */
    @Test
    void haveTheLogicalIdsOfTheTypeScriptConstruct() {
      assertThat(stack.resources("AWS::DynamoDB::Table"))
          .extracting(Resource::id)
          .containsExactly("AppTable815C50BC", "AppInstallationTableA0A9C84B");
      assertThat(stack.resources("AWS::CloudFormation::Stack"))
          .extracting(Resource::id)
          .containsExactly(
              "CredentialManagerNestedStackCredentialManagerNestedStackResource341E8524");
    }

    private String keys(JsonNode properties) {
      StringBuilder keys = new StringBuilder();
      for (JsonNode key : properties.path("KeySchema")) {
        keys.append(keys.isEmpty() ? "" : ", ")
            .append(key.path("AttributeName").asText())
            .append(' ')
            .append(key.path("KeyType").asText());
      }
      return keys.toString();
    }
  }

  /** The seven functions. */
  @Nested
  class Functions {
    @Test
    void runOnJava25FromOneArtifact() {
      List<JsonNode> functions = functions();
      assertThat(functions).hasSize(7);
      assertThat(functions)
          .allSatisfy(
              function -> {
                assertThat(function.path("Runtime").asText()).isEqualTo("java25");
                assertThat(function.path("Architectures"))
                    .extracting(JsonNode::asText)
                    .containsExactly("arm64");
                assertThat(function.path("MemorySize").asInt()).isEqualTo(1024);
                assertThat(function.has("VpcConfig")).isFalse();
                assertThat(function.has("TracingConfig")).isFalse();
                assertThat(function.at("/LoggingConfig/LogFormat").asText()).isEqualTo("JSON");
              });
      assertThat(functions)
          .extracting(function -> function.path("Code").toString())
          .containsOnly(functions.get(0).path("Code").toString());
    }

    /** The server answers within 10 seconds, whatever hangs; Lambda must not end it before. */
    @Test
    void haveTimeToAnswer() {
      for (Operation operation : Operation.values()) {
        JsonNode function = function(operation.constructId());
        assertThat(function.path("Timeout").asInt()).isEqualTo(20);
        assertThat(function.has("ReservedConcurrentExecutions")).isFalse();
      }
      assertThat(function("InstallationTracker").path("Timeout").asInt()).isEqualTo(300);
      assertThat(function("RateLimitTracker").path("Timeout").asInt()).isEqualTo(300);
    }

    private JsonNode function(String id) {
      return stack.resource("AWS::Lambda::Function", id + "Function").properties();
    }

    @Test
    void areReachedThroughAnAliasOfASnapshottedVersion() {
      assertThat(functions())
          .allSatisfy(
              function ->
                  assertThat(function.at("/SnapStart/ApplyOn").asText())
                      .isEqualTo("PublishedVersions"));
      List<Resource> aliases = stack.resources("AWS::Lambda::Alias");
      assertThat(aliases).hasSize(7);
      assertThat(aliases)
          .allSatisfy(
              alias ->
                  assertThat(alias.properties().at("/FunctionVersion/Fn::GetAtt/0").asText())
                      .contains("CurrentVersion"));
    }

    @Test
    void haveHandlersThatThePackageContains() throws IOException {
      ServerPackage server = ServerPackage.read();
      assertThat(functions())
          .allSatisfy(
              function ->
                  assertThat(server.hasClass(function.path("Handler").asText()))
                      .as("%s", function.path("Handler"))
                      .isTrue());
    }

    @Test
    void fitTheBudget() throws IOException {
      long size = ServerPackage.read().size();
      System.out.printf("The functions' package: %.1f MB%n", size / 1e6);
      assertThat(size).isLessThanOrEqualTo(15_000_000);
    }

    @Test
    void keepTheirLogsForAYear() {
      assertThat(stack.resources("AWS::Logs::LogGroup")).hasSize(7);
      assertThat(stack.resources("AWS::Logs::LogGroup"))
          .allSatisfy(
              log -> {
                assertThat(log.properties().path("RetentionInDays").asInt()).isEqualTo(365);
                assertThat(log.definition().path("DeletionPolicy").asText()).isEqualTo("Retain");
              });
    }

    @ParameterizedTest
    @ValueSource(strings = {"InstallationTracker", "RateLimitTracker"})
    void thatAreScheduledRunOneAtATimeAndLoseNoFailure(String tracker) {
      JsonNode function =
          stack.resource("AWS::Lambda::Function", tracker + "Function").properties();
      assertThat(function.path("ReservedConcurrentExecutions").asInt()).isEqualTo(1);

      String queue = SynthesizedStack.arn("sqs", stack.resource("AWS::SQS::Queue", "").id());
      JsonNode invocation =
          stack.resolved(stack.resource("AWS::Lambda::EventInvokeConfig", tracker));
      assertThat(invocation.path("Qualifier").asText()).isEqualTo("live");
      assertThat(invocation.path("MaximumRetryAttempts").asInt()).isEqualTo(1);
      assertThat(invocation.path("MaximumEventAgeInSeconds").asInt()).isEqualTo(600);
      assertThat(invocation.at("/DestinationConfig/OnFailure/Destination").asText())
          .isEqualTo(queue);

      JsonNode target =
          stack.resolved(stack.resource("AWS::Events::Rule", tracker)).at("/Targets/0");
      assertThat(target.path("Arn").asText()).endsWith(":live");
      assertThat(target.at("/DeadLetterConfig/Arn").asText()).isEqualTo(queue);
      assertThat(target.at("/RetryPolicy/MaximumEventAgeInSeconds").asInt()).isEqualTo(600);
    }

    @ParameterizedTest
    @CsvSource({
      "InstallationTracker,rate(30 minutes)",
      "RateLimitTracker,rate(10 minutes)",
    })
    void thatAreScheduledRunInTime(String tracker, String schedule) {
      assertThat(
              stack
                  .resource("AWS::Events::Rule", tracker)
                  .properties()
                  .path("ScheduleExpression")
                  .asText())
          .isEqualTo(schedule);
    }

    private List<JsonNode> functions() {
      return stack.resources("AWS::Lambda::Function").stream().map(Resource::properties).toList();
    }
  }

  /** The five Function URLs. */
  @Nested
  class FunctionUrls {
    @Test
    void askForASignatureAndServeNoBrowser() {
      List<Resource> urls = stack.resources("AWS::Lambda::Url");
      assertThat(urls).hasSize(5);
      assertThat(urls)
          .allSatisfy(
              url -> {
                assertThat(url.properties().path("AuthType").asText()).isEqualTo("AWS_IAM");
                assertThat(url.properties().path("Qualifier").asText()).isEqualTo("live");
                assertThat(url.properties().has("Cors")).isFalse();
              });
    }

    @ParameterizedTest
    @CsvSource({
      "GetAppToken,AppTokenEndpoint",
      "GetInstallationToken,InstallationAccessTokenEndpoint",
      "RefreshCachedData,RefreshCachedDataEndpoint",
      "GetInstallationData,InstallationCachedDataEndpoint",
      "GetInstallations,InstallationsEndpoint",
    })
    void areFoundByTheTagsOfTheirFunctions(String operation, String tag) {
      assertThat(stack.tags(stack.resource("AWS::Lambda::Function", operation + "Function")))
          .containsEntry("CredentialManager", tag);
    }

    @Test
    void nobodyMayCallBeforeAGrant() {
      assertThat(stack.resources("AWS::Lambda::Permission"))
          .extracting(permission -> permission.properties().path("Principal").asText())
          .containsOnly("events.amazonaws.com");
    }
  }

  /** The variables that the server's README says each of them reads, and no other. */
  @ParameterizedTest
  @CsvSource({
    "GetAppToken,GITHUB_API_URL",
    "GetInstallationToken,GITHUB_API_URL",
    "RefreshCachedData,GITHUB_API_URL",
    "GetInstallationData,",
    "GetInstallations,",
    "InstallationTracker,GITHUB_API_URL",
    "RateLimitTracker,GITHUB_API_URL RATE_LIMIT_CATEGORIES",
  })
  void tellsEachFunctionWhatItReads(String function, @Nullable String besidesTheTables)
      throws IOException {
    JsonNode variables =
        stack
            .resolved(stack.resource("AWS::Lambda::Function", function + "Function"))
            .at("/Environment/Variables");
    Set<String> names = new TreeSet<>(Set.of("APP_TABLE_NAME", "INSTALLATION_TABLE_NAME"));
    if (besidesTheTables != null) {
      names.addAll(List.of(besidesTheTables.split(" ", -1)));
    }
    assertThat(variables.fieldNames()).toIterable().containsExactlyInAnyOrderElementsOf(names);
    assertThat(names).allMatch(ServerPackage.read()::says);
    assertThat(variables.path("APP_TABLE_NAME").asText()).isEqualTo("AppTable815C50BC");
    assertThat(variables.path("INSTALLATION_TABLE_NAME").asText())
        .isEqualTo("AppInstallationTableA0A9C84B");
    assertThat(variables.path("GITHUB_API_URL").asText("https://api.github.com"))
        .isEqualTo("https://api.github.com");
    assertThat(variables.path("RATE_LIMIT_CATEGORIES").asText("core,graphql,search"))
        .isEqualTo("core,graphql,search");
  }
}
