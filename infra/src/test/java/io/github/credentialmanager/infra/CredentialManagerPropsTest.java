package io.github.credentialmanager.infra;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.credentialmanager.infra.SynthesizedStack.Resource;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awscdk.App;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.RemovalPolicy;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.services.dynamodb.Table;
import software.amazon.awscdk.services.dynamodb.TableAttributes;
import software.amazon.awscdk.services.ec2.SecurityGroup;
import software.amazon.awscdk.services.ec2.SubnetSelection;
import software.amazon.awscdk.services.ec2.Vpc;
import software.amazon.awscdk.services.events.Schedule;
import software.amazon.awscdk.services.iam.AccountPrincipal;
import software.amazon.awscdk.services.kms.Key;
import software.amazon.awscdk.services.lambda.Architecture;
import software.amazon.awscdk.services.logs.RetentionDays;

@RequiresNode
class CredentialManagerPropsTest {

  /** Everything said otherwise. */
  @Nested
  class WhenSaidOtherwise {
    private static SynthesizedStack stack;

    @BeforeAll
    static void synthesise() {
      Stack scope = new Stack(new App(), "Test");
      Key key = Key.Builder.create(scope, "Key").build();
      stack =
          SynthesizedStack.in(
              scope,
              CredentialManagerProps.builder()
                  .tableRemovalPolicy(RemovalPolicy.DESTROY)
                  .tableDeletionProtection(false)
                  .pointInTimeRecovery(false)
                  .tableEncryptionKey(key)
                  .logEncryptionKey(key)
                  .logRetention(RetentionDays.TWO_YEARS)
                  .logRemovalPolicy(RemovalPolicy.DESTROY)
                  .architecture(Architecture.X86_64)
                  .memorySize(2048)
                  .reservedConcurrency(Operation.GET_APP_TOKEN, 0)
                  .reserveTrackerConcurrency(false)
                  .tracing(true)
                  .gitHubApiUrl("https://github.example.com/api/v3")
                  .installationTrackerSchedule(Schedule.rate(Duration.hours(1)))
                  .rateLimitTrackerSchedule(
                      Schedule.cron(
                          software.amazon.awscdk.services.events.CronOptions.builder()
                              .minute("5")
                              .build()))
                  .rateLimitCategories(List.of("core"))
                  .callerPolicy(
                      """
                      { "statements" : [
                        {"account": "111122223333", "role": "Builder", "appIds": [1001]} ] }
                      """)
                  .callerAccounts(List.of("222222222222"))
                  .vpc(Vpc.Builder.create(scope, "Vpc").build())
                  .build());
    }

    @Test
    void tablesFollow() {
      for (Resource table : stack.resources("AWS::DynamoDB::Table")) {
        assertThat(table.definition().path("DeletionPolicy").asText()).isEqualTo("Delete");
        assertThat(table.properties().path("DeletionProtectionEnabled").asBoolean()).isFalse();
        assertThat(
                table
                    .properties()
                    .at("/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled")
                    .asBoolean())
            .isFalse();
        assertThat(stack.resolved(table).at("/SSESpecification/KMSMasterKeyId").asText())
            .startsWith("arn:aws:kms:");
      }
    }

    @Test
    void logsFollow() {
      for (Resource log : stack.resources("AWS::Logs::LogGroup")) {
        assertThat(log.definition().path("DeletionPolicy").asText()).isEqualTo("Delete");
        assertThat(log.properties().path("RetentionInDays").asInt()).isEqualTo(731);
        assertThat(stack.resolved(log).path("KmsKeyId").asText()).startsWith("arn:aws:kms:");
      }
    }

    @Test
    void cloudWatchLogsMayUseTheKeyForLogsOfThisAccountOnly() {
      JsonNode policy =
          stack.resolved(stack.resource("AWS::KMS::Key", "Key")).at("/KeyPolicy/Statement");
      assertThat(policy)
          .filteredOn(statement -> statement.path("Sid").asText().equals("EncryptLogs"))
          .singleElement()
          .satisfies(
              statement -> {
                assertThat(statement.at("/Principal/Service").asText())
                    .isEqualTo("logs.eu-central-1.amazonaws.com");
                assertThat(
                        statement
                            .path("Condition")
                            .path("ArnLike")
                            .path("kms:EncryptionContext:aws:logs:arn")
                            .asText())
                    .isEqualTo("arn:aws:logs:eu-central-1:111111111111:log-group:*");
              });
    }

