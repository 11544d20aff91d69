package io.github.credentialmanager.examples.snippets;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Holds every {@code java} block of the READMEs to code that compiles.
 *
 * <p>A block is preceded by {@code <!-- snippet: name -->}; the code stands between {@code //
 * region name} and {@code // endregion} in this module's sources. Both must be the same lines.
 */
class ReadmeTest {
  private static final Path PROJECT = Path.of(System.getProperty("project.dir"));
  private static final Pattern BLOCK =
      Pattern.compile("(?:<!-- snippet: ([\\w-]+) -->\\s*\\n)?```java\\n(.*?)```", Pattern.DOTALL);
  private static final Pattern REGION =
      Pattern.compile("[ ]*// region ([\\w-]+)\\n(.*?)[ ]*// endregion", Pattern.DOTALL);

  @ParameterizedTest(name = "{0}")
  @MethodSource("readmes")
  void showsOnlyCodeThatCompiles(Path readme) throws IOException {
    Map<String, String> regions = regions();
    List<MatchResult> blocks = BLOCK.matcher(read(PROJECT.resolve(readme))).results().toList();

    for (MatchResult block : blocks) {
      assertThat(block.group(1)).as("name of the snippet%n%s", block.group(2)).isNotNull();
      assertThat(block.group(2))
          .as("snippet %s", block.group(1))
          .isEqualTo(regions.get(block.group(1)));
    }
  }

  static Stream<Path> readmes() throws IOException {
    List<Path> readmes = new ArrayList<>();
    try (Stream<Path> files = Files.walk(PROJECT, 3)) {
      files
          .map(PROJECT::relativize)
          .filter(file -> file.toString().endsWith(".md"))
          .filter(file -> !file.toString().contains("target"))
          .filter(file -> !file.toString().contains("node_modules"))
          .filter(file -> !file.startsWith("infra")) // The CDK is not on this class path.
          .filter(file -> read(PROJECT.resolve(file)).contains("```java"))
          .forEach(readmes::add);
    }
    assertThat(readmes).contains(Path.of("README.md"));
    return readmes.stream();
  }

  private static Map<String, String> regions() throws IOException {
    Map<String, String> regions = new HashMap<>();
    try (Stream<Path> sources = Files.walk(Path.of("src"))) {
      sources
          .filter(file -> file.toString().endsWith(".java"))
          .forEach(
              file -> {
                Matcher region = REGION.matcher(read(file));
                while (region.find()) {
                  String before =
                      regions.put(
                          region.group(1), region.group(2).stripTrailing().stripIndent() + "\n");
                  assertThat(before).as("two regions named %s", region.group(1)).isNull();
                }
              });
    }
    return regions;
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
