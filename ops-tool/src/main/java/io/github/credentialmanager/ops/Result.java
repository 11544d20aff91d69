package io.github.credentialmanager.ops;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/**
 * What a command found or did.
 *
 * @param json for programs
 * @param text the same for people, in lines
 */
record Result(int exitCode, ObjectNode json, List<String> text) {
  Result {
    text = List.copyOf(text);
  }

  static Result ok(ObjectNode json, List<String> text) {
    return new Result(ExitCode.OK, json, text);
  }
}
