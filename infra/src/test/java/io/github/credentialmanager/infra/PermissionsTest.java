package io.github.credentialmanager.infra;

import static io.github.credentialmanager.infra.SynthesizedStack.ACCOUNT;
import static io.github.credentialmanager.infra.SynthesizedStack.REGION;
import static io.github.credentialmanager.infra.SynthesizedStack.arn;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.credentialmanager.infra.IamEvaluator.Request;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awscdk.services.iam.AccountPrincipal;
import software.amazon.awscdk.services.iam.ArnPrincipal;
import software.amazon.awscdk.services.iam.IGrantable;
import software.amazon.awscdk.services.iam.Role;
import software.amazon.awscdk.services.iam.ServicePrincipal;

/** Who may do what, decided on the synthesised policies. */
@RequiresNode
class PermissionsTest {
  private static SynthesizedStack stack;
  private static IamEvaluator iam;

  @BeforeAll
  static void synthesise() {
    stack =
        SynthesizedStack.of(
            CredentialManagerProps.builder().build(),
            (scope, credentialManager) -> {
              for (Operation operation : Operation.values()) {
                grant(
                    credentialManager,
                    operation,
                    Role.Builder.create(scope, "Caller" + operation.constructId() + "Role")
                        .assumedBy(new ServicePrincipal("ec2.amazonaws.com"))
                        .build());
                grant(credentialManager, operation, new ArnPrincipal(foreignCaller(operation)));
              }
              Role.Builder.create(scope, "CallerWithoutGrant")
                  .assumedBy(new ServicePrincipal("ec2.amazonaws.com"))
                  .build();
            });
    iam = IamEvaluator.of(stack);
  }

  /** Anew, because tests add what other accounts permit. */
  @BeforeEach
  void readPolicies() {
    iam = IamEvaluator.of(stack);
  }

  private static void grant(
      CredentialManager credentialManager, Operation operation, IGrantable grantee) {
    switch (operation) {
      case GET_APP_TOKEN -> credentialManager.grantGetAppToken(grantee);
      case GET_INSTALLATION_TOKEN -> credentialManager.grantGetInstallationAccessToken(grantee);
      case REFRESH_CACHED_DATA -> credentialManager.grantRefreshCachedData(grantee);
      case GET_INSTALLATION_DATA -> credentialManager.grantGetInstallationRecord(grantee);
      case GET_INSTALLATIONS -> credentialManager.grantGetInstallations(grantee);
    }
  }

  private static String foreignCaller(Operation operation) {
    return "arn:aws:iam::22222222222" + operation.ordinal() + ":role/" + operation;
  }

  /**
   * Callers of the account itself: what they may do comes from the grant's policy on their role.
   */
  @Nested
  class CallersOfTheAccount {
    @ParameterizedTest
    @EnumSource
    void useTheUrlTheyWereGrantedAndNothingElse(Operation granted) {
      assertOnlyByUrl(role("Caller" + granted.constructId() + "Role"), granted);
    }

    @Test
    void useNothingWithoutAGrant() {
      assertOnlyByUrl(role("CallerWithoutGrant"), null);
    }
  }

  /** Callers of other accounts: both the function's policy and their own must permit. */
  @Nested
  class CallersOfOtherAccounts {
    @ParameterizedTest
    @EnumSource
    void useTheUrlTheyWereGrantedWithTheDocumentedPolicy(Operation granted) throws Exception {
      iam.identityPolicies.put(foreignCaller(granted), documentedCallerPolicy(endpoint(granted)));
      assertOnlyByUrl(foreignCaller(granted), granted);
    }

    @ParameterizedTest
    @EnumSource
    void useNothingElseWhateverTheirOwnAccountPermits(Operation granted) throws Exception {
      iam.identityPolicies.put(foreignCaller(granted), everything());
      assertOnlyByUrl(foreignCaller(granted), granted);
    }

    @ParameterizedTest
    @EnumSource
    void useNothingUntilTheirOwnAccountPermits(Operation granted) {
      iam.identityPolicies.remove(foreignCaller(granted));
      assertOnlyByUrl(foreignCaller(granted), null);
    }

