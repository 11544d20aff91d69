package io.github.credentialmanager.ops;

import io.github.credentialmanager.ops.AppTable.Row;
import io.github.credentialmanager.ops.KeyInventory.Role;
import io.github.credentialmanager.ops.KeyInventory.Use;
import io.github.credentialmanager.ops.KeyManagerException.Reason;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.kms.model.KeyMetadata;
import software.amazon.awssdk.services.kms.model.KeyState;

/**
 * Takes replaced keys out of use: out of the App's row first, then tagged {@code Inactive}, then
 * scheduled for deletion. The row remembers a retirement that has begun, so that the same command
 * finishes what was cut off.
 *
 * <p>Nothing is retired unless the App's live key has just proven that it signs.
 */
final class KeyRetirement {
  /**
   * How long a replaced key stays: an operator needs time to see that the new one serves, and the
   * server's environments to read the new row.
   */
  static final Duration GRACE = Duration.ofHours(24);

  private final KmsKeys keys;
  private final KeyInspector inspector;
  private final AppTable table;
  private final KeyInventory inventory;
  private final InstantSource clock;

  /**
   * @param key the key to retire; null for the App's previous key
   * @param force whether {@link #GRACE} may be cut short
   */
  record Request(long appId, @Nullable String key, int pendingDays, boolean force) {}

  /**
   * @param name what the row or the operator calls the key, its ARN mostly
   */
  private record Target(String name, KeyMetadata key, Map<String, String> tags) {
    String arn() {
      return key.arn();
    }
  }

  /**
   * @param inventory of every App table there is: one that was copied from another names its keys
   */
  KeyRetirement(
      KmsKeys keys,
      KeyInspector inspector,
      AppTable table,
      KeyInventory inventory,
      InstantSource clock) {
    this.keys = keys;
    this.inspector = inspector;
    this.table = table;
    this.inventory = inventory;
    this.clock = clock;
  }

  /** What {@link #retire} would do now. */
  List<RetiredKey> plan(Request request) {
    return targets(request, row(request.appId())).stream()
        .map(target -> new RetiredKey(target.arn(), fingerprint(target), null))
        .toList();
  }

  /** Retires what the request names; empty if the App has no previous key. */
  List<RetiredKey> retire(Request request) {
    List<RetiredKey> retired = new ArrayList<>();
    Row row = row(request.appId());
    for (Target target : targets(request, row)) {
      String fingerprint = fingerprint(target);
      if (isAt(row.previous(), target)) {
        table.startRetiring(row);
        row = row(request.appId());
      }
      Instant deletedOn = delete(target, row, request.pendingDays());
      if (isAt(row.retiring(), target)) {
        table.finishRetiring(row);
        row = row(request.appId());
      }
      retired.add(new RetiredKey(target.arn(), fingerprint, deletedOn));
    }
    return retired;
  }

  private Row row(long appId) {
    return table
        .row(appId)
        .filter(row -> row.live() != null)
        .orElseThrow(
            () ->
                new KeyManagerException(
                    Reason.BAD_CONFIGURATION,
                    "App %d has no key in this table: `credential-manager import-private-key` imports one"
                        .formatted(appId)));
  }

  /** The keys to retire, each of which may be, while the App's live key is in order. */
  private List<Target> targets(Request request, Row row) {
    Stream<@Nullable String> named =
        request.key() != null
            ? Stream.of(request.key())
            : Stream.of(row.retiring(), row.previous());
    List<Target> targets = new ArrayList<>();
    named
        .flatMap(Stream::ofNullable)
        .distinct()
        .map(key -> target(key, row, request))
        .flatMap(Optional::stream)
        .forEach(targets::add);
    if (!targets.isEmpty()) {
      requireLiveKeyInOrder(row);
    }
    return targets;
  }

