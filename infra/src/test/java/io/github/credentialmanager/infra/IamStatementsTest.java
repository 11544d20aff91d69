package io.github.credentialmanager.infra;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import software.amazon.awscdk.App;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.services.ec2.Vpc;
import software.amazon.awscdk.services.ec2.VpcAttributes;
import software.amazon.awscdk.services.iam.AccountPrincipal;
import software.amazon.awscdk.services.iam.Role;
import software.amazon.awscdk.services.iam.ServicePrincipal;
import software.amazon.awscdk.services.kms.Key;
import software.amazon.awscdk.services.sns.Topic;

/**
 * Every IAM statement, beside {@code iam-statements*.txt}, which a person has read.
 *
 * <p>A change of permissions fails here until those files are changed with it, where a review sees
 * it.
 */
@RequiresNode
class IamStatementsTest {
  @Test
  void areThoseThatWereReviewed() throws IOException {
    assertReviewed(
        "iam-statements.txt",
        SynthesizedStack.of(
            CredentialManagerProps.builder().build(),
            (scope, credentialManager) -> {
              credentialManager.grantGetAppToken(
                  Role.Builder.create(scope, "GrantedRole")
                      .assumedBy(new ServicePrincipal("ec2.amazonaws.com"))
                      .build());
              credentialManager.grantGetAppToken(new AccountPrincipal("222222222222"));
            }));
  }

  @Test
  void areThoseThatWereReviewedWithEveryOption() throws IOException {
    Stack scope = new Stack(new App(), "Test");
    Key key = Key.Builder.create(scope, "Key").build();
    assertReviewed(
        "iam-statements-with-options.txt",
        SynthesizedStack.in(
            scope,
            CredentialManagerProps.builder()
                .tableEncryptionKey(key)
                .logEncryptionKey(key)
                .tracing(true)
                .vpc(
                    Vpc.fromVpcAttributes(
                        scope,
                        "Vpc",
                        VpcAttributes.builder()
                            .vpcId("vpc-1")
                            .availabilityZones(List.of("eu-central-1a"))
                            .privateSubnetIds(List.of("subnet-1"))
                            .build()))
                .build(),
            (stack, credentialManager) -> credentialManager.addAlarms(new Topic(stack, "Topic"))));
  }

  private static void assertReviewed(String file, SynthesizedStack stack) throws IOException {
    Path reviewed = Path.of("src/test/resources", file);
    Path actual = Path.of("target", file);
    Files.writeString(actual, statements(stack));
    assertThat(actual)
        .as("Permissions changed. If that is meant, review %s and put it at %s", actual, reviewed)
        .hasSameTextualContentAs(reviewed);
  }

  private static String statements(SynthesizedStack stack) {
    IamEvaluator iam = IamEvaluator.of(stack);
    StringBuilder text = new StringBuilder();
    trusts(stack).forEach((role, statements) -> append(text, "Who may be " + role, statements));
    iam.identityPolicies.forEach(
        (role, statements) -> append(text, "What " + role + " may do", statements));
    iam.resourcePolicies.forEach(
        (resource, statements) -> append(text, "Who may use " + resource, statements));
    return text.toString();
  }

  private static Map<String, List<JsonNode>> trusts(SynthesizedStack stack) {
    Map<String, List<JsonNode>> trusts = new TreeMap<>();
    for (SynthesizedStack.Resource role : stack.resources("AWS::IAM::Role")) {
      trusts.put(
          role.id(),
          IamEvaluator.statements(stack.resolved(role).path("AssumeRolePolicyDocument")));
    }
    return trusts;
  }

  private static void append(StringBuilder text, String title, List<JsonNode> statements) {
    text.append(title).append('\n');
    for (JsonNode statement : statements) {
      List<String> parts = new ArrayList<>();
      parts.add("  " + statement.path("Effect").asText() + "  " + list(statement.path("Action")));
      statement
          .path("Principal")
          .properties()
          .forEach(
              principal ->
                  parts.add("      by  " + principal.getKey() + " " + list(principal.getValue())));
      if (statement.has("Resource")) {
        parts.add("      on  " + list(statement.path("Resource")));
      }
      statement
          .path("Condition")
          .properties()
          .forEach(
              operator ->
                  operator
                      .getValue()
                      .properties()
                      .forEach(
                          key ->
                              parts.add(
                                  "      if  %s %s %s"
                                      .formatted(
                                          key.getKey(), operator.getKey(), list(key.getValue())))));
      parts.forEach(part -> text.append(part).append('\n'));
    }
    text.append('\n');
  }

  private static String list(JsonNode node) {
    return node.isArray()
        ? StreamSupport.stream(node.spliterator(), false)
            .map(JsonNode::asText)
            .collect(Collectors.joining(", "))
        : node.asText();
  }
}
