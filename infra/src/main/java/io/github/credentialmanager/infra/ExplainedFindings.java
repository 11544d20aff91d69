package io.github.credentialmanager.infra;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import software.amazon.awscdk.CfnResource;
import software.constructs.IConstruct;

/**
 * Findings of cdk-nag that are deliberate, with the reason, in the template itself.
 *
 * <p>Whoever runs cdk-nag over an app that contains a {@link CredentialManager} sees them explained
 * without doing anything. The metadata is written by hand so that deploying does not need cdk-nag.
 */
final class ExplainedFindings {
  private static final String METADATA = "cdk_nag";
  private static final String RULES = "rules_to_suppress";

  private ExplainedFindings() {}

  /** Explains a finding on every resource below a construct. */
  static void on(IConstruct construct, String rule, String reason, String... appliesTo) {
    Map<String, Object> explained = new TreeMap<>(Map.of("id", rule, "reason", reason));
    if (appliesTo.length > 0) {
      explained.put("applies_to", List.of(appliesTo));
    }
    for (IConstruct child : construct.getNode().findAll()) {
      if (child instanceof CfnResource resource) {
        add(resource, explained);
      }
    }
  }

  private static void add(CfnResource resource, Map<String, Object> explained) {
    List<Object> rules = new ArrayList<>();
    if (resource.getMetadata(METADATA) instanceof Map<?, ?> metadata
        && metadata.get(RULES) instanceof List<?> earlier) {
      rules.addAll(earlier);
    }
    rules.add(explained);
    resource.addMetadata(METADATA, Map.of(RULES, rules));
  }
}
