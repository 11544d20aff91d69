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
import software.amazon.awscdk.services.iam.AccountPrincipal;
import software.amazon.awscdk.services.iam.Role;
import software.amazon.awscdk.services.iam.ServicePrincipal;

/**
 * Every IAM statement, beside {@code iam-statements.txt}, which a person has read.
 *
 * <p>A change of permissions fails here until that file is changed with it, where a review sees it.
 */
@RequiresNode
class IamStatementsTest {
  private static final Path REVIEWED = Path.of("src/test/resources/iam-statements.txt");
  private static final Path ACTUAL = Path.of("target/iam-statements.txt");

  @Test
  void areThoseThatWereReviewed() throws IOException {
    SynthesizedStack stack =
        SynthesizedStack.of(
            CredentialManagerProps.builder().build(),
            (scope, credentialManager) -> {
              credentialManager.grantGetAppToken(
                  Role.Builder.create(scope, "GrantedRole")
                      .assumedBy(new ServicePrincipal("ec2.amazonaws.com"))
                      .build());
              credentialManager.grantGetAppToken(new AccountPrincipal("222222222222"));
            });
    Files.writeString(ACTUAL, statements(stack));
    assertThat(ACTUAL)
        .as("Permissions changed. If that is meant, review %s and put it at %s", ACTUAL, REVIEWED)
        .hasSameTextualContentAs(REVIEWED);
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
