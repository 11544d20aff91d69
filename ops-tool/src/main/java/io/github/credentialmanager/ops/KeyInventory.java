package io.github.credentialmanager.ops;

import io.github.credentialmanager.ops.AppTable.Row;
import io.github.credentialmanager.ops.KeyManagerException.Reason;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.kms.model.KeyMetadata;
import software.amazon.awssdk.services.kms.model.KeyState;

/** All keys of GitHub Apps in an account and region, and what the App tables use them for. */
final class KeyInventory {
  /** What a key is to the tables. */
  enum Role {
    LIVE,
    PREVIOUS,
    /** Its retirement has begun. */
    RETIRING,
    /** In no App table. */
    UNUSED
  }

  /** Where a table names a key. */
  record Use(Role role, long appId, String table) {
    static final Use NONE = new Use(Role.UNUSED, 0, "");
  }

  /** One key. */
  record Key(
      KeyMetadata metadata, Map<String, String> tags, @Nullable String fingerprint, Use use) {
    String arn() {
      return metadata.arn();
    }

    /** The App it serves, or was made for. */
    String appId() {
      return use.role() == Role.UNUSED
          ? tags.getOrDefault(KeyTags.APP_ID, "")
          : Long.toString(use.appId());
    }

    String status() {
      return tags.getOrDefault(KeyTags.STATUS, "");
    }

    KeyState state() {
      return metadata.keyState();
    }

    Instant created() {
      return metadata.creationDate();
    }
  }

  private final KmsKeys keys;
  private final TaggedResources resources;
  private final Function<String, AppTable> tables;
  private final Collection<String> tableNames;

  KeyInventory(
      KmsKeys keys,
      TaggedResources resources,
      Function<String, AppTable> tables,
      Collection<String> tableNames) {
    this.keys = keys;
    this.resources = resources;
    this.tables = tables;
    this.tableNames = tableNames;
  }

  /**
   * Every tagged key and every key that a table names, but not those that no longer exist.
   *
   * @throws KeyManagerException if there is no App table, so that nobody could tell live keys
   */
  List<Key> keys() {
    Map<String, Use> uses = uses();
    Set<String> arns = new LinkedHashSet<>(uses.keySet());
    arns.addAll(resources.keys());
    List<Key> found = new ArrayList<>();
    for (String arn : arns) {
      keys.describe(arn)
          .map(
              metadata ->
                  new Key(
                      metadata,
                      keys.tags(arn),
                      fingerprint(metadata),
                      uses.getOrDefault(arn, Use.NONE)))
          .ifPresent(found::add);
    }
    return found;
  }

  /** What the tables name now, by ARN. */
  Map<String, Use> uses() {
    if (tableNames.isEmpty()) {
      throw new KeyManagerException(
          Reason.BAD_CONFIGURATION,
          "No table here is tagged as an App table, so it cannot be told which keys are live: give --table");
    }
    Map<String, Use> uses = new LinkedHashMap<>();
    Map<String, String> arns = new HashMap<>();
    Map<String, Use> live = new HashMap<>();
    for (String table : tableNames) {
      for (Row row : tables.apply(table).rows()) {
        note(uses, arns, row.retiring(), new Use(Role.RETIRING, row.appId(), table));
        note(uses, arns, row.previous(), new Use(Role.PREVIOUS, row.appId(), table));
        note(live, arns, row.live(), new Use(Role.LIVE, row.appId(), table));
      }
    }
    uses.putAll(live); // being live anywhere outweighs everything else
    return uses;
  }

  private void note(
      Map<String, Use> uses, Map<String, String> arns, @Nullable String name, Use use) {
    if (name != null) {
      uses.put(arns.computeIfAbsent(name, this::arnOf), use);
    }
  }

  /** Rows hold ARNs; should one hold a bare id or an alias, its ARN is asked for. */
  private String arnOf(String name) {
    return name.matches("arn:[^:]+:kms:[^:]+:[^:]+:key/.+")
        ? name
        : keys.describe(name).map(KeyMetadata::arn).orElse(name);
  }

  private @Nullable String fingerprint(KeyMetadata key) {
    return Optional.of(key)
        .filter(metadata -> metadata.keyState() == KeyState.ENABLED)
        .map(metadata -> Fingerprint.of(keys.publicKey(metadata.arn())))
        .orElse(null);
  }
}
