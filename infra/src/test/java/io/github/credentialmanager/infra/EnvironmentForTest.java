package io.github.credentialmanager.infra;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.credentialmanager.infra.IamEvaluator.Request;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import software.amazon.awscdk.App;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.assertions.Template;
import software.amazon.awscdk.services.iam.Role;
import software.amazon.awscdk.services.iam.ServicePrincipal;
import software.amazon.awscdk.services.lambda.Code;
import software.amazon.awscdk.services.lambda.Function;
import software.amazon.awscdk.services.lambda.Runtime;

/** {@link CredentialManager#environmentFor}: a consumer's function, ready in one call. */
@RequiresNode
class EnvironmentForTest {
  private static final Map<String, Map<String, String>> RETURNED = new HashMap<>();

  private static SynthesizedStack stack;

  @BeforeAll
  static void synthesise() {
    stack =
        SynthesizedStack.of(
            CredentialManagerProps.builder().build(),
            (scope, credentialManager) -> {
              RETURNED.put("Plain", credentialManager.environmentFor(function(scope, "Plain")));
              RETURNED.put(
                  "Chosen",
                  credentialManager.environmentFor(
                      function(scope, "Chosen"),
                      Operation.GET_APP_TOKEN,
                      Operation.GET_INSTALLATIONS));
            });
  }

  private static Function function(Stack scope, String id) {
    return Function.Builder.create(scope, id)
        .runtime(Runtime.PYTHON_3_13)
        .handler("index.handler")
        .code(Code.fromInline("pass"))
        // The library's own role has a managed policy, which the evaluator does not know.
        .role(
            Role.Builder.create(scope, id + "Role")
                .assumedBy(new ServicePrincipal("lambda.amazonaws.com"))
                .build())
        .build();
  }

  @Test
  void givesInstallationTokensUnlessToldOtherwise() {
    assertThat(variables("Plain").fieldNames())
        .toIterable()
        .containsExactlyInAnyOrder(
            "CREDENTIAL_MANAGER_INSTALLATION_TOKEN_ENDPOINT", "GITHUB_API_URL");
    assertThat(mayUse("Plain")).containsExactly(Operation.GET_INSTALLATION_TOKEN);
  }

  @Test
  void givesTheOperationsThatAreNamed() {
    assertThat(variables("Chosen").fieldNames())
        .toIterable()
        .containsExactlyInAnyOrder(
            "CREDENTIAL_MANAGER_APP_TOKEN_ENDPOINT",
            "CREDENTIAL_MANAGER_INSTALLATIONS_ENDPOINT",
            "GITHUB_API_URL");
    assertThat(mayUse("Chosen"))
        .containsExactly(Operation.GET_APP_TOKEN, Operation.GET_INSTALLATIONS);
  }

  @Test
  void pointsAtTheUrls() {
    assertThat(variables("Plain").path("CREDENTIAL_MANAGER_INSTALLATION_TOKEN_ENDPOINT").asText())
        .isEqualTo(
            stack.resource("AWS::Lambda::Url", "GetInstallationToken").id() + ".FunctionUrl");
  }

  @Test
  void returnsWhatItSet() {
    assertThat(RETURNED.get("Chosen"))
        .containsOnlyKeys(
            "CREDENTIAL_MANAGER_APP_TOKEN_ENDPOINT",
            "CREDENTIAL_MANAGER_INSTALLATIONS_ENDPOINT",
            "GITHUB_API_URL");
  }

  /** The usual case: the service is one stack, who uses it are others. */
  @Test
  void reachesIntoOtherStacks() throws Exception {
    App app = new App();
    Stack consumer = new Stack(app, "Consumer");
    SynthesizedStack service =
        SynthesizedStack.in(
            new Stack(app, "Service"),
            CredentialManagerProps.builder().build(),
            (scope, credentialManager) ->
                credentialManager.environmentFor(function(consumer, "Elsewhere")));
    JsonNode template = new ObjectMapper().valueToTree(Template.fromStack(consumer).toJSON());

    JsonNode url =
        template
            .path("Resources")
            .findValue("Environment")
            .at("/Variables/CREDENTIAL_MANAGER_INSTALLATION_TOKEN_ENDPOINT");
    assertThat(service.exported(url))
        .isEqualTo(
            service.resource("AWS::Lambda::Url", "GetInstallationToken").id() + ".FunctionUrl");
    String alias =
        SynthesizedStack.arn(
            "lambda",
            "function:"
                + service.resource("AWS::Lambda::Function", "GetInstallationToken").id()
                + ":live");
    JsonNode statements = template.path("Resources").findValue("PolicyDocument").path("Statement");
    assertThat(statements)
        .extracting(
            statement -> statement.path("Action").asText(),
            statement -> service.exported(statement.path("Resource")))
        .containsExactly(
            tuple("lambda:InvokeFunctionUrl", alias), tuple("lambda:InvokeFunction", alias));
  }

  /** The SDK's own list; nothing of this module is in it, so only its source can be asked. */
  @Test
  void setsTheVariablesThatTheSdkReads() throws IOException {
    String sdk = "../sdk-core/src/main/java/io/github/credentialmanager/sdk/";
    Map<String, String> read = new TreeMap<>();
    Pattern.compile("[A-Z_]+\\(\"(\\w+)\", \"[\\w/]+\", \"(\\w+)\"\\)")
        .matcher(Files.readString(Path.of(sdk + "Operation.java")))
        .results()
        .forEach(one -> read.put(one.group(1), "CREDENTIAL_MANAGER_" + one.group(2) + "_ENDPOINT"));
    Map<String, String> set = new TreeMap<>();
    for (Operation operation : Operation.values()) {
      set.put(operation.constructId(), operation.environmentVariable());
    }
    assertThat(set).isEqualTo(read);
    assertThat(Files.readString(Path.of(sdk + "Settings.java"))).contains("\"GITHUB_API_URL\"");
  }

  private static JsonNode variables(String function) {
    return stack.resolved(consumer("AWS::Lambda::Function", function)).at("/Environment/Variables");
  }

  private static SynthesizedStack.Resource consumer(String type, String id) {
    return stack.resources(type).stream()
        .filter(resource -> resource.id().matches(id + "[0-9A-F]{8}"))
        .findAny()
        .orElseThrow();
  }

  private static List<Operation> mayUse(String function) {
    IamEvaluator iam = IamEvaluator.of(stack);
    String role =
        "arn:aws:iam::111111111111:role/" + consumer("AWS::IAM::Role", function + "Role").id();
    return Arrays.stream(Operation.values())
        .filter(
            operation ->
                iam.allows(
                    new Request(
                        role,
                        "lambda:InvokeFunctionUrl",
                        SynthesizedStack.arn(
                            "lambda",
                            "function:"
                                + stack
                                    .resource(
                                        "AWS::Lambda::Function",
                                        operation.constructId() + "Function")
                                    .id()
                                + ":live"),
                        Map.of("lambda:FunctionUrlAuthType", "AWS_IAM"))))
        .toList();
  }
}
