package io.github.credentialmanager.ops;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.credentialmanager.ops.KeyInventory.Role;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import software.amazon.awssdk.services.kms.model.KeyState;

@Command(
    name = "cleanup",
    description = {
      "Schedules the deletion of keys that imports left over: tagged Failed, or without material for"
          + " over an hour.",
      "A key that any App table names is never touched, whatever its tags say."
    },
    footer = {"%nExample:", "  credential-manager cleanup --dry-run"})
final class CleanupCommand extends ToolCommand {
  /** An import under way takes seconds. */
  private static final Duration UNDER_WAY = Duration.ofHours(1);

  /** The shortest that KMS allows: nothing was ever signed with these. */
  private static final int PENDING_DAYS = 7;

  @Option(
      names = "--table",
      paramLabel = "NAME",
      description = "An App table that is not tagged as one; can be repeated.")
  private List<String> tables = new ArrayList<>();

  @Override
  Result run(Session session) {
    KeyInventory inventory = session.inventory(tables);
    List<KeyInventory.Key> keys = inventory.keys();
    keys.stream()
        .filter(key -> key.use().role() != Role.UNUSED)
        .filter(key -> key.status().equals(KeyTags.FAILED))
        .forEach(
            key ->
                session
                    .terminal()
                    .warning(
                        "Key %s is tagged Failed but is App %s's %s key: `credential-manager verify-key` says how to set it right"
                            .formatted(
                                key.arn(),
                                key.appId(),
                                key.use().role().name().toLowerCase(java.util.Locale.ROOT))));
    Instant now = session.tool().clock().instant();
    List<KeyInventory.Key> leftOver = keys.stream().filter(key -> isLeftOver(key, now)).toList();
    if (leftOver.isEmpty() || session.isDryRun()) {
      return result(leftOver, session.isDryRun());
    }
    leftOver.forEach(key -> session.terminal().note(describe(key)));
    session.confirm("Delete %d keys in %d days?".formatted(leftOver.size(), PENDING_DAYS));
    Map<String, KeyInventory.Use> uses = inventory.uses();
    List<KeyInventory.Key> deleted = new ArrayList<>();
    for (KeyInventory.Key key : leftOver) {
      if (!uses.containsKey(key.arn())) {
        session.keys().scheduleDeletion(key.arn(), PENDING_DAYS);
        deleted.add(key);
      }
    }
    return result(deleted, false);
  }

  private static boolean isLeftOver(KeyInventory.Key key, Instant now) {
    if (key.use().role() != Role.UNUSED || key.state() == KeyState.PENDING_DELETION) {
      return false;
    }
    boolean neverImported =
        key.state() == KeyState.PENDING_IMPORT && key.created().plus(UNDER_WAY).isBefore(now);
    return neverImported || key.status().equals(KeyTags.FAILED);
  }

  private static String describe(KeyInventory.Key key) {
    return "App %s  %s  %s  created %s  %s"
        .formatted(
            key.appId(),
            key.status(),
            key.metadata().keyStateAsString(),
            Timestamps.format(key.created()),
            key.arn());
  }

  private static Result result(List<KeyInventory.Key> keys, boolean dryRun) {
    List<String> lines = new ArrayList<>();
    ObjectNode json = json().put("dryRun", dryRun).put("pendingDays", PENDING_DAYS);
    ArrayNode array = json.putArray("keys");
    for (KeyInventory.Key key : keys) {
      array
          .addObject()
          .put("keyArn", key.arn())
          .put("appId", key.appId())
          .put("status", key.status())
          .put("state", key.metadata().keyStateAsString());
      lines.add((dryRun ? "Would delete  " : "Deleted  ") + describe(key));
    }
    if (keys.isEmpty()) {
      lines.add("Nothing is left over");
    } else if (dryRun) {
      lines.add("Dry run: nothing was changed");
    } else {
      lines.add(
          "KMS deletes them in %d days; until then: aws kms cancel-key-deletion --key-id ARN"
              .formatted(PENDING_DAYS));
    }
    return Result.ok(json, lines);
  }
}