    @Test
    void functionsFollow() {
      for (Resource function : stack.resources("AWS::Lambda::Function")) {
        JsonNode properties = stack.resolved(function);
        assertThat(properties.at("/Architectures/0").asText()).isEqualTo("x86_64");
        assertThat(properties.path("MemorySize").asInt()).isEqualTo(2048);
        assertThat(properties.at("/TracingConfig/Mode").asText()).isEqualTo("Active");
        assertThat(properties.at("/VpcConfig/SubnetIds")).isNotEmpty();
        assertThat(
                properties
                    .at("/Environment/Variables")
                    .path("GITHUB_API_URL")
                    .asText("https://github.example.com/api/v3"))
            .isEqualTo("https://github.example.com/api/v3");
      }
    }

    @Test
    void anOperationCanBeSwitchedOff() {
      assertThat(function("GetAppToken").path("ReservedConcurrentExecutions").asInt(-1)).isZero();
      assertThat(function("GetInstallationToken").has("ReservedConcurrentExecutions")).isFalse();
    }

    @Test
    void trackersNeedNotReserveConcurrency() {
      assertThat(function("InstallationTracker").has("ReservedConcurrentExecutions")).isFalse();
    }

    @Test
    void endpointsLearnTheCallersAccounts() {
      for (Operation operation : Operation.values()) {
        assertThat(variable(operation.constructId(), "ALLOWED_CALLER_ACCOUNTS"))
            .isEqualTo("222222222222");
      }
    }

    @ParameterizedTest
    @ValueSource(strings = {"GetAppToken", "GetInstallationToken"})
    void thoseThatVendLearnTheCallerPolicy(String function) {
      assertThat(variable(function, "CALLER_POLICY"))
          .isEqualTo(
              "{\"statements\":[{\"account\":\"111122223333\",\"role\":\"Builder\",\"appIds\":[1001]}]}");
    }

    @Test
    void theRateLimitTrackerLearnsItsCategories() {
      assertThat(variable("RateLimitTracker", "RATE_LIMIT_CATEGORIES")).isEqualTo("core");
    }

    private String variable(String function, String name) {
      return function(function).at("/Environment/Variables").path(name).asText();
    }

    @Test
    void schedulesFollow() {
      assertThat(stack.resources("AWS::Events::Rule"))
          .extracting(rule -> rule.properties().path("ScheduleExpression").asText())
          .containsExactlyInAnyOrder("rate(1 hour)", "cron(5 * * * ? *)");
    }

    @Test
    void rolesMayUseTheTablesKeyThroughDynamoDbOnly() {
      IamEvaluator iam = IamEvaluator.of(stack);
      String role =
          "arn:aws:iam::111111111111:role/"
              + stack.resource("AWS::IAM::Role", "GetAppTokenRole").id();
      String key =
          SynthesizedStack.arn("kms", "key/" + stack.resource("AWS::KMS::Key", "Key").id());
      assertThat(
              iam.allows(
                  new IamEvaluator.Request(
                      role,
                      "kms:Decrypt",
                      key,
                      Map.of("kms:ViaService", "dynamodb.eu-central-1.amazonaws.com"))))
          .isTrue();
      assertThat(iam.allows(new IamEvaluator.Request(role, "kms:Decrypt", key))).isFalse();
    }

    @Test
    void codeInsideTheNetworkMayNotTouchTheNetwork() {
      IamEvaluator iam = IamEvaluator.of(stack);
      String role =
          "arn:aws:iam::111111111111:role/"
              + stack.resource("AWS::IAM::Role", "GetAppTokenRole").id();
      String anInterface = SynthesizedStack.arn("ec2", "network-interface/eni-1");
      assertThat(
              iam.allows(new IamEvaluator.Request(role, "ec2:CreateNetworkInterface", anInterface)))
          .isTrue();
      assertThat(
              iam.allows(
                  new IamEvaluator.Request(
                      role,
                      "ec2:CreateNetworkInterface",
                      anInterface,
                      Map.of("lambda:SourceFunctionArn", SynthesizedStack.arn("lambda", "f")))))
          .isFalse();
    }