    @Test
    void useNothingWithoutAGrant() throws Exception {
      String stranger = "arn:aws:iam::999999999999:role/stranger";
      iam.identityPolicies.put(stranger, everything());
      assertOnlyByUrl(stranger, null);
    }

    @ParameterizedTest
    @EnumSource
    void areMadeKnownToTheServerOfThatOperationAlone(Operation granted) {
      SynthesizedStack.Resource function =
          stack.resource("AWS::Lambda::Function", granted.constructId() + "Function");
      assertThat(
              function.properties().at("/Environment/Variables/ALLOWED_CALLER_ACCOUNTS").asText())
          .isEqualTo(foreignCaller(granted).split(":", -1)[4]);
    }

    /** However those of another account are named, both sides of the grant follow. */
    @ParameterizedTest
    @ValueSource(strings = {"ACCOUNT", "ARN", "IMPORTED_ROLE"})
    void mayBeNamedInAnyWay(String way) {
      SynthesizedStack service =
          SynthesizedStack.of(
              CredentialManagerProps.builder().build(),
              (scope, credentialManager) ->
                  credentialManager.grantGetAppToken(
                      switch (way) {
                        case "ACCOUNT" -> new AccountPrincipal("222222222222");
                        case "ARN" -> new ArnPrincipal("arn:aws:iam::222222222222:role/path/r");
                        default ->
                            Role.fromRoleArn(
                                scope, "Role", "arn:aws:iam::222222222222:role/path/r");
                      }));
      assertThat(service.resources("AWS::Lambda::Permission"))
          .extracting(permission -> permission.properties().path("Principal").asText())
          .filteredOn(principal -> principal.contains("222222222222"))
          .hasSize(2);
      assertThat(
              service
                  .resource("AWS::Lambda::Function", "GetAppTokenFunction")
                  .properties()
                  .at("/Environment/Variables/ALLOWED_CALLER_ACCOUNTS")
                  .asText())
          .isEqualTo("222222222222");
    }

    private List<JsonNode> everything() throws IOException {
      return IamEvaluator.statements(
          new ObjectMapper()
              .readTree(
                  """
                  {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
                  """));
    }
  }

  /** For each endpoint: by its URL if granted; never by Lambda's API, whatever is addressed. */
  private static void assertOnlyByUrl(String caller, @Nullable Operation granted) {
    for (Operation operation : Operation.values()) {
      String alias = endpoint(operation);
      assertThat(mayUseUrl(caller, alias))
          .as("%s on the URL of %s", caller, operation)
          .isEqualTo(operation == granted);

      String function = alias.substring(0, alias.lastIndexOf(':'));
      for (String target : List.of(alias, function, function + ":1", function + ":$LATEST")) {
        for (Map<String, String> direct :
            List.of(Map.<String, String>of(), Map.of("lambda:InvokedViaFunctionUrl", "false"))) {
          assertThat(iam.allows(new Request(caller, "lambda:InvokeFunction", target, direct)))
              .as("%s invoking %s directly", caller, target)
              .isFalse();
        }
        assertThat(
                iam.allows(
                    new Request(
                        caller,
                        "lambda:InvokeFunctionUrl",
                        target,
                        Map.of("lambda:FunctionUrlAuthType", "NONE"))))
            .as("%s on a URL of %s that asks for no signature", caller, target)
            .isFalse();
      }
    }
  }

  /** Lambda asks IAM twice for a call of a Function URL. */
  private static boolean mayUseUrl(String caller, String alias) {
    return iam.allows(
            new Request(
                caller,
                "lambda:InvokeFunctionUrl",
                alias,
                Map.of("lambda:FunctionUrlAuthType", "AWS_IAM")))
        && iam.allows(
            new Request(
                caller,
                "lambda:InvokeFunction",
                alias,
                Map.of("lambda:InvokedViaFunctionUrl", "true")));
  }

