package io.github.credentialmanager.infra;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * Decides requests as IAM does, from the identity policies of roles and the policies of resources.
 *
 * <p>After "Policy evaluation logic" in the IAM User Guide: an explicit denial wins; within an
 * account one side's permission is enough; across accounts both must permit. A condition operator,
 * action or principal that it does not know is an error, never a guess.
 */
final class IamEvaluator {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Set<String> KNOWN_ELEMENTS =
      Set.of("Sid", "Effect", "Action", "Resource", "Principal", "Condition");

  /** By the ARN of the role. */
  final Map<String, List<JsonNode>> identityPolicies = new TreeMap<>();

  /** By the ARN of the resource. */
  final Map<String, List<JsonNode>> resourcePolicies = new TreeMap<>();

  /**
   * A request to decide.
   *
   * @param principal the ARN of the caller's role
   * @param context condition keys; one that is absent here is absent in the request
   */
  record Request(String principal, String action, String resource, Map<String, String> context) {
    Request(String principal, String action, String resource) {
      this(principal, action, resource, Map.of());
    }
  }

  /** All policies of a stack. */
  static IamEvaluator of(SynthesizedStack stack) {
    IamEvaluator evaluator = new IamEvaluator();
    for (SynthesizedStack.Resource role : stack.resources("AWS::IAM::Role")) {
      JsonNode properties = stack.resolved(role);
      List<JsonNode> statements = evaluator.ofRole(role.id());
      properties
          .path("Policies")
          .forEach(policy -> statements.addAll(statements(policy.path("PolicyDocument"))));
      if (!properties.path("ManagedPolicyArns").isMissingNode()) {
        throw new AssertionError(role.id() + " has managed policies, which are not known here");
      }
    }
    for (SynthesizedStack.Resource policy : stack.resources("AWS::IAM::Policy")) {
      JsonNode properties = stack.resolved(policy);
      for (JsonNode role : properties.path("Roles")) {
        evaluator.ofRole(role.asText()).addAll(statements(properties.path("PolicyDocument")));
      }
    }
    for (SynthesizedStack.Resource permission : stack.resources("AWS::Lambda::Permission")) {
      JsonNode properties = stack.resolved(permission);
      evaluator
          .resourcePolicies
          .computeIfAbsent(properties.path("FunctionName").asText(), arn -> new ArrayList<>())
          .add(statement(properties));
    }
    for (SynthesizedStack.Resource policy : stack.resources("AWS::SQS::QueuePolicy")) {
      JsonNode properties = stack.resolved(policy);
      for (JsonNode queue : properties.path("Queues")) {
        evaluator.resourcePolicies.put(
            SynthesizedStack.arn("sqs", queue.asText()),
            statements(properties.path("PolicyDocument")));
      }
    }
    for (SynthesizedStack.Resource policy : stack.resources("AWS::SNS::TopicPolicy")) {
      JsonNode properties = stack.resolved(policy);
      for (JsonNode topic : properties.path("Topics")) {
        evaluator.resourcePolicies.put(
            topic.asText(), statements(properties.path("PolicyDocument")));
      }
    }
    for (SynthesizedStack.Resource key : stack.resources("AWS::KMS::Key")) {
      evaluator.resourcePolicies.put(
          SynthesizedStack.arn("kms", "key/" + key.id()),
          statements(stack.resolved(key).path("KeyPolicy")));
    }
    return evaluator;
  }

  private List<JsonNode> ofRole(String name) {
    return identityPolicies.computeIfAbsent(
        "arn:aws:iam::" + SynthesizedStack.ACCOUNT + ":role/" + name, arn -> new ArrayList<>());
  }

  /** The statement that Lambda makes of a permission (AWS::Lambda::Permission). */
  private static JsonNode statement(JsonNode permission) {
    String principal = permission.path("Principal").asText();
    ObjectNode statement = JSON.createObjectNode();
    statement.put("Effect", "Allow");
    statement.set("Action", permission.path("Action"));
    statement.set("Resource", permission.path("FunctionName"));
    ObjectNode condition = statement.putObject("Condition");
    if (principal.endsWith(".amazonaws.com")) {
      statement.putObject("Principal").put("Service", principal);
    } else {
      statement.putObject("Principal").put("AWS", principal);
    }
    permission
        .properties()
        .forEach(
            property -> {
              JsonNode value = property.getValue();
              switch (property.getKey()) {
                case "Action", "FunctionName", "Principal" -> {}
                case "FunctionUrlAuthType" ->
                    condition
                        .withObjectProperty("StringEquals")
                        .set("lambda:FunctionUrlAuthType", value);
                case "InvokedViaFunctionUrl" ->
                    condition.withObjectProperty("Bool").set("lambda:InvokedViaFunctionUrl", value);
                case "SourceArn" ->
                    condition.withObjectProperty("ArnLike").set("AWS:SourceArn", value);
                default ->
                    throw new AssertionError("Unknown property of a permission: " + property);
              }
            });
    return statement;
  }

