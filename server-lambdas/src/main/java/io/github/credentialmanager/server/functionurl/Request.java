package io.github.credentialmanager.server.functionurl;

import static java.util.Objects.requireNonNull;

import io.github.credentialmanager.server.json.JsonObject;
import io.github.credentialmanager.server.outbound.Deadline;

/**
 * What an operation is asked.
 *
 * @param input the body; without members if there was none
 */
public record Request(JsonObject input, Caller caller, Deadline deadline) {
  public Request {
    requireNonNull(input, "input");
    requireNonNull(caller, "caller");
    requireNonNull(deadline, "deadline");
  }
}
