package io.github.credentialmanager.model;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Optional;
import software.amazon.smithy.model.node.Node;

/**
 * Reads a request body as the contract wants it read, where that differs from Smithy's own reader:
 * no member twice, nothing after the object, integers of 64 bits but in any notation, and a null
 * member of a structure as an absent one.
 */
final class StrictJson {
  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .build();

  private StrictJson() {}

  /** The object, or empty if the body holds anything else. */
  static Optional<Node> object(String body) {
    if (body.isBlank()) {
      return Optional.of(Node.objectNode());
    }
    try {
      if (!(MAPPER.readTree(body) instanceof ObjectNode object)) {
        return Optional.empty();
      }
      object.removeNulls();
      if (object.get("scopeDown") instanceof ObjectNode scopeDown) {
        scopeDown.removeNulls();
      }
      return Optional.of(Node.parse(withPlainIntegers(object).toString()));
    } catch (JsonProcessingException | ArithmeticException e) {
      return Optional.empty();
    }
  }

  /**
   * Writes {@code 1001.0} and {@code 1.001e3} as 1001.
   *
   * @throws ArithmeticException if an integer needs more than 64 bits
   */
  private static JsonNode withPlainIntegers(JsonNode json) {
    if (json.isNumber() && json.decimalValue().stripTrailingZeros().scale() <= 0) {
      return JsonNodeFactory.instance.numberNode(json.decimalValue().longValueExact());
    }
    if (json instanceof ObjectNode object) {
      object.properties().forEach(member -> member.setValue(withPlainIntegers(member.getValue())));
    } else if (json instanceof ArrayNode array) {
      for (int i = 0; i < array.size(); i++) {
        array.set(i, withPlainIntegers(array.get(i)));
      }
    }
    return json;
  }
}
