package io.github.credentialmanager.server.refresh;

import io.github.credentialmanager.server.functionurl.Answer;
import io.github.credentialmanager.server.functionurl.Operation;
import io.github.credentialmanager.server.functionurl.Request;
import io.github.credentialmanager.server.tracking.AppReport;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;

/**
 * Brings the Installation table up to date when asked to.
 *
 * <p>An App that fails shows in the log and as a metric; the caller is told of a failure only if no
 * App could be read.
 */
public final class RefreshCachedData implements Operation {
  private final Reconciler reconciler;
  private final InstantSource clock;

  public RefreshCachedData(Reconciler reconciler, InstantSource clock) {
    this.reconciler = reconciler;
    this.clock = clock;
  }

  @Override
  public Answer answer(Request request) {
    Optional<RuntimeException> failure = AppReport.totalFailure(reconciler.run(request.deadline()));
    if (failure.isPresent()) {
      throw failure.get();
    }
    return Answer.of(
        Map.of(
            "message",
            "Installation sync completed.",
            "refreshedDate",
            clock.instant().toString()));
  }
}
