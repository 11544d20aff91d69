package io.github.credentialmanager.ops;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.credentialmanager.ops.KeyManagerException.Reason;
import java.util.List;
import picocli.CommandLine.Command;

@Command(
    name = "get-table-name",
    description = "Prints the names of the App tables in this account and region, one a line.",
    footer = {"%nExample:", "  credential-manager get-table-name --region eu-central-1"})
final class GetTableNameCommand extends ToolCommand {
  @Override
  Result run(Session session) {
    List<String> tables = session.taggedResources().appTables();
    if (tables.isEmpty()) {
      throw new KeyManagerException(
          Reason.BAD_CONFIGURATION,
          "No table in %s is tagged as an App table: check account and region, or deploy the stack"
              .formatted(session.aws().region()));
    }
    ObjectNode json = json();
    tables.forEach(json.putArray("tables")::add);
    return Result.ok(json, tables);
  }
}
