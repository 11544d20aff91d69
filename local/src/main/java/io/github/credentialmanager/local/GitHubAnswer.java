package io.github.credentialmanager.local;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the GitHub double answers.
 *
 * @param body null for none
 */
record GitHubAnswer(int status, Map<String, String> headers, @Nullable JsonNode body) {
  static GitHubAnswer of(int status, JsonNode body) {
    return new GitHubAnswer(status, Map.of(), body);
  }

  /** An error as GitHub words them. */
  static GitHubAnswer error(int status, String message) {
    return error(status, message, "https://docs.github.com/rest");
  }

  static GitHubAnswer error(int status, String message, String documentation) {
    return of(
        status,
        JsonNodeFactory.instance
            .objectNode()
            .put("message", message)
            .put("documentation_url", documentation)
            .put("status", Integer.toString(status)));
  }

  GitHubAnswer with(String header, String value) {
    Map<String, String> more = new LinkedHashMap<>(headers);
    more.put(header, value);
    return new GitHubAnswer(status, more, body);
  }
}
