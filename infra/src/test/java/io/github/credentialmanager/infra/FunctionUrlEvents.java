package io.github.credentialmanager.infra;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/** What Lambda makes of a request to a Function URL: payload format 2.0. */
final class FunctionUrlEvents {
  private FunctionUrlEvents() {}

  /** A POST by a role of the function's own account. */
  static ObjectNode to(String path) {
    try (InputStream in = FunctionUrlEvents.class.getResourceAsStream("/function-url-event.json")) {
      ObjectNode event = (ObjectNode) new ObjectMapper().readTree(in);
      event.put("rawPath", path);
      event.withObject("/requestContext/http").put("path", path);
      return event;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
