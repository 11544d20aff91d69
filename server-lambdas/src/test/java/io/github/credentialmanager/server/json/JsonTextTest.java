package io.github.credentialmanager.server.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class JsonTextTest {
  @Test
  void writesMembersInAlphabeticalOrderAtEveryLevel() {
    Map<String, Object> inner = new LinkedHashMap<>();
    inner.put("z", List.of(1L, "x"));
    inner.put("a", true);
    assertThat(JsonText.of(Map.of("b", inner, "a", 5_000_000_001L)))
        .isEqualTo("{\"a\":5000000001,\"b\":{\"a\":true,\"z\":[1,\"x\"]}}");
  }

  @Test
  void writesALineThatNothingCanBreak() {
    String line = JsonText.line(Map.of("nodeId", "a\"},\n{\"event\":\u2028\u001b[31m\u202eé😀"));
    assertThat(line).matches("[\\x20-\\x7e]+").contains("\\n", "\\u2028", "\\u001B", "\\u202E");
    assertThat(JsonObject.parse(line).string("nodeId"))
        .contains("a\"},\n{\"event\":\u2028\u001b[31m\u202eé😀");
  }

  @Test
  void refusesWhatIsNoJson() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> JsonText.of(Map.of("a", new StringBuilder("secret"))))
        .withMessageNotContaining("secret");
  }
}
