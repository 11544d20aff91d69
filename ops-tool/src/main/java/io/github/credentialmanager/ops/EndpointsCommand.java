package io.github.credentialmanager.ops;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "endpoints",
    description = "Prints the export lines that a client of a deployed stack needs.",
    footer = {"%nExample:", "  eval \"$(credential-manager endpoints --region eu-central-1)\""})
final class EndpointsCommand extends ToolCommand {
  @Option(
      names = "--stack",
      paramLabel = "NAME",
      description = "The CloudFormation stack, where there is more than one.")
  private @Nullable String stack;

  @Override
  Result run(Session session) {
    Map<Endpoint, URI> found = StackEndpoints.find(session.taggedResources(), stack);
    ObjectNode json = json();
    List<String> lines = new ArrayList<>();
    for (Endpoint endpoint : Endpoint.values()) {
      URI url = found.get(endpoint);
      if (url == null) {
        session
            .terminal()
            .warning("No URL found for %s: is the stack whole?".formatted(endpoint.operation()));
        continue;
      }
      json.put(endpoint.variable(), url.toString());
      lines.add("export %s='%s'".formatted(endpoint.variable(), url));
    }
    return Result.ok(json, lines);
  }
}
