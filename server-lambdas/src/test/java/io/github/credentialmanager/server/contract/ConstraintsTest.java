package io.github.credentialmanager.server.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.github.credentialmanager.server.World;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ConstraintsTest {
  private final Constraints constraints = new Constraints();

  @Test
  void letWhatIsRightThrough() {
    assertThat(constraints.required("/appId", OptionalLong.of(1), 1)).isEqualTo(1);
    assertThat(constraints.required("/nodeId", Optional.of("😀"), 1, 1)).isEqualTo("😀");
    assertThat(constraints.elements("/l", List.of(1L))).containsExactly(1L);
    constraints.check();
  }

  @Test
  void countCodePointsNotCharacters() {
    constraints.required("/nodeId", Optional.of("😀".repeat(257)), 1, 256);
    assertThat(messages())
        .containsExactly(
            "Value with length 257 at '/nodeId' failed to satisfy constraint: "
                + "Member must have length between 1 and 256, inclusive");
  }

  @Test
  void reportEverythingInTheOrderAsked() {
    constraints.required("/appId", OptionalLong.empty(), 1);
    constraints.elements("/l", Arrays.asList("a", null, null));
    constraints.atLeast("/maxResults", -1, 0);
    assertThat(messages())
        .containsExactly(
            "Value at '/appId' failed to satisfy constraint: Member must not be null",
            "Value at '/l/1' failed to satisfy constraint: Member must not be null",
            "Value at '/l/2' failed to satisfy constraint: Member must not be null",
            "Value at '/maxResults' failed to satisfy constraint: "
                + "Member must be greater than or equal to 0");
    assertThat(failure().getMessage())
        .isEqualTo(
            "4 validation errors at 4 paths detected. First failure: "
                + "Value at '/appId' failed to satisfy constraint: Member must not be null");
  }

  @Test
  void countAPathWithTwoFailuresOnce() {
    constraints.atLeast("/a", 0, 1);
    constraints.atLeast("/a", 0, 2);
    assertThat(failure().getMessage()).startsWith("2 validation errors at 1 path detected. ");
  }

  @Test
  void escapeTheNamesOfMapEntriesInAPointer() {
    Map<String, @Nullable String> permissions = new HashMap<>();
    permissions.put("a/b~c", null);
    constraints.entries("/permissions", permissions);
    assertThat(messages().get(0)).contains("'/permissions/a~1b~0c'");
  }

  private List<String> messages() {
    return World.JSON
        .valueToTree(failure().body("r"))
        .path("fieldList")
        .findValuesAsText("message");
  }

  private ServiceException failure() {
    return catchThrowableOfType(ServiceException.class, constraints::check);
  }
}
