package io.github.credentialmanager.server.tracking;

import io.github.credentialmanager.server.contract.Reason;
import io.github.credentialmanager.server.contract.ServiceException;
import io.github.credentialmanager.server.functionurl.Diagnosis;
import io.github.credentialmanager.server.functionurl.Failures;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * What a run did for one App: how much of what, how much was skipped or failed, and why.
 *
 * <p>Safe for use by multiple threads.
 */
public final class AppReport {
  private final long appId;
  private final Map<String, Integer> done = new LinkedHashMap<>();
  private final Map<String, Integer> skipped = new TreeMap<>();
  private final Map<String, Integer> failed = new TreeMap<>();
  private Optional<RuntimeException> firstFailure = Optional.empty();
  private boolean reached;

  /**
   * @param done what is counted, even if it stays zero
   */
  public AppReport(long appId, String... done) {
    this.appId = appId;
    Stream.of(done).forEach(what -> this.done.put(what, 0));
  }

  public long appId() {
    return appId;
  }

  /** Remembers that the work on the App has begun: what fails from now on is a part of it. */
  public synchronized void reached() {
    reached = true;
  }

  /** Counts what was done. */
  public synchronized void did(String what, int times) {
    done.merge(what, times, Integer::sum);
  }

  /** Counts what was left alone on purpose. */
  public synchronized void skipped(String why, int times) {
    if (times > 0) {
      skipped.merge(why, times, Integer::sum);
    }
  }

  /** Counts what was left alone because it was refused. */
  public void skipped(RuntimeException refusal, int times) {
    skipped(reason(refusal), times);
  }

  /** Counts what could not be done. */
  public synchronized void failed(RuntimeException failure, int times) {
    failed.merge(reason(failure), times, Integer::sum);
    if (firstFailure.isEmpty()) {
      firstFailure = Optional.of(failure);
    }
  }

  /** Why it failed, in the words of the wire contract. */
  static String reason(RuntimeException failure) {
    ServiceException error = Failures.toServiceException(failure);
    return error.reason().orElse(Reason.INTERNAL).name();
  }

  /** How often that was done. */
  public synchronized int count(String what) {
    return done.getOrDefault(what, 0);
  }

  public synchronized int countSkipped() {
    return sum(skipped);
  }

  public synchronized boolean hasFailures() {
    return firstFailure.isPresent();
  }

  /** A failure, if because of such the work on no App could begin. */
  public static Optional<RuntimeException> totalFailure(List<AppReport> reports) {
    List<RuntimeException> failures =
        reports.stream().flatMap(report -> report.totalFailure().stream()).toList();
    return failures.size() == reports.size() ? failures.stream().findFirst() : Optional.empty();
  }

  private synchronized Optional<RuntimeException> totalFailure() {
    return reached ? Optional.empty() : firstFailure;
  }

  /** The members of a log line. */
  public synchronized Map<String, Object> toJson() {
    Map<String, Object> members = new TreeMap<>(done);
    members.put("appId", appId);
    members.put("skipped", sum(skipped));
    if (!skipped.isEmpty()) {
      members.put("skippedBecause", new TreeMap<>(skipped));
    }
    members.put("failed", sum(failed));
    if (!failed.isEmpty()) {
      members.put("failedBecause", new TreeMap<>(failed));
    }
    return members;
  }

  /** What a log line says of the first failure besides. */
  public synchronized Map<String, Object> diagnosis() {
    return Diagnosis.of(firstFailure.orElse(null));
  }

  private static int sum(Map<String, Integer> counts) {
    return counts.values().stream().mapToInt(Integer::intValue).sum();
  }
}
