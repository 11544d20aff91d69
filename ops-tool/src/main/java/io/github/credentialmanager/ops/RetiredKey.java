package io.github.credentialmanager.ops;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A key taken out of use.
 *
 * @param fingerprint how the App's settings page shows it, where it should be deleted too; null if
 *     KMS no longer tells
 * @param deletedOn when KMS deletes it; until then the deletion can be cancelled. Null if nothing
 *     was done because the run was a dry one
 */
record RetiredKey(String keyArn, @Nullable String fingerprint, @Nullable Instant deletedOn) {}
