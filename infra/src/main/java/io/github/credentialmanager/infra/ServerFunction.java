package io.github.credentialmanager.infra;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import software.amazon.awscdk.Annotations;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.Token;
import software.amazon.awscdk.services.iam.Effect;
import software.amazon.awscdk.services.iam.PolicyStatement;
import software.amazon.awscdk.services.iam.Role;
import software.amazon.awscdk.services.iam.ServicePrincipal;
import software.amazon.awscdk.services.lambda.Alias;
import software.amazon.awscdk.services.lambda.Code;
import software.amazon.awscdk.services.lambda.Function;
import software.amazon.awscdk.services.lambda.LoggingFormat;
import software.amazon.awscdk.services.lambda.Runtime;
import software.amazon.awscdk.services.lambda.SnapStartConf;
import software.amazon.awscdk.services.lambda.Tracing;
import software.amazon.awscdk.services.logs.LogGroup;
import software.constructs.Construct;

/**
 * One function of the server: its code, its log, its own role, and the alias that callers use.
 *
 * <p>The role starts with nothing but writing to the function's log. Lambda takes SnapStart's
 * snapshot of a published version, so everything invokes the alias, never the function itself.
 */
final class ServerFunction extends Construct {
  private static final String SERVER_PACKAGE = "io.github.credentialmanager.server.";

  /** Lambda's quota "Environment variables", in bytes. */
  private static final int ENVIRONMENT_SIZE = 4096;

  /** DynamoDB's limit for a table's name, which is not known before the table is made. */
  private static final int LONGEST_NAME = 255;

  final Role role;
  final LogGroup logs;
  final Function function;
  final Alias alias;
  private final Map<String, String> environment;

  /**
   * @param handler the handler's class, below the server's root package
   * @param reservedConcurrency the most copies at once, or null for no limit
   */
  ServerFunction(
      Construct scope,
      String id,
      String handler,
      String description,
      Duration timeout,
      @Nullable Integer reservedConcurrency,
      Map<String, String> environment,
      Code code,
      CredentialManagerProps props) {
    super(scope, id);
    this.environment = new TreeMap<>(environment);
    role =
        Role.Builder.create(this, "Role")
            .assumedBy(new ServicePrincipal("lambda.amazonaws.com"))
            .description(description)
            .build();
    logs =
        LogGroup.Builder.create(this, "Logs")
            .retention(props.logRetention)
            .encryptionKey(props.logEncryptionKey)
            .removalPolicy(props.logRemovalPolicy)
            .build();
    logs.grantWrite(role);
    if (props.vpc != null) {
      attachToNetwork();
    }
    function =
        Function.Builder.create(this, "Function")
            .description(description)
            .runtime(Runtime.JAVA_25)
            .architecture(props.architecture)
            .code(code)
            .handler(SERVER_PACKAGE + handler)
            .memorySize(props.memorySize)
            .timeout(timeout)
            .reservedConcurrentExecutions(reservedConcurrency)
            .snapStart(SnapStartConf.ON_PUBLISHED_VERSIONS)
            .role(role)
            .logGroup(logs)
            // The server's lines are JSON already; this turns Lambda's own into JSON, too.
            .loggingFormat(LoggingFormat.JSON)
            .tracing(props.tracing ? Tracing.ACTIVE : Tracing.DISABLED)
            .environment(this.environment)
            .vpc(props.vpc)
            .vpcSubnets(props.vpcSubnets)
            .securityGroups(props.securityGroups)
            .build();
    // Said of every function with SnapStart, published versions or not.
    Annotations.of(function).acknowledgeWarning("@aws-cdk/aws-lambda:snapStartRequirePublish");
    alias = function.addAlias("live");
    getNode().addValidation(this::excessOfEnvironment);
    if (props.tracing) {
      ExplainedFindings.on(
          role, "AwsSolutions-IAM5", "X-Ray's actions know no resources.", "Resource::*");
    }
  }

  /** An environment that is too large would only be refused by the deployment. */
  private List<String> excessOfEnvironment() {
    int size = 0;
    for (Map.Entry<String, String> variable : environment.entrySet()) {
      size += variable.getKey().length();
      size +=
          Token.isUnresolved(variable.getValue())
              ? LONGEST_NAME
              : variable.getValue().getBytes(StandardCharsets.UTF_8).length;
    }
    return size <= ENVIRONMENT_SIZE
        ? List.of()
        : List.of(
            "The environment of %s may take %d bytes, and Lambda allows %d: shorten callerPolicy or callerAccounts."
                .formatted(getNode().getId(), size, ENVIRONMENT_SIZE));
  }

  /** Sets a variable of the function's environment. */
  void addEnvironment(String name, String value) {
    environment.put(name, value);
    function.addEnvironment(name, value);
  }

  /** Adds a permission that the role needs for its work. */
  void allow(String sid, List<String> actions, List<String> resources) {
    allow(sid, actions, resources, Map.of());
  }

  /**
   * @param conditions by operator and key
   */
  void allow(
      String sid,
      List<String> actions,
      List<String> resources,
      Map<String, Map<String, String>> conditions) {
    // In order: a template that differs from run to run is an update that changes nothing.
    Map<String, Object> ordered = new TreeMap<>();
    conditions.forEach((operator, keys) -> ordered.put(operator, new TreeMap<>(keys)));
    role.addToPolicy(
        PolicyStatement.Builder.create()
            .sid(sid)
            .actions(actions)
            .resources(resources)
            .conditions(ordered)
            .build());
  }

  /**
   * What Lambda needs to attach the function to a network, and what the function's code does not.
   *
   * <p>Lambda uses the function's role for it. The denial takes the same actions from the code, as
   * Lambda's documentation ("Giving Lambda functions access to resources in a VPC") recommends:
   * {@code lambda:SourceFunctionArn} is set in calls made from inside a function, not in Lambda's.
   */
  private void attachToNetwork() {
    List<String> actions =
        List.of(
            "ec2:AssignPrivateIpAddresses",
            "ec2:CreateNetworkInterface",
            "ec2:DeleteNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSubnets",
            "ec2:UnassignPrivateIpAddresses");
    allow("AttachToNetwork", actions, List.of("*"));
    role.addToPolicy(
        PolicyStatement.Builder.create()
            .sid("NotFromItsCode")
            .effect(Effect.DENY)
            .actions(actions)
            .resources(List.of("*"))
            .conditions(Map.of("Null", Map.of("lambda:SourceFunctionArn", "false")))
            .build());
    ExplainedFindings.on(
        role,
        "AwsSolutions-IAM5",
        "Lambda attaches the function to the network before the interfaces have ARNs; the"
            + " function's own code is denied the same actions.",
        "Resource::*");
  }
}