  /** Of the seven functions. */
  @Nested
  class Functions {
    private final Map<String, String> signing =
        Map.of(
            "aws:ResourceTag/FrameworkForGitHubAppOnAwsManaged", "true",
            "aws:ResourceTag/Status", "Active",
            "kms:SigningAlgorithm", "RSASSA_PKCS1_V1_5_SHA_256",
            "kms:MessageType", "DIGEST");
    private final String key = arn("kms", "key/1234");

    @Test
    void onlyThoseThatSpeakAsTheAppMaySign() {
      assertThat(functionsThatMay("kms:Sign", key, signing))
          .containsExactlyInAnyOrder(
              "GetAppToken",
              "GetInstallationToken",
              "RefreshCachedData",
              "InstallationTracker",
              "RateLimitTracker");
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "aws:ResourceTag/FrameworkForGitHubAppOnAwsManaged=CredentialManager",
          "aws:ResourceTag/Status=Inactive",
          "aws:ResourceTag/Status=Failed",
          "kms:SigningAlgorithm=RSASSA_PSS_SHA_256",
          "kms:MessageType=RAW"
        })
    void noneMaySignWithAnotherKeyOrAnythingElse(String deviation) {
      Map<String, String> context = new HashMap<>(signing);
      context.put(deviation.split("=", 2)[0], deviation.split("=", 2)[1]);
      assertThat(functionsThatMay("kms:Sign", key, context)).isEmpty();
      context.remove(deviation.split("=", 2)[0]);
      assertThat(functionsThatMay("kms:Sign", key, context)).isEmpty();
    }

