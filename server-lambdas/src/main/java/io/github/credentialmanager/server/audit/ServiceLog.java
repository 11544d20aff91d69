package io.github.credentialmanager.server.audit;

import io.github.credentialmanager.server.json.JsonText;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Everything this service says of itself, one JSON object a line.
 *
 * <p>Callers choose what a line holds. They never hand it an event, a header, a token, a JWT, a
 * signature or the message of another's exception. Should one hold something that looks like a
 * token all the same, it is taken out.
 *
 * <p>Safe for use by multiple threads, if the sink is.
 */
public final class ServiceLog {
  /** The value of the dimension {@code service} of all metrics. */
  public static final String SERVICE = "Credential Manager";

  // GitHub's tokens in either form, and JWTs. Lines hold none; a caller may put one where an id
  // goes.
  private static final Pattern SECRET =
      Pattern.compile(
          "gh[pousr]_[A-Za-z0-9._-]{16,}|eyJ[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+");

  private static final String NAMESPACE = "CredentialManager";

  private final Consumer<String> sink;
  private final InstantSource clock;

  public ServiceLog(Consumer<String> sink, InstantSource clock) {
    this.sink = sink;
    this.clock = clock;
  }

  /**
   * Writes one line.
   *
   * @param event what happened, in the past tense
   * @throws RuntimeException what the sink throws
   */
  public void write(String event, Map<String, ? extends @Nullable Object> members) {
    Map<String, @Nullable Object> line = new HashMap<>(members);
    line.put("event", event);
    line.put("time", clock.instant().toString());
    writeAsIs(JsonText.line(line));
  }

  /**
   * Writes one line that counts as 1 for a CloudWatch metric, by the embedded metric format.
   *
   * @param metric what someone should look at, and the event of the line
   */
  public void alarm(String metric, Map<String, ? extends @Nullable Object> members) {
    Map<String, @Nullable Object> line = new HashMap<>(members);
    line.put("service", SERVICE);
    line.put(metric, 1);
    line.put(
        "_aws",
        Map.of(
            "Timestamp",
            clock.instant().toEpochMilli(),
            "CloudWatchMetrics",
            List.of(
                Map.of(
                    "Namespace",
                    NAMESPACE,
                    "Dimensions",
                    List.of(List.of("service")),
                    "Metrics",
                    List.of(Map.of("Name", metric, "Unit", "Count"))))));
    write(metric, line);
  }

  /**
   * Writes a line that is one already, but for what looks like a token in it.
   *
   * @param json an object, without a line break
   * @throws RuntimeException what the sink throws
   */
  public void writeAsIs(String json) {
    sink.accept(SECRET.matcher(json).replaceAll("[redacted]"));
  }
}
