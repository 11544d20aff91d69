package io.github.credentialmanager.server.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A JSON object that was read strictly, and whose members are read by type.
 *
 * <p>Refused are duplicate names, anything after the object, nesting deeper than 32, numbers longer
 * than 64 characters and strings that are no Unicode text (a lone surrogate). A number is never
 * read as a string, nor a string as a number. An integer may be spelled {@code 1001.0} or {@code
 * 1.001e3}, as clients of the TypeScript Credential Manager may send it; a fraction is refused, not
 * cut off, and so is what exceeds a {@code long}.
 *
 * <p>A member that is {@code null} reads like one that is absent; {@link #names()} tells them
 * apart.
 *
 * <p>Immutable.
 */
public final class JsonObject {
  private static final int MAX_NESTING = 32;
  private static final int MAX_NUMBER_LENGTH = 64;
  private static final int LONG_DIGITS = 19;

  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
          // Names come from callers: interning them would keep them for the life of the process.
          .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
          .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(MAX_NESTING)
                  .maxNumberLength(MAX_NUMBER_LENGTH)
                  .build())
          .build();

  private final String path;
  private final Map<String, @Nullable Object> members;

  private JsonObject(String path, Map<String, @Nullable Object> members) {
    this.path = path;
    this.members = members;
  }

  /** The object without members. */
  public static JsonObject empty() {
    return new JsonObject("", Map.of());
  }

  /**
   * Reads a text that is one JSON object.
   *
   * @throws JsonException if it is not
   */
  public static JsonObject parse(String text) {
    return toObject(parseValue(text), "");
  }

  /**
   * Reads a text that is one JSON list of objects.
   *
   * @throws JsonException if it is not
   */
  public static List<JsonObject> parseList(String text) {
    if (!(parseValue(text) instanceof List<?> elements)) {
      throw new JsonException("not a JSON list");
    }
    List<JsonObject> objects = new ArrayList<>(elements.size());
    for (int i = 0; i < elements.size(); i++) {
      objects.add(toObject(elements.get(i), "/" + i));
    }
    return objects;
  }

  private static @Nullable Object parseValue(String text) {
    try (JsonParser parser = FACTORY.createParser(text)) {
      if (parser.nextToken() == null) {
        throw new JsonException("no JSON");
      }
      Object value = readValue(parser);
      if (parser.nextToken() != null) {
        throw new JsonException("something follows the JSON");
      }
      return value;
    } catch (IOException e) {
      // The parser's message quotes the text, which may hold a secret: it goes no further.
      throw new JsonException("malformed JSON");
    }
  }

  private static Map<String, @Nullable Object> readObject(JsonParser parser) throws IOException {
    Map<String, @Nullable Object> members = new LinkedHashMap<>();
    for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
      requireUnicode(name);
      parser.nextToken();
      members.put(name, readValue(parser));
    }
    return Collections.unmodifiableMap(members);
  }

  private static @Nullable Object readValue(JsonParser parser) throws IOException {
    return switch (parser.currentToken()) {
      case START_OBJECT -> readObject(parser);
      case START_ARRAY -> {
        List<@Nullable Object> elements = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          elements.add(readValue(parser));
        }
        yield Collections.unmodifiableList(elements);
      }
      case VALUE_STRING -> requireUnicode(parser.getText());
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> readNumber(parser.getText());
      case VALUE_TRUE -> true;
      case VALUE_FALSE -> false;
      case VALUE_NULL -> null;
      default -> throw new JsonException("malformed JSON");
    };
  }

  private static String requireUnicode(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isHighSurrogate(c)
          && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        i++;
      } else if (Character.isSurrogate(c)) {
        throw new JsonException("a string is no Unicode text");
      }
    }
    return text;
  }

  private static BigDecimal readNumber(String text) {
    try {
      return new BigDecimal(text);
    } catch (NumberFormatException e) {
      throw new JsonException("a number is out of range");
    }
  }

  /** The names of all members, {@code null} ones included, in the order of the text. */
  public Set<String> names() {
    return members.keySet();
  }

  /**
   * The integer of that name; empty if absent or {@code null}.
   *
   * @throws JsonException if the member is no integer or no {@code long}
   */
  public OptionalLong integer(String name) {
    Object value = members.get(name);
    return value == null ? OptionalLong.empty() : OptionalLong.of(toLong(value, at(name)));
  }

  /**
   * The string of that name; empty if absent or {@code null}.
   *
   * @throws JsonException if the member is no string
   */
  public Optional<String> string(String name) {
    return Optional.ofNullable(members.get(name)).map(value -> toText(value, at(name)));
  }

  /**
   * The truth of that name; empty if absent or {@code null}.
   *
   * @throws JsonException if the member is neither {@code true} nor {@code false}
   */
  public Optional<Boolean> bool(String name) {
    Object value = members.get(name);
    if (value == null) {
      return Optional.empty();
    }
    if (value instanceof Boolean truth) {
      return Optional.of(truth);
    }
    throw new JsonException(at(name) + " is no boolean");
  }

  /**
   * The object of that name; empty if absent or {@code null}.
   *
   * @throws JsonException if the member is no object
   */
  public Optional<JsonObject> object(String name) {
    return Optional.ofNullable(members.get(name)).map(value -> toObject(value, at(name)));
  }

  /**
   * The list of integers of that name; empty if absent or {@code null}. Its elements may be {@code
   * null}.
   *
   * @throws JsonException if the member is no list, or an element no integer
   */
  public Optional<List<@Nullable Long>> integers(String name) {
    return list(name, JsonObject::toLong);
  }

  /**
   * The list of strings of that name; empty if absent or {@code null}. Its elements may be {@code
   * null}.
   *
   * @throws JsonException if the member is no list, or an element no string
   */
  public Optional<List<@Nullable String>> strings(String name) {
    return list(name, JsonObject::toText);
  }

  /**
   * The list of objects of that name; empty if absent or {@code null}. Its elements may be {@code
   * null}.
   *
   * @throws JsonException if the member is no list, or an element no object
   */
  public Optional<List<@Nullable JsonObject>> objects(String name) {
    return list(name, JsonObject::toObject);
  }

  /**
   * The object of that name as a map of strings; empty if absent or {@code null}. Its values may be
   * {@code null}.
   *
   * @throws JsonException if the member is no object, or a value no string
   */
  public Optional<Map<String, @Nullable String>> stringMap(String name) {
    return object(name)
        .map(
            object -> {
              Map<String, @Nullable String> strings = new LinkedHashMap<>();
              for (String key : object.names()) {
                strings.put(key, object.string(key).orElse(null));
              }
              return strings;
            });
  }

  /** The members as plain maps, lists, strings, {@link BigDecimal}s and booleans. */
  public Map<String, @Nullable Object> asMap() {
    return members;
  }

  private <T> Optional<List<@Nullable T>> list(String name, Reader<T> reader) {
    Object value = members.get(name);
    if (value == null) {
      return Optional.empty();
    }
    if (!(value instanceof List<?> elements)) {
      throw new JsonException(at(name) + " is no list");
    }
    List<@Nullable T> list = new ArrayList<>(elements.size());
    for (int i = 0; i < elements.size(); i++) {
      Object element = elements.get(i);
      list.add(element == null ? null : reader.read(element, at(name) + "/" + i));
    }
    return Optional.of(list);
  }

  private String at(String name) {
    return path + "/" + name;
  }

  private static long toLong(Object value, String path) {
    if (!(value instanceof BigDecimal number)) {
      throw new JsonException(path + " is no number");
    }
    BigDecimal shortest = number.stripTrailingZeros();
    // Judged by its digits, for 1e999999999 must not be written out.
    if (shortest.scale() > 0 || (long) shortest.precision() - shortest.scale() > LONG_DIGITS) {
      throw new JsonException(path + " is no 64-bit integer");
    }
    BigInteger integer = shortest.toBigIntegerExact();
    if (integer.bitLength() >= Long.SIZE) {
      throw new JsonException(path + " is no 64-bit integer");
    }
    return integer.longValue();
  }

  private static String toText(Object value, String path) {
    if (value instanceof String text) {
      return text;
    }
    throw new JsonException(path + " is no string");
  }

  @SuppressWarnings("unchecked") // Every map here came out of readObject.
  private static JsonObject toObject(@Nullable Object value, String path) {
    if (value instanceof Map<?, ?> map) {
      return new JsonObject(path, (Map<String, @Nullable Object>) map);
    }
    throw new JsonException((path.isEmpty() ? "the JSON" : path) + " is no object");
  }

  private interface Reader<T> {
    T read(Object value, String path);
  }

  /** Says nothing of the content, which may hold a secret. */
  @Override
  public String toString() {
    return "JsonObject" + members.keySet();
  }
}
