package io.github.credentialmanager.infra;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import software.amazon.awscdk.App;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.assertions.Template;

/**
 * The templates of a stack that holds one {@link CredentialManager}, with references resolved as a
 * deployment to one account and region would.
 *
 * <p>Physical names are the logical ones, so a resolved ARN tells which resource is meant.
 */
final class SynthesizedStack {
  static final String ACCOUNT = "111111111111";
  static final String REGION = "eu-central-1";

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Map<String, String> PSEUDO_PARAMETERS =
      Map.of(
          "AWS::AccountId",
          ACCOUNT,
          "AWS::Region",
          REGION,
          "AWS::Partition",
          "aws",
          "AWS::StackName",
          "NestedStack",
          "AWS::URLSuffix",
          "amazonaws.com");

  final Stack stack;
  final CredentialManager credentialManager;
  private final JsonNode parent;
  private final JsonNode nested;

  private SynthesizedStack(Stack stack, CredentialManager credentialManager) {
    this.stack = stack;
    this.credentialManager = credentialManager;
    this.parent = JSON.valueToTree(Template.fromStack(stack).toJSON());
    this.nested = JSON.valueToTree(Template.fromStack(credentialManager).toJSON());
  }

  /** A stack with the construct and what a consumer adds. */
  static SynthesizedStack of(
      CredentialManagerProps props, BiConsumer<Stack, CredentialManager> consumer) {
    return in(new Stack(new App(), "Test"), props, consumer);
  }

  static SynthesizedStack of(CredentialManagerProps props) {
    return of(props, (stack, credentialManager) -> {});
  }

  /** A stack that was begun already, with the construct added. */
  static SynthesizedStack in(Stack stack, CredentialManagerProps props) {
    return in(stack, props, (scope, credentialManager) -> {});
  }

  /** A stack that was begun already, with the construct added and what a consumer adds. */
  static SynthesizedStack in(
      Stack stack, CredentialManagerProps props, BiConsumer<Stack, CredentialManager> consumer) {
    CredentialManager credentialManager = new CredentialManager(stack, "CredentialManager", props);
    consumer.accept(stack, credentialManager);
    return new SynthesizedStack(stack, credentialManager);
  }

  /** The nested stack's template as it is. */
  JsonNode template() {
    return nested;
  }

  /** A resource of either template. */
  record Resource(String id, String type, JsonNode definition, JsonNode template) {
    JsonNode properties() {
      return definition.path("Properties");
    }
  }

  /** The resources of a type, those of the nested stack first. */
  List<Resource> resources(String type) {
    List<Resource> found = new ArrayList<>();
    for (JsonNode template : List.of(nested, parent)) {
      template
          .path("Resources")
          .properties()
          .forEach(
              entry -> {
                if (type.equals(entry.getValue().path("Type").asText())) {
                  found.add(new Resource(entry.getKey(), type, entry.getValue(), template));
                }
              });
    }
    return found;
  }

  /** The one resource of that type whose logical id begins so. */
  Resource resource(String type, String idPrefix) {
    List<Resource> found =
        resources(type).stream().filter(resource -> resource.id().startsWith(idPrefix)).toList();
    if (found.size() != 1) {
      throw new AssertionError(
          "Not one " + type + " " + idPrefix + ": " + found.stream().map(Resource::id).toList());
    }
    return found.get(0);
  }

  /** The properties of a resource with all references resolved. */
  JsonNode resolved(Resource resource) {
    return resolve(resource.properties(), resource.template());
  }

  /** What the stack exports under a name that another stack's template imports. */
  String exported(JsonNode importValue) {
    return StreamSupport.stream(parent.path("Outputs").spliterator(), false)
        .filter(output -> output.at("/Export/Name").equals(importValue.path("Fn::ImportValue")))
        .map(output -> resolve(output.path("Value"), parent).asText())
        .findAny()
        .orElseThrow();
  }

  /** The tags of a resource. */
  Map<String, String> tags(Resource resource) {
    return StreamSupport.stream(resource.properties().path("Tags").spliterator(), false)
        .collect(
            Collectors.toMap(
                tag -> tag.path("Key").asText(),
                tag -> tag.path("Value").asText(),
                (one, other) -> other,
                TreeMap::new));
  }

