package io.github.credentialmanager.server.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.util.OptionalLong;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JsonObjectTest {
  @Nested
  class Texts {
    @ParameterizedTest
    @ValueSource(
        strings = {
          "",
          " ",
          "null",
          "[]",
          "1",
          "\"a\"",
          "{",
          "{\"a\":1",
          "{\"a\":1,}",
          "{\"a\":1}}",
          "{} {}",
          "{}x",
          "{'a':1}",
          "{a:1}",
          "{\"a\":01}",
          "{\"a\":+1}",
          "{\"a\":.5}",
          "{\"a\":NaN}",
          "{\"a\":Infinity}",
          "{\"a\":\"\n\"}",
          "{\"a\":\"\\x\"}",
          "{\"a\":1 /* c */}",
          "\ufeff\ufeff{}",
          "{\"a\":1,\"a\":1}",
          "{\"b\":{\"a\":1,\"a\":2}}",
          "{\"a\":1,\"\\u0061\":2}",
        })
    void refusesWhatIsNoStrictObject(String text) {
      assertThatExceptionOfType(JsonException.class).isThrownBy(() -> JsonObject.parse(text));
    }

    @Test
    void refusesNestingDeeperThan32() {
      JsonObject.parse("{\"a\":" + "[".repeat(31) + "]".repeat(31) + "}");
      String deeper = "{\"a\":" + "[".repeat(32) + "]".repeat(32) + "}";
      assertThatExceptionOfType(JsonException.class).isThrownBy(() -> JsonObject.parse(deeper));
    }

    @Test
    void refusesStringsThatAreNoUnicode() {
      assertThat(JsonObject.parse("{\"a\":\"\\ud83d\\ude00\"}").string("a")).contains("😀");
      for (String broken : new String[] {"\\ud83d", "\\ude00", "\\ude00\\ud83d", "x\\ud83dx"}) {
        assertThatExceptionOfType(JsonException.class)
            .isThrownBy(() -> JsonObject.parse("{\"a\":\"" + broken + "\"}"));
        assertThatExceptionOfType(JsonException.class)
            .isThrownBy(() -> JsonObject.parse("{\"" + broken + "\":1}"));
      }
    }

    @Test
    void neverQuotesAValueInAMessage() {
      assertThatExceptionOfType(JsonException.class)
          .isThrownBy(() -> JsonObject.parse("{\"a\":ghs_secret}"))
          .withMessage("malformed JSON")
          .withNoCause();
      assertThatExceptionOfType(JsonException.class)
          .isThrownBy(() -> JsonObject.parse("{\"a\":\"ghs_secret\"}").integer("a"))
          .withMessage("/a is no number");
      assertThat(JsonObject.parse("{\"token\":\"ghs_secret\"}")).hasToString("JsonObject[token]");
    }
  }

  @Nested
  class Integers {
    @ParameterizedTest
    @CsvSource({
      "1001, 1001",
      "-1, -1",
      "-0, 0",
      "1001.0, 1001",
      "1001.000, 1001",
      "1.001e3, 1001",
      "1.001E+3, 1001",
      "10010e-1, 1001",
      "0e400, 0",
      "9223372036854775807, 9223372036854775807",
      "-9223372036854775808, -9223372036854775808",
      "922337203685477580.7e1, 9223372036854775807",
    })
    void areReadHoweverTheyAreSpelled(String spelling, long value) {
      assertThat(JsonObject.parse("{\"a\":" + spelling + "}").integer("a"))
          .isEqualTo(OptionalLong.of(value));
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "1.5",
          "1e-1",
          "9223372036854775808",
          "-9223372036854775809",
          "1e19",
          "1e400",
          "1e999999999",
          "1e99999999999",
          "\"1\"",
          "true",
          "[]",
          "{}",
        })
    void areNeverCutOffOrConverted(String spelling) {
      assertThatExceptionOfType(JsonException.class)
          .isThrownBy(() -> JsonObject.parse("{\"a\":" + spelling + "}").integer("a"));
    }

    @Test
    void areNoLongerThan64Digits() {
      String long65 = "1" + "0".repeat(64);
      assertThatExceptionOfType(JsonException.class)
          .isThrownBy(() -> JsonObject.parse("{\"a\":" + long65 + "}"));
    }
  }

  @Nested
  class Members {
    private final JsonObject object =
        JsonObject.parse(
            "{\"n\":null,\"s\":\"x\",\"i\":[1,null],\"t\":[\"a\"],\"o\":{\"p\":{\"q\":\"1\"}},\"b\":true}");

    @Test
    void thatAreNullReadLikeAbsentOnes() {
      assertThat(object.string("n")).isEmpty();
      assertThat(object.integer("n")).isEmpty();
      assertThat(object.object("n")).isEmpty();
      assertThat(object.strings("n")).isEmpty();
      assertThat(object.string("absent")).isEmpty();
      assertThat(object.names()).contains("n").doesNotContain("absent");
    }

    @Test
    void areReadByType() {
      assertThat(object.string("s")).contains("x");
      assertThat(object.integers("i").orElseThrow()).containsExactly(1L, null);
      assertThat(object.strings("t").orElseThrow()).containsExactly("a");
      assertThat(object.bool("b")).contains(true);
    }

    @Test
    void ofAnotherTypeAreNamedByTheirPath() {
      assertThatExceptionOfType(JsonException.class)
          .isThrownBy(() -> object.strings("i"))
          .withMessage("/i/0 is no string");
      assertThatExceptionOfType(JsonException.class)
          .isThrownBy(() -> object.object("o").orElseThrow().object("p").orElseThrow().bool("q"))
          .withMessage("/o/p/q is no boolean");
    }
  }
}