  static List<JsonNode> statements(JsonNode document) {
    List<JsonNode> statements = elements(document.path("Statement")).toList();
    for (JsonNode statement : statements) {
      statement
          .fieldNames()
          .forEachRemaining(
              name -> {
                if (!KNOWN_ELEMENTS.contains(name)) {
                  throw new AssertionError("Unknown element of a statement: " + statement);
                }
              });
    }
    return statements;
  }

  boolean allows(Request request) {
    List<JsonNode> identity =
        identityPolicies.getOrDefault(request.principal(), List.of()).stream()
            .filter(statement -> matches(statement, request))
            .toList();
    List<JsonNode> ofResource =
        resourcePolicies.getOrDefault(request.resource(), List.of()).stream()
            .filter(statement -> isFor(statement.path("Principal"), request))
            .filter(statement -> matches(statement, request))
            .toList();
    if (Stream.concat(identity.stream(), ofResource.stream()).anyMatch(IamEvaluator::denies)) {
      return false;
    }
    return account(request.principal()).equals(account(request.resource()))
        ? !identity.isEmpty() || !ofResource.isEmpty()
        : !identity.isEmpty() && !ofResource.isEmpty();
  }

  private static boolean denies(JsonNode statement) {
    return statement.path("Effect").asText().equals("Deny");
  }

  private static String account(String arn) {
    return arn.split(":", -1)[4];
  }

  private static boolean isFor(JsonNode principal, Request request) {
    if (principal.has("Service")) {
      return false;
    }
    String callerAccount = account(request.principal());
    boolean foreign = !callerAccount.equals(account(request.resource()));
    return elements(principal.isTextual() ? principal : principal.path("AWS"))
        .map(JsonNode::asText)
        .anyMatch(
            named ->
                named.equals("*")
                    || named.equals(request.principal())
                    // An account lets in its principals that have permission at home; its own
                    // account's statement permits nothing by itself.
                    || (foreign
                        && (named.equals(callerAccount)
                            || named.equals("arn:aws:iam::" + callerAccount + ":root"))));
  }

  private static boolean matches(JsonNode statement, Request request) {
    return elements(statement.path("Action"))
            .anyMatch(action -> like(action.asText(), request.action()))
        && elements(statement.path("Resource"))
            .anyMatch(resource -> like(resource.asText(), request.resource()))
        && statement.path("Condition").properties().stream()
            .allMatch(operator -> holds(operator.getKey(), operator.getValue(), request));
  }

  private static boolean holds(String operator, JsonNode keys, Request request) {
    return keys.properties().stream()
        .allMatch(
            key -> {
              String actual = request.context().get(key.getKey());
              Stream<String> wanted = elements(key.getValue()).map(JsonNode::asText);
              return switch (operator) {
                case "StringEquals", "ArnEquals" -> wanted.anyMatch(value -> value.equals(actual));
                case "StringLike", "ArnLike" ->
                    actual != null && wanted.anyMatch(value -> like(value, actual));
                case "Bool" -> wanted.anyMatch(value -> value.equalsIgnoreCase(actual));
                case "Null" ->
                    wanted.anyMatch(value -> Boolean.parseBoolean(value) == (actual == null));
                default -> throw new AssertionError("Unknown condition operator " + operator);
              };
            });
  }

  private static boolean like(String pattern, String text) {
    String regex =
        Pattern.compile("[*?]|[^*?]+")
            .matcher(pattern)
            .replaceAll(
                part ->
                    switch (part.group()) {
                      case "*" -> ".*";
                      case "?" -> ".";
                      default -> Matcher.quoteReplacement(Pattern.quote(part.group()));
                    });
    return text.matches(regex);
  }

  static Stream<JsonNode> elements(JsonNode node) {
    return node.isArray()
        ? StreamSupport.stream(node.spliterator(), false)
        : node.isMissingNode() ? Stream.empty() : Stream.of(node);
  }
}
