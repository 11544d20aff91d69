package io.github.credentialmanager.server.contract;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.Map;

/**
 * A constraint that a member of a request breaks.
 *
 * @param path a JSON pointer to the member
 * @param message what clients of the TypeScript Credential Manager read
 */
record Violation(String path, String message) {
  Violation {
    requireNonNull(path, "path");
    requireNonNull(message, "message");
  }

  Map<String, Object> toJson() {
    return Map.of("message", message, "path", path);
  }

  static String summary(List<Violation> violations) {
    String first = violations.get(0).message();
    if (violations.size() == 1) {
      return "1 validation error detected. " + first;
    }
    long paths = violations.stream().map(Violation::path).distinct().count();
    return violations.size()
        + " validation errors at "
        + paths
        + (paths == 1 ? " path" : " paths")
        + " detected. First failure: "
        + first;
  }
}
