package io.github.credentialmanager.ops;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.credentialmanager.ops.KeyManagerException.Reason;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import software.amazon.awssdk.http.SdkHttpMethod;

/**
 * Finds what a stack consists of by its tags, and the URLs of its functions.
 *
 * <p>These are {@code GetResources} of the Resource Groups Tagging API and {@code
 * ListFunctionUrlConfigs} of Lambda, called as plain signed requests: two calls are no reason for
 * two more clients. Throttling and 5xx are tried four times.
 */
final class TaggedResources {
  private static final int ATTEMPTS = 4;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final SignedHttp http;
  private final URI taggingApi;
  private final URI lambdaApi;
  private final Consumer<Duration> pause;

  /** A resource and its tags, the ones CloudFormation sets included. */
  record Resource(String arn, Map<String, String> tags) {
    /** The last part of the ARN. */
    String name() {
      return arn.substring(Math.max(arn.lastIndexOf('/'), arn.lastIndexOf(':')) + 1);
    }
  }

  TaggedResources(SignedHttp http, URI taggingApi, URI lambdaApi, Consumer<Duration> pause) {
    this.http = http;
    this.taggingApi = taggingApi;
    this.lambdaApi = lambdaApi;
    this.pause = pause;
  }

  /** The App tables of this account and region, by name. */
  List<String> appTables() {
    return find(
            "dynamodb:table",
            Map.of(
                KeyTags.MANAGED, List.of(KeyTags.RESOURCE),
                KeyTags.RESOURCE, List.of("AppTable")))
        .stream()
        .map(Resource::name)
        .sorted()
        .toList();
  }

  /** GitHub Apps' keys, by ARN. */
  List<String> keys() {
    return find("kms:key", Map.of(KeyTags.MANAGED, List.of("true"))).stream()
        .map(Resource::arn)
        .toList();
  }

  /** The functions behind the endpoints. */
  List<Resource> endpointFunctions(List<String> tagValues) {
    return find(
        "lambda:function",
        Map.of(KeyTags.MANAGED, List.of(KeyTags.RESOURCE), KeyTags.RESOURCE, tagValues));
  }

  /** The URLs of a function that IAM guards, those of an alias first. */
  List<URI> functionUrls(String functionName) {
    JsonNode answer =
        call(
            "lambda:ListFunctionUrlConfigs",
            SdkHttpMethod.GET,
            URI.create(lambdaApi + "/2021-10-31/functions/" + functionName + "/urls"),
            "lambda",
            Map.of(),
            new byte[0]);
    List<URI> ofAliases = new ArrayList<>();
    List<URI> others = new ArrayList<>();
    for (JsonNode config : answer.path("FunctionUrlConfigs")) {
      if (config.path("AuthType").asText().equals("AWS_IAM")) {
        boolean alias = config.path("FunctionArn").asText().split(":").length > 7;
        (alias ? ofAliases : others).add(URI.create(config.path("FunctionUrl").asText()));
      }
    }
    ofAliases.addAll(others);
    return ofAliases;
  }

  private List<Resource> find(String type, Map<String, List<String>> tags) {
    List<Resource> found = new ArrayList<>();
    String token = "";
    do {
      ObjectNode query = JSON.createObjectNode();
      query.putArray("ResourceTypeFilters").add(type);
      ArrayNode filters = query.putArray("TagFilters");
      tags.forEach(
          (key, values) -> {
            ArrayNode wanted = filters.addObject().put("Key", key).putArray("Values");
            values.forEach(wanted::add);
          });
      query.put("PaginationToken", token);
      JsonNode answer =
          call(
              "tag:GetResources",
              SdkHttpMethod.POST,
              URI.create(taggingApi + "/"),
              "tagging",
              Map.of(
                  "content-type",
                  "application/x-amz-json-1.1",
                  "x-amz-target",
                  "ResourceGroupsTaggingAPI_20170126.GetResources"),
              query.toString().getBytes(java.nio.charset.StandardCharsets.UTF_8));
      for (JsonNode mapping : answer.path("ResourceTagMappingList")) {
        Map<String, String> ofResource = new HashMap<>();
        mapping
            .path("Tags")
            .forEach(tag -> ofResource.put(tag.path("Key").asText(), tag.path("Value").asText()));
        found.add(new Resource(mapping.path("ResourceARN").asText(), Map.copyOf(ofResource)));
      }
      token = answer.path("PaginationToken").asText("");
    } while (!token.isEmpty());
    return found;
  }

  private JsonNode call(
      String action,
      SdkHttpMethod method,
      URI uri,
      String service,
      Map<String, String> headers,
      byte[] body) {
    for (int attempt = 1; ; attempt++) {
      KeyManagerException failure;
      try {
        SignedHttp.Response response = http.send(action, method, uri, service, headers, body);
        JsonNode json = parsed(response.body());
        if (response.status() == 200 && json.isObject()) {
          return json;
        }
        failure = failureOf(action, response, json);
      } catch (IOException e) {
        failure =
            new KeyManagerException(
                Reason.UNAVAILABLE,
                "No answer from AWS to %s: check the network and the region".formatted(action),
                e);
      }
      if (failure.reason() != Reason.UNAVAILABLE || attempt == ATTEMPTS) {
        throw failure;
      }
      pause.accept(Duration.ofMillis(250L << attempt));
    }
  }

  private static KeyManagerException failureOf(
      String action, SignedHttp.Response response, JsonNode json) {
    String type =
        response.header("x-amzn-errortype").orElseGet(() -> json.path("__type").asText(""));
    String code = type.substring(type.lastIndexOf('#') + 1).split(":", 2)[0];
    boolean throttled =
        response.status() == 429 || code.toLowerCase(Locale.ROOT).contains("throttl");
    return AwsFailures.explain(action, code, throttled || response.status() >= 500, null);
  }

  private static JsonNode parsed(byte[] body) throws IOException {
    try {
      return JSON.readTree(body);
    } catch (JsonProcessingException e) {
      return JSON.missingNode();
    }
  }
}
