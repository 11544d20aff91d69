package io.github.credentialmanager.server.refresh;

import static java.util.Objects.requireNonNull;

import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What a run did for one App.
 *
 * @param seen installations that GitHub lists
 * @param skipped installations without an account, and rows that could not be deleted safely
 * @param failure what ended the run of this App early
 */
record AppResult(
    long appId,
    int seen,
    int written,
    int deleted,
    int skipped,
    Optional<RuntimeException> failure) {
  AppResult {
    requireNonNull(failure, "failure");
  }

  Map<String, Object> toJson() {
    Map<String, Object> members = new TreeMap<>();
    members.put("appId", appId);
    members.put("seen", seen);
    members.put("written", written);
    members.put("deleted", deleted);
    members.put("skipped", skipped);
    failure.ifPresent(e -> members.put("failure", e.getClass().getSimpleName()));
    return members;
  }

  /** Counts while the run goes on. */
  static final class Builder {
    private final long appId;
    int seen;
    int written;
    int deleted;
    int skipped;

    Builder(long appId) {
      this.appId = appId;
    }

    AppResult build() {
      return new AppResult(appId, seen, written, deleted, skipped, Optional.empty());
    }

    AppResult failed(RuntimeException failure) {
      return new AppResult(appId, seen, written, deleted, skipped, Optional.of(failure));
    }
  }
}