  private Optional<Target> target(String key, Row row, Request request) {
    Optional<KeyMetadata> found = keys.describe(key);
    if (found.isEmpty()) {
      if (key.equals(row.retiring()) || key.equals(row.previous())) {
        return Optional.of(
            new Target(
                key,
                KeyMetadata.builder().arn(key).keyState(KeyState.UNAVAILABLE).build(),
                Map.of()));
      }
      throw new KeyManagerException(
          Reason.BAD_CONFIGURATION,
          "There is no key %s in this account and region: `credential-manager list-keys` lists them"
              .formatted(key));
    }
    Target target = new Target(key, found.get(), keys.tags(found.get().arn()));
    requireRetirable(target, row, request);
    return Optional.of(target);
  }

  private void requireRetirable(Target target, Row row, Request request) {
    String arn = target.arn();
    Use use = inventory.uses().getOrDefault(arn, Use.NONE);
    if (use.role() == Role.LIVE) {
      throw unsafe(
          "%s is the key App %d in %s signs with: rotate that first"
              .formatted(arn, use.appId(), use.table()));
    }
    boolean inRow = isAt(row.previous(), target) || isAt(row.retiring(), target);
    String appId = target.tags().get(KeyTags.APP_ID);
    String rowId = Long.toString(row.appId());
    if (!rowId.equals(appId) && !(inRow && appId == null)) {
      throw unsafe(
          "%s is not tagged as a key of App %d (%s=%s): give the App it belongs to"
              .formatted(arn, row.appId(), KeyTags.APP_ID, appId));
    }
    boolean begun =
        isAt(row.retiring(), target) || target.key().keyState() == KeyState.PENDING_DELETION;
    if (begun || request.force()) {
      return;
    }
    Instant replaced = replacedOn(target, row).orElse(null);
    if (replaced == null) {
      throw unsafe(
          "It is not known since when %s is out of use: give --force if that is over %d h ago"
              .formatted(arn, GRACE.toHours()));
    }
    if (clock.instant().isBefore(replaced.plus(GRACE))) {
      throw unsafe(
          "%s was replaced only at %s: retire it from %s on, or give --force"
              .formatted(
                  arn, Timestamps.format(replaced), Timestamps.format(replaced.plus(GRACE))));
    }
  }

  /** Whether an attribute of the row, a key's ARN or its bare id, is this key. */
  private static boolean isAt(@Nullable String attribute, Target target) {
    return attribute != null
        && (attribute.equals(target.name())
            || attribute.equals(target.arn())
            || target.arn().endsWith("/" + attribute));
  }

  private static Optional<Instant> replacedOn(Target target, Row row) {
    if (isAt(row.previous(), target) && row.switchedOn() != null) {
      return Optional.of(row.switchedOn());
    }
    return Optional.ofNullable(target.tags().get(KeyTags.REPLACED_ON)).flatMap(Timestamps::parse);
  }

  private void requireLiveKeyInOrder(Row row) {
    inspector.inspect(String.valueOf(row.live()), row.appId()).stream()
        .filter(Check::isFailed)
        .findFirst()
        .ifPresent(
            check -> {
              throw unsafe(
                  "The App's live key is not in order, so nothing is retired (%s: %s): set that right first with `credential-manager verify-key`"
                      .formatted(check.name(), check.detail()));
            });
  }

  private @Nullable Instant delete(Target target, Row row, int pendingDays) {
    KeyState state = target.key().keyState();
    if (state == KeyState.PENDING_DELETION) {
      return target.key().deletionDate();
    }
    if (state == KeyState.UNAVAILABLE) {
      return null;
    }
    Map<String, String> tags = new HashMap<>();
    tags.put(KeyTags.STATUS, KeyTags.INACTIVE);
    if (!target.tags().containsKey(KeyTags.REPLACED_BY)) {
      tags.put(KeyTags.REPLACED_BY, String.valueOf(row.live()));
      tags.put(KeyTags.REPLACED_ON, Timestamps.format(clock.instant()));
    }
    keys.tag(target.arn(), tags);
    return keys.scheduleDeletion(target.arn(), pendingDays);
  }

  private @Nullable String fingerprint(Target target) {
    return target.key().keyState() == KeyState.ENABLED
        ? Fingerprint.of(keys.publicKey(target.arn()))
        : null;
  }

  private static KeyManagerException unsafe(String message) {
    return new KeyManagerException(Reason.UNSAFE, message);
  }
}