    private JsonNode function(String id) {
      return stack.resource("AWS::Lambda::Function", id + "Function").properties();
    }
  }

  @Test
  void rateLimitsNeedNotBeMeasured() {
    SynthesizedStack without =
        SynthesizedStack.of(CredentialManagerProps.builder().rateLimitTracking(false).build());
    assertThat(
            without
                .resource("AWS::Events::Rule", "RateLimitTracker")
                .properties()
                .path("State")
                .asText())
        .isEqualTo("DISABLED");
    assertThat(
            without
                .resource("AWS::Events::Rule", "InstallationTracker")
                .properties()
                .path("State")
                .asText())
        .isEqualTo("ENABLED");
  }

  @Test
  void theNetworksPartsCanBeChosen() {
    Stack scope = new Stack(new App(), "Test");
    Vpc vpc = Vpc.Builder.create(scope, "Vpc").maxAzs(1).build();
    SecurityGroup group = SecurityGroup.Builder.create(scope, "Group").vpc(vpc).build();
    SynthesizedStack inside =
        SynthesizedStack.in(
            scope,
            CredentialManagerProps.builder()
                .vpc(vpc)
                .vpcSubnets(SubnetSelection.builder().subnets(vpc.getPrivateSubnets()).build())
                .securityGroups(List.of(group))
                .build());
    assertThat(inside.resources("AWS::EC2::SecurityGroup")).hasSize(1);
    assertThat(inside.resources("AWS::Lambda::Function"))
        .allSatisfy(
            function -> {
              assertThat(inside.resolved(function).at("/VpcConfig/SubnetIds")).hasSize(1);
              assertThat(inside.resolved(function).at("/VpcConfig/SecurityGroupIds")).hasSize(1);
            });
  }

  /** Tables of an earlier deployment. */
  @Nested
  class WhenTablesAreAdopted {
    private static SynthesizedStack stack;

    @BeforeAll
    static void synthesise() {
      Stack scope = new Stack(new App(), "Test");
      stack =
          SynthesizedStack.in(
              scope,
              CredentialManagerProps.builder()
                  .appTable(Table.fromTableArn(scope, "Apps", table("old-apps")))
                  .installationTable(
                      Table.fromTableAttributes(
                          scope,
                          "Installations",
                          TableAttributes.builder()
                              .tableArn(table("old-installations"))
                              .encryptionKey(
                                  Key.fromKeyArn(
                                      scope, "Key", SynthesizedStack.arn("kms", "key/old")))
                              .build()))
                  .build());
    }

    private static String table(String name) {
      return SynthesizedStack.arn("dynamodb", "table/" + name);
    }

    @Test
    void noneIsMade() {
      assertThat(stack.resources("AWS::DynamoDB::Table")).isEmpty();
    }

    @Test
    void functionsUseThem() {
      assertThat(stack.resources("AWS::Lambda::Function"))
          .allSatisfy(
              function -> {
                JsonNode variables = stack.resolved(function).at("/Environment/Variables");
                assertThat(variables.path("APP_TABLE_NAME").asText()).isEqualTo("old-apps");
                assertThat(variables.path("INSTALLATION_TABLE_NAME").asText())
                    .isEqualTo("old-installations");
              });
    }

    @Test
    void rolesMayUseThemAndTheirKey() {
      IamEvaluator iam = IamEvaluator.of(stack);
      String role =
          "arn:aws:iam::111111111111:role/"
              + stack.resource("AWS::IAM::Role", "GetInstallationDataRole").id();
      assertThat(
              iam.allows(
                  new IamEvaluator.Request(
                      role, "dynamodb:Query", table("old-installations") + "/index/NodeID")))
          .isTrue();
      assertThat(
              iam.allows(
                  new IamEvaluator.Request(
                      role,
                      "kms:Decrypt",
                      SynthesizedStack.arn("kms", "key/old"),
                      Map.of("kms:ViaService", "dynamodb.eu-central-1.amazonaws.com"))))
          .isTrue();
    }
  }