  private JsonNode resolve(JsonNode node, JsonNode template) {
    if (node.isObject()) {
      if (node.size() == 1) {
        Map.Entry<String, JsonNode> only = node.properties().iterator().next();
        if (only.getKey().equals("Ref") || only.getKey().startsWith("Fn::")) {
          return JSON.valueToTree(intrinsic(only.getKey(), only.getValue(), template));
        }
      }
      var object = JSON.createObjectNode();
      node.properties()
          .forEach(entry -> object.set(entry.getKey(), resolve(entry.getValue(), template)));
      return object;
    }
    if (node.isArray()) {
      var array = JSON.createArrayNode();
      node.forEach(element -> array.add(resolve(element, template)));
      return array;
    }
    return node;
  }

  private String intrinsic(String function, JsonNode argument, JsonNode template) {
    return switch (function) {
      case "Ref" -> reference(argument.asText(), template);
      case "Fn::GetAtt" -> attribute(argument.get(0).asText(), argument.get(1).asText(), template);
      case "Fn::Join" ->
          StreamSupport.stream(argument.get(1).spliterator(), false)
              .map(part -> resolve(part, template).asText())
              .collect(Collectors.joining(argument.get(0).asText()));
      case "Fn::Select" -> {
        JsonNode split = argument.get(1).path("Fn::Split");
        yield resolve(split.get(1), template)
            .asText()
            .split(split.get(0).asText(), -1)[argument.get(0).asInt()];
      }
      case "Fn::Sub" -> substitute(argument.asText());
      default -> throw new AssertionError("Cannot resolve " + function + " " + argument);
    };
  }

  private static String substitute(String text) {
    String substituted = text;
    for (Map.Entry<String, String> pseudo : PSEUDO_PARAMETERS.entrySet()) {
      substituted = substituted.replace("${" + pseudo.getKey() + "}", pseudo.getValue());
    }
    return substituted;
  }

  private String reference(String id, JsonNode template) {
    String pseudo = PSEUDO_PARAMETERS.get(id);
    if (pseudo != null) {
      return pseudo;
    }
    if (template.path("Parameters").has(id)) {
      JsonNode argument = nestedStackResource().path("Properties").path("Parameters").path(id);
      return resolve(argument, parent).asText();
    }
    JsonNode resource = template.path("Resources").path(id);
    return switch (resource.path("Type").asText()) {
      case "AWS::Lambda::Alias" ->
          reference(resource.at("/Properties/FunctionName/Ref").asText(), template)
                  .transform(name -> arn("lambda", "function:" + name))
              + ":"
              + resource.at("/Properties/Name").asText();
      case "" -> throw new AssertionError("Nothing is called " + id);
      case "AWS::SNS::Topic" -> arn("sns", id);
      default -> id;
    };
  }

  private String attribute(String id, String attribute, JsonNode template) {
    JsonNode resource = template.path("Resources").path(id);
    if (attribute.startsWith("Outputs.")) {
      JsonNode output =
          nested.path("Outputs").path(attribute.substring("Outputs.".length())).path("Value");
      return resolve(output, nested).asText();
    }
    if (attribute.equals("Arn")) {
      return switch (resource.path("Type").asText()) {
        case "AWS::CloudWatch::Alarm" -> arn("cloudwatch", "alarm:" + id);
        case "AWS::DynamoDB::Table" -> arn("dynamodb", "table/" + id);
        case "AWS::Events::Rule" -> arn("events", "rule/" + id);
        case "AWS::IAM::Role" -> "arn:aws:iam::" + ACCOUNT + ":role/" + id;
        case "AWS::KMS::Key" -> arn("kms", "key/" + id);
        case "AWS::Lambda::Function" -> arn("lambda", "function:" + id);
        case "AWS::Logs::LogGroup" -> arn("logs", "log-group:" + id + ":*");
        case "AWS::SQS::Queue" -> arn("sqs", id);
        default -> throw new AssertionError("No ARN known for " + resource);
      };
    }
    return id + "." + attribute;
  }

  private JsonNode nestedStackResource() {
    return StreamSupport.stream(requireNonNull(parent.get("Resources")).spliterator(), false)
        .filter(resource -> resource.path("Type").asText().equals("AWS::CloudFormation::Stack"))
        .findAny()
        .orElseThrow();
  }

  static String arn(String service, String resource) {
    return "arn:aws:" + service + ":" + REGION + ":" + ACCOUNT + ":" + resource;
  }
}
