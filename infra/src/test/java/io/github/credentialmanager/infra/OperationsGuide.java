package io.github.credentialmanager.infra;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The module's OPERATIONS.md, whose code blocks tests run. */
final class OperationsGuide {
  private OperationsGuide() {}

  /** The code block that follows the comment {@code <!-- tested: NAME -->}. */
  static String block(String name) throws IOException {
    String text = Files.readString(Path.of("OPERATIONS.md"));
    Matcher block =
        Pattern.compile(
                "<!-- tested: " + Pattern.quote(name) + " -->\\s*```\\w*\\n(.*?)```",
                Pattern.DOTALL)
            .matcher(text);
    if (!block.find()) {
      throw new AssertionError("OPERATIONS.md has no block of that name: " + name);
    }
    return block.group(1);
  }

  /** The table of costs: how many there are of each type of resource. */
  static Map<String, Integer> counts() throws IOException {
    Map<String, Integer> counts = new TreeMap<>();
    Pattern.compile("^\\| `(AWS::[A-Za-z:]+)` \\| (\\d+) \\|", Pattern.MULTILINE)
        .matcher(Files.readString(Path.of("OPERATIONS.md")))
        .results()
        .forEach(row -> counts.put(row.group(1), Integer.valueOf(row.group(2))));
    return counts;
  }
}
