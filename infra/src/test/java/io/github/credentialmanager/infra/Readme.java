package io.github.credentialmanager.infra;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The module's README.md, whose code blocks tests run. */
final class Readme {
  private Readme() {}

  /** The code block that follows the comment {@code <!-- tested: NAME -->}. */
  static String block(String name) throws IOException {
    String text = Files.readString(Path.of("README.md"));
    Matcher block =
        Pattern.compile(
                "<!-- tested: " + Pattern.quote(name) + " -->\\s*```\\w*\\n(.*?)```",
                Pattern.DOTALL)
            .matcher(text);
    if (!block.find()) {
      throw new AssertionError("README.md has no block of that name: " + name);
    }
    return block.group(1);
  }
}
