package io.github.credentialmanager.ops;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "list-keys",
    description = {
      "Lists the Apps' keys in this account and region: App, role in the App table, Status tag, KMS"
          + " state, creation, fingerprint as on the App's settings page, ARN."
    },
    footer = {"%nExample:", "  credential-manager list-keys --app-id 123456 --output json"})
final class ListKeysCommand extends ToolCommand {
  private static final String LINE = "%-10s %-8s %-8s %-15s %-20s %-51s %s";

  @Option(
      names = "--app-id",
      paramLabel = "<appId>",
      converter = AppIdConverter.class,
      description = "Only this App's keys.")
  private @Nullable Long appId;

  @Option(
      names = "--table",
      paramLabel = "NAME",
      description = "An App table that is not tagged as one; can be repeated.")
  private List<String> tables = new ArrayList<>();

  @Override
  Result run(Session session) {
    List<KeyInventory.Key> keys =
        session.inventory(tables).keys().stream()
            .filter(key -> appId == null || key.appId().equals(appId.toString()))
            .sorted(
                Comparator.comparing(KeyInventory.Key::appId)
                    .thenComparing(key -> key.use().role())
                    .thenComparing(KeyInventory.Key::created))
            .toList();
    ObjectNode json = json();
    ArrayNode array = json.putArray("keys");
    List<String> lines = new ArrayList<>();
    lines.add(
        LINE.formatted("APP", "ROLE", "STATUS", "STATE", "CREATED", "FINGERPRINT", "KEY").strip());
    for (KeyInventory.Key key : keys) {
      lines.add(
          LINE.formatted(
              key.appId(),
              key.use().role(),
              key.status(),
              key.metadata().keyStateAsString(),
              Timestamps.format(key.created()),
              Optional.ofNullable(key.fingerprint()).orElse("-"),
              key.arn()));
      array.add(jsonOf(key));
    }
    return Result.ok(json, lines);
  }

  private static ObjectNode jsonOf(KeyInventory.Key key) {
    Instant deletedOn = key.metadata().deletionDate();
    return json()
        .put("appId", key.appId())
        .put("role", key.use().role().name())
        .put("table", key.use().table())
        .put("status", key.status())
        .put("state", key.metadata().keyStateAsString())
        .put("createdOn", Timestamps.format(key.created()))
        .put("replacedOn", key.tags().get(KeyTags.REPLACED_ON))
        .put("deletedOn", deletedOn == null ? null : Timestamps.format(deletedOn))
        .put("fingerprint", key.fingerprint())
        .put("keyArn", key.arn());
  }
}
