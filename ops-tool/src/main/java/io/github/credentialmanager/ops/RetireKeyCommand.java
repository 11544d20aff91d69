package io.github.credentialmanager.ops;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
    name = "retire-key",
    description = {
      "Takes an App's previous key out of use: tags it Inactive and schedules its deletion.",
      "Refused while the key is live, while it was replaced less than 24 h ago (--force), and while"
          + " the live key does not prove that it signs."
    },
    footer = {
      "%nExample:",
      "  credential-manager retire-key 123456 AppTable --pending-days 7 --yes"
    })
final class RetireKeyCommand extends ToolCommand {
  @Spec
  @SuppressWarnings("NullAway.Init")
  private CommandSpec spec;

  @Mixin
  @SuppressWarnings("NullAway.Init")
  private AppInTable app;

  @Option(
      names = "--key",
      paramLabel = "ARN",
      description = "Another key of the App than its previous one, see list-keys.")
  private @Nullable String key;

  @Option(
      names = "--pending-days",
      paramLabel = "DAYS",
      defaultValue = "30",
      description = "Days until KMS deletes the key, 7 to 30; by default 30.")
  private int pendingDays;

  @Option(names = "--force", description = "Even if it was replaced less than 24 h ago.")
  private boolean force;

  @Override
  Result run(Session session) {
    if (pendingDays < 7 || pendingDays > 30) {
      throw new ParameterException(spec.commandLine(), "--pending-days must be from 7 to 30");
    }
    KeyRetirement retirement =
        new KeyRetirement(
            session.keys(),
            new KeyInspector(session.keys(), session.gitHub()),
            session.table(app.tableName),
            session.inventory(Set.of(app.tableName)),
            session.tool().clock());
    KeyRetirement.Request request = new KeyRetirement.Request(app.appId, key, pendingDays, force);
    if (session.isDryRun()) {
      return result(retirement.plan(request), true);
    }
    if (session.mustAsk()) {
      List<RetiredKey> planned = retirement.plan(request);
      if (!planned.isEmpty()) {
        session.confirm(
            "Retire %s and have KMS delete it in %d days?"
                .formatted(
                    String.join(" and ", planned.stream().map(RetiredKey::keyArn).toList()),
                    pendingDays));
      }
    }
    return result(retirement.retire(request), false);
  }

  private Result result(List<RetiredKey> keys, boolean dryRun) {
    List<String> lines = new ArrayList<>();
    ObjectNode json = json().put("appId", app.appId).put("dryRun", dryRun);
    ArrayNode retired = json.putArray("retired");
    if (keys.isEmpty()) {
      lines.add("App %d has no previous key: nothing to retire".formatted(app.appId));
    }
    for (RetiredKey retiredKey : keys) {
      String deletedOn =
          retiredKey.deletedOn() == null ? null : Timestamps.format(retiredKey.deletedOn());
      retired
          .addObject()
          .put("keyArn", retiredKey.keyArn())
          .put("fingerprint", retiredKey.fingerprint())
          .put("deletedOn", deletedOn);
      if (dryRun) {
        lines.add("Would retire " + retiredKey.keyArn());
        continue;
      }
      lines.add("Retired " + retiredKey.keyArn());
      if (deletedOn != null) {
        lines.add(
            "KMS deletes it at %s; until then: aws kms cancel-key-deletion --key-id %s"
                .formatted(deletedOn, retiredKey.keyArn()));
      }
      if (retiredKey.fingerprint() != null) {
        lines.add(
            "Now delete %s on the App's settings page too".formatted(retiredKey.fingerprint()));
      }
    }
    if (dryRun) {
      lines.add("Dry run: nothing was changed");
    }
    return Result.ok(json, lines);
  }
}
