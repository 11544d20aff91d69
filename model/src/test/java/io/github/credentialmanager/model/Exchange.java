package io.github.credentialmanager.model;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import software.amazon.smithy.model.node.Node;
import software.amazon.smithy.model.node.ObjectNode;
import software.amazon.smithy.model.node.StringNode;

/** A golden exchange as a user of the jar finds it: through {@code golden/index.json}. */
record Exchange(String path, ObjectNode json) {

  static List<String> paths() {
    return parse("index.json").expectArrayNode().getElementsAs(StringNode.class).stream()
        .map(StringNode::getValue)
        .toList();
  }

  static Stream<Exchange> all() {
    return paths().stream().map(path -> new Exchange(path, parse(path).expectObjectNode()));
  }

  private static Node parse(String path) {
    try (InputStream in = Exchange.class.getResourceAsStream("/golden/" + path)) {
      if (in == null) {
        throw new IllegalStateException("golden/" + path + " is listed but not there");
      }
      return Node.parse(in, path);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  String operation() {
    return json.expectStringMember("operation").getValue();
  }

  boolean isAnsweredByLambda() {
    return json.getObjectMember("given")
        .flatMap(given -> given.getBooleanMember("functionUrl"))
        .isPresent();
  }

  Optional<String> requestBody() {
    return json.expectObjectMember("request").getStringMember("body").map(StringNode::getValue);
  }

  int status() {
    return json.expectObjectMember("response").expectNumberMember("status").getValue().intValue();
  }

  ObjectNode responseHeaders() {
    return json.expectObjectMember("response").expectObjectMember("headers");
  }

  ObjectNode responseBody() {
    return json.expectObjectMember("response").expectObjectMember("json");
  }

  Optional<String> errorType() {
    return responseHeaders().getStringMember("x-amzn-errortype").map(StringNode::getValue);
  }

  boolean isError(String type) {
    return errorType().equals(Optional.of(type));
  }

  Optional<ObjectNode> client() {
    return json.getObjectMember("client");
  }

  /** Names the exchange in a test report. */
  @Override
  public String toString() {
    return path;
  }
}
