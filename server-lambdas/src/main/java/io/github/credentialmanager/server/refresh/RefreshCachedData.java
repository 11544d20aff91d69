package io.github.credentialmanager.server.refresh;

import io.github.credentialmanager.server.functionurl.Answer;
import io.github.credentialmanager.server.functionurl.Operation;
import io.github.credentialmanager.server.functionurl.Request;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;

/**
 * Brings the Installation table up to date when asked to.
 *
 * <p>An App that fails shows in the log and as a metric; the caller is told of a failure only if no
 * App could be brought up to date.
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
    List<AppResult> results = reconciler.run(request.deadline());
    if (!results.isEmpty() && results.stream().allMatch(app -> app.failure().isPresent())) {
      throw results.get(0).failure().orElseThrow();
    }
    return Answer.of(
        Map.of(
            "message",
            "Installation sync completed.",
            "refreshedDate",
            clock.instant().toString()));
  }
}
