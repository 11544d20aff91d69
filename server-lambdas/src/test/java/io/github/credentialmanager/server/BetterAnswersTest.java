package io.github.credentialmanager.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Holds {@code docs/better-answers.md} to the tests and exchanges that it names. */
class BetterAnswersTest {
  private static final Pattern NAMED =
      Pattern.compile("`([A-Za-z0-9/-]+)`(?: \\(([A-Za-z, ]+)\\))?");
  private static final Path GOLDEN = Path.of("..", "model", "src", "main", "resources", "golden");

  static Stream<String> rows() throws IOException {
    List<String> lines = Files.readAllLines(Path.of("..", "docs", "better-answers.md"));
    List<String> rows = lines.stream().filter(line -> line.startsWith("| ")).skip(1).toList();
    assertThat(rows).as("rows of the contract's table, and more").hasSizeGreaterThanOrEqualTo(14);
    return rows.stream();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("rows")
  void eachIsHeldByWhatThereIs(String row) throws Exception {
    String[] cells = row.split("\\|", -1);
    List<MatchResult> named = NAMED.matcher(cells[3]).results().toList();
    assertThat(named).as("tests of this row").isNotEmpty();
    String folder = "";
    for (MatchResult each : named) {
      String name = each.group(1);
      if (name.endsWith("Test")) {
        requireTests(name, each.group(2));
      } else {
        folder = name.contains("/") ? name.substring(0, name.indexOf('/')) : folder;
        String file = name.contains("/") ? name : folder + "/" + name;
        assertThat(GOLDEN.resolve(file + ".json")).isRegularFile();
      }
    }
  }

  private static void requireTests(String testClass, String members) throws Exception {
    Class<?> test = find(testClass);
    if (members == null) {
      return;
    }
    List<String> there = new ArrayList<>();
    Arrays.stream(test.getDeclaredClasses())
        .forEach(
            nested -> {
              there.add(nested.getSimpleName());
              there.addAll(methods(nested));
            });
    there.addAll(methods(test));
    assertThat(there).contains(members.split(", "));
  }

  private static List<String> methods(Class<?> test) {
    return Arrays.stream(test.getDeclaredMethods()).map(Method::getName).toList();
  }

  private static Class<?> find(String simpleName) throws Exception {
    Path sources = Path.of("src", "test", "java");
    try (Stream<Path> files = Files.walk(sources)) {
      Path file =
          files
              .filter(path -> path.endsWith(simpleName + ".java"))
              .findFirst()
              .orElseThrow(() -> new AssertionError("no test " + simpleName));
      return Class.forName(
          sources.relativize(file).toString().replace(".java", "").replace('/', '.'));
    }
  }
}
