package io.github.credentialmanager.ops;

import io.github.credentialmanager.ops.KeyManagerException.Reason;
import io.github.credentialmanager.ops.TaggedResources.Resource;
import java.net.URI;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Finds a deployed stack's URLs by the tags on the functions behind them. */
final class StackEndpoints {
  /** Set by CloudFormation on what it makes. */
  private static final String STACK_NAME = "aws:cloudformation:stack-name";

  private StackEndpoints() {}

  /**
   * @param stack the CloudFormation stack to look at; null if there is but one
   * @return the URLs found; an endpoint may be missing
   */
  static Map<Endpoint, URI> find(TaggedResources resources, @Nullable String stack) {
    List<Resource> functions =
        resources
            .endpointFunctions(Arrays.stream(Endpoint.values()).map(Endpoint::tagValue).toList())
            .stream()
            .filter(function -> stack == null || stack.equals(function.tags().get(STACK_NAME)))
            .toList();
    if (functions.isEmpty()) {
      throw new KeyManagerException(
          Reason.BAD_CONFIGURATION,
          "No deployed endpoint found by its tags: check account, region and --stack, or deploy the stack");
    }
    Set<String> stacks = new TreeSet<>();
    Map<Endpoint, URI> endpoints = new EnumMap<>(Endpoint.class);
    for (Resource function : functions) {
      stacks.add(function.tags().getOrDefault(STACK_NAME, "(no stack)"));
      resources.functionUrls(function.name()).stream()
          .findFirst()
          .ifPresent(url -> endpoints.put(endpointOf(function), url));
    }
    if (stacks.size() > 1) {
      throw new KeyManagerException(
          Reason.BAD_CONFIGURATION,
          "There is more than one stack here (%s): give --stack"
              .formatted(String.join(", ", stacks)));
    }
    return endpoints;
  }

  private static Endpoint endpointOf(Resource function) {
    String value = function.tags().get(KeyTags.RESOURCE);
    return Arrays.stream(Endpoint.values())
        .filter(endpoint -> endpoint.tagValue().equals(value))
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("Not asked for: " + value));
  }
}