    @Test
    void noneMaySignInAnotherAccountOrRegion() {
      String elsewhere = key.replace(ACCOUNT, "222222222222");
      iam.resourcePolicies.put(elsewhere, allowEverybody());
      assertThat(functionsThatMay("kms:Sign", elsewhere, signing)).isEmpty();
      assertThat(functionsThatMay("kms:Sign", key.replace(REGION, "us-east-1"), signing)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "kms:CreateGrant",
          "kms:Decrypt",
          "kms:DisableKey",
          "kms:GetParametersForImport",
          "kms:ImportKeyMaterial",
          "kms:PutKeyPolicy",
          "kms:ScheduleKeyDeletion",
          "kms:TagResource",
          "kms:UntagResource",
          "kms:UpdateAlias"
        })
    void noneMayDoAnythingElseWithAKey(String action) {
      assertThat(functionsThatMay(action, key, signing)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "BatchWriteItem",
          "DeleteItem",
          "DeleteTable",
          "PartiQLDelete",
          "PartiQLInsert",
          "PartiQLUpdate",
          "PutItem",
          "PutResourcePolicy",
          "RestoreTableToPointInTime",
          "UpdateItem",
          "UpdateTable"
        })
    void noneMayPointAnAppToAnotherKey(String action) {
      assertThat(functionsThatMay("dynamodb:" + action, table("AppTable"), Map.of())).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"PutItem", "DeleteItem"})
    void onlyTheReconcilersMayWriteInstallations(String action) {
      assertThat(functionsThatMay("dynamodb:" + action, table("AppInstallationTable"), Map.of()))
          .containsExactlyInAnyOrder("RefreshCachedData", "InstallationTracker");
    }

    /** They delete an App's rows in a transaction that fails if the App is still there. */
    @Test
    void onlyTheReconcilersMayCheckThatAnAppIsGone() {
      assertThat(functionsThatMay("dynamodb:ConditionCheckItem", table("AppTable"), Map.of()))
          .containsExactlyInAnyOrder("RefreshCachedData", "InstallationTracker");
    }

    /** A transaction is permitted operation by operation, so these are all that a table sees. */
    @Test
    void noneMayDoToATableWhatTheServerDoesNot() throws IOException {
      Map<String, String> classes =
          Map.of(
              "dynamodb:ConditionCheckItem", "model/ConditionCheck$Builder",
              "dynamodb:DeleteItem", "model/Delete$Builder",
              "dynamodb:GetItem", "model/GetItemRequest",
              "dynamodb:PutItem", "model/Put$Builder",
              "dynamodb:Query", "model/QueryRequest",
              "dynamodb:Scan", "model/ScanRequest");
      ServerPackage server = ServerPackage.read();
      assertThat(classes.values())
          .allMatch(name -> server.says("software/amazon/awssdk/services/dynamodb/" + name));
      assertThat(
              iam.identityPolicies.values().stream()
                  .flatMap(List::stream)
                  .flatMap(statement -> IamEvaluator.elements(statement.path("Action")))
                  .map(JsonNode::asText)
                  .filter(action -> action.startsWith("dynamodb:"))
                  .distinct())
          .containsExactlyInAnyOrderElementsOf(classes.keySet());
    }

    @Test
    void thoseThatOnlyReadInstallationsSeeNoApps() {
      assertThat(functionsThatMay("dynamodb:GetItem", table("AppTable"), Map.of()))
          .doesNotContain("GetInstallationData", "GetInstallations");
      assertThat(functionsThatMay("dynamodb:Scan", table("AppTable"), Map.of()))
          .containsExactlyInAnyOrder(
              "RefreshCachedData", "InstallationTracker", "RateLimitTracker");
    }

    @Test
    void noneMayInvokeAFunction() {
      for (Operation operation : Operation.values()) {
        assertThat(
                functionsThatMay(
                    "lambda:InvokeFunction",
                    endpoint(operation),
                    Map.of("lambda:InvokedViaFunctionUrl", "true")))
            .isEmpty();
      }
    }

    @Test
    void eachWritesToItsOwnLogOnly() {
      for (String function : functions()) {
        assertThat(
                functionsThatMay(
                    "logs:PutLogEvents",
                    stack
                        .resolved(stack.resource("AWS::Lambda::Function", function + "Function"))
                        .at("/LoggingConfig/LogGroup")
                        .asText()
                        .transform(log -> arn("logs", "log-group:" + log + ":*")),
                    Map.of()))
            .containsExactly(function);
      }
    }

    @Test
    void noneHasAWildcardForAnAction() {
      assertThat(
              iam.identityPolicies.values().stream()
                  .flatMap(List::stream)
                  .map(statement -> statement.path("Action").toString()))
          .noneMatch(action -> action.contains("*"));
    }

    private Set<String> functionsThatMay(
        String action, String resource, Map<String, String> context) {
      return functions().stream()
          .filter(
              function ->
                  iam.allows(new Request(role(function + "Role"), action, resource, context)))
          .collect(Collectors.toCollection(TreeSet::new));
    }

    private Set<String> functions() {
      return stack.resources("AWS::Lambda::Function").stream()
          .map(function -> function.id().replaceFirst("Function[0-9A-F]{8}$", ""))
          .collect(Collectors.toCollection(TreeSet::new));
    }

    private String table(String prefix) {
      return arn("dynamodb", "table/" + stack.resource("AWS::DynamoDB::Table", prefix).id());
    }

    private List<JsonNode> allowEverybody() {
      return IamEvaluator.statements(
          new ObjectMapper()
              .valueToTree(
                  Map.of(
                      "Statement",
                      Map.of(
                          "Effect", "Allow",
                          "Action", "*",
                          "Resource", "*",
                          "Principal", "*"))));
    }
  }

  private static String role(String prefix) {
    return "arn:aws:iam::" + ACCOUNT + ":role/" + stack.resource("AWS::IAM::Role", prefix).id();
  }

  private static String endpoint(Operation operation) {
    return arn(
        "lambda",
        "function:"
            + stack.resource("AWS::Lambda::Function", operation.constructId() + "Function").id()
            + ":live");
  }

  /** The policy that OPERATIONS.md hands to the owners of other accounts. */
  private static List<JsonNode> documentedCallerPolicy(String functionArn) throws IOException {
    return IamEvaluator.statements(
        new ObjectMapper()
            .readTree(
                OperationsGuide.block("policy of a caller").replace("FUNCTION_ARN", functionArn)));
  }
}