  /** Values that cannot work. */
  @Nested
  class WhenWrong {
    private final CredentialManagerProps.Builder builder = CredentialManagerProps.builder();

    @ParameterizedTest
    @ValueSource(
        strings = {
          "http://github.example.com/api/v3",
          "github.example.com",
          "https://user:secret@github.example.com/",
          "https://github.example.com/?a=b",
          "https://github.example.com/#a"
        })
    void anApiRootIsRefused(String url) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> builder.gitHubApiUrl(url))
          .withMessageNotContaining("secret");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{}", "{\"statements\":[]}"})
    void aCallerPolicyIsRefused(String policy) {
      assertThatIllegalArgumentException().isThrownBy(() -> builder.callerPolicy(policy));
    }

    @Test
    void anEnvironmentThatLambdaCannotHoldFailsTheSynthesis() {
      String policy =
          """
          {"statements": [{"account": "111122223333", "role": "Builder", "appIds": [1],
                           "repositoryNames": ["%s"]}]}
          """
              .formatted("x".repeat(3500));
      App app = new App();
      new CredentialManager(
          new Stack(app, "Test"), "CredentialManager", builder.callerPolicy(policy).build());
      assertThatThrownBy(app::synth)
          .hasMessageContaining("GetAppToken")
          .hasMessageContaining("shorten callerPolicy or callerAccounts")
          .hasMessageContaining("4096");
    }

    @Test
    void accountsGrantedLaterCountAsWell() {
      App app = new App();
      CredentialManager credentialManager =
          new CredentialManager(
              new Stack(app, "Test"),
              "CredentialManager",
              builder.callerAccounts(accounts(200_000_000_000L, 265)).build());
      for (String account : accounts(300_000_000_000L, 10)) {
        credentialManager.grantGetInstallations(new AccountPrincipal(account));
      }
      assertThatThrownBy(app::synth)
          .hasMessageContaining("The environment of GetInstallations may take")
          .hasMessageNotContaining("The environment of GetAppToken");
    }

    private static List<String> accounts(long first, int count) {
      return LongStream.range(first, first + count).mapToObj(Long::toString).toList();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "12345678901", "arn:aws:iam::222222222222:root"})
    void anAccountIsRefused(String account) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> builder.callerAccounts(List.of(account)));
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 128, 10_241})
    void aMemorySizeIsRefused(int memorySize) {
      assertThatIllegalArgumentException().isThrownBy(() -> builder.memorySize(memorySize));
    }

    @Test
    void aNegativeConcurrencyIsRefused() {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> builder.reservedConcurrency(Operation.GET_APP_TOKEN, -1));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "Core", "core,search"})
    void aCategoryIsRefused(String category) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> builder.rateLimitCategories(List.of(category)));
    }

    @Test
    void aNetworksPartsAreRefusedWithoutTheNetwork() {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> builder.securityGroups(List.of()).build());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 101, -1})
    void anAlarmThresholdIsRefused(int value) {
      if (value <= 0) {
        assertThatIllegalArgumentException()
            .isThrownBy(() -> AlarmThresholds.builder().tokenServerErrors(value));
        assertThatIllegalArgumentException()
            .isThrownBy(() -> AlarmThresholds.builder().throttles(value));
      }
      if (value != 0) {
        assertThatIllegalArgumentException()
            .isThrownBy(() -> AlarmThresholds.builder().rateLimitRemainingPercent(value));
      }
    }

    @Test
    void aSilenceIsRefused() {
      for (Duration silence :
          List.of(Duration.minutes(4), Duration.seconds(601), Duration.hours(25))) {
        assertThatIllegalArgumentException()
            .isThrownBy(() -> AlarmThresholds.builder().installationTrackerSilence(silence));
      }
    }
  }
}
