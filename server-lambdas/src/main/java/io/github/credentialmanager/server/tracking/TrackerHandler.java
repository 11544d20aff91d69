package io.github.credentialmanager.server.tracking;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import io.github.credentialmanager.server.audit.ServiceLog;
import io.github.credentialmanager.server.functionurl.Diagnosis;
import io.github.credentialmanager.server.json.JsonText;
import io.github.credentialmanager.server.outbound.Deadline;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Runs a tracker each time it is invoked, whatever by: what the event says is not read.
 *
 * <p>A run of which some Apps failed ends well; its result names them. One that could do nothing
 * for any App throws, so that Lambda repeats it and in the end hands it to the on-failure
 * destination. A run that is invoked twice does no harm.
 *
 * <p>A run that ends well counts as 1 for the metric of the tracker's name and {@code Ran}, its
 * heartbeat; one that does not, for that of the name and {@code Failed}.
 *
 * <p>Safe for use by multiple threads.
 */
public final class TrackerHandler implements RequestStreamHandler {
  /** Kept back from Lambda's time, to write the log and the result. */
  private static final Duration LAST_WORDS = Duration.ofSeconds(5);

  private static final Duration WITHOUT_CONTEXT = Duration.ofMinutes(5);

  private final String name;
  private final Tracker tracker;
  private final ServiceLog log;

  /**
   * @param name of the tracker in metrics
   */
  public TrackerHandler(String name, Tracker tracker, ServiceLog log) {
    this.name = name;
    this.tracker = tracker;
    this.log = log;
  }

  @Override
  public void handleRequest(InputStream event, OutputStream result, @Nullable Context context)
      throws IOException {
    List<AppReport> reports = run(Deadline.in(time(context)));
    Map<String, Object> summary = summary(reports);
    Optional<RuntimeException> failure = AppReport.totalFailure(reports);
    if (failure.isPresent()) {
      throw failed(summary, failure.get());
    }
    log.alarm(name + "Ran", summary);
    Map<String, Object> answer = new TreeMap<>(summary);
    answer.put("results", reports.stream().map(AppReport::toJson).toList());
    result.write(JsonText.of(answer).getBytes(UTF_8));
  }

  private static Duration time(@Nullable Context context) {
    return context == null
        ? WITHOUT_CONTEXT
        : Duration.ofMillis(context.getRemainingTimeInMillis()).minus(LAST_WORDS);
  }

  private List<AppReport> run(Deadline deadline) {
    try {
      return tracker.run(deadline);
    } catch (RuntimeException e) {
      throw failed(Map.of(), e);
    }
  }

  private static Map<String, Object> summary(List<AppReport> reports) {
    return Map.of(
        "apps",
        reports.size(),
        "appsWithFailures",
        reports.stream().filter(AppReport::hasFailures).count());
  }

  private RunFailedException failed(Map<String, Object> summary, RuntimeException failure) {
    String reason = AppReport.reason(failure);
    Map<String, Object> line = new TreeMap<>(summary);
    line.put("reason", reason);
    line.putAll(Diagnosis.of(failure));
    log.alarm(name + "Failed", line);
    return new RunFailedException(reason);
  }

  /**
   * Says that a run could do nothing.
   *
   * <p>It has no cause and no stack trace, for Lambda would print them: what is known of the
   * failure has been logged in the form of this service's log.
   */
  static final class RunFailedException extends RuntimeException {
    private static final long serialVersionUID = 1;

    RunFailedException(String reason) {
      super("Nothing could be done for any App: " + reason, null, false, false);
    }
  }
}
