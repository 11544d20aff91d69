package io.github.credentialmanager.ops;

import io.github.credentialmanager.ops.AppTable.Row;
import io.github.credentialmanager.ops.KeyManagerException.Reason;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(
    name = "verify-key",
    description = {
      "Proves an App's keys by doing what the server does: state, tags, signature, GET /app.",
      "Only the live key's failures count; the previous key's are warnings."
    },
    footer = {"%nExample:", "  credential-manager verify-key 123456 AppTable"})
final class VerifyKeyCommand extends ToolCommand {
  @Mixin
  @SuppressWarnings("NullAway.Init")
  private AppInTable app;

  @Override
  Result run(Session session) {
    Row row = session.table(app.tableName).row(app.appId).orElse(null);
    if (row == null || row.live() == null) {
      throw new KeyManagerException(
          Reason.BAD_CONFIGURATION,
          "App %d has no key in %s: check App id and table, or use import-private-key"
              .formatted(app.appId, app.tableName));
    }
    KeyInspector inspector = new KeyInspector(session.keys(), session.gitHub());
    Checklist checklist = new Checklist();
    checklist.addAll(inspector.inspect(row.live(), app.appId));
    if (row.previous() != null) {
      inspector.inspect(row.previous(), app.appId).stream()
          .map(Check::asWarning)
          .map(check -> check.named("previous " + check.name()))
          .forEach(checklist::add);
    }
    return checklist.result(session.terminal());
  }
}
