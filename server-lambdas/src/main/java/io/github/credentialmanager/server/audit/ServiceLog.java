package io.github.credentialmanager.server.audit;

import static java.util.Objects.requireNonNull;

import io.github.credentialmanager.server.json.JsonText;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Everything this service says of itself, one JSON object a line.
 *
 * <p>Callers choose what a line holds. They never hand it an event, a header, a token, a JWT, a
 * signature or the message of another's exception.
 *
 * <p>Safe for use by multiple threads, if the sink is.
 */
public final class ServiceLog {
  private static final String NAMESPACE = "CredentialManager";
  private static final String SERVICE = "Credential Manager";

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
    sink.accept(JsonText.line(line));
  }

  /**
   * Writes one line that counts as 1 for a CloudWatch metric, by the embedded metric format.
   *
   * @param metric what someone should look at, and the event of the line
   */
  public void alarm(String metric, Map<String, ? extends @Nullable Object> members) {
    measure(metric, NAMESPACE, Map.of(), List.of(Metric.count(metric, 1)), members);
  }

  /**
   * Writes one line that CloudWatch reads as metrics, by the embedded metric format.
   *
   * @param event what happened, in the past tense
   * @param namespace of the metrics
   * @param dimensions of the metrics, besides {@code service}, which is always one
   * @param metrics at most 100
   * @param members what else the line says
   */
  public void measure(
      String event,
      String namespace,
      Map<String, String> dimensions,
      List<Metric> metrics,
      Map<String, ? extends @Nullable Object> members) {
    Map<String, String> all = new TreeMap<>(dimensions);
    all.put("service", SERVICE);
    Map<String, @Nullable Object> line = new HashMap<>(members);
    line.putAll(all);
    metrics.forEach(metric -> line.put(metric.name(), metric.value()));
    line.put(
        "_aws",
        Map.of(
            "Timestamp",
            clock.instant().toEpochMilli(),
            "CloudWatchMetrics",
            List.of(
                Map.of(
                    "Namespace",
                    namespace,
                    "Dimensions",
                    List.of(List.copyOf(all.keySet())),
                    "Metrics",
                    metrics.stream().map(Metric::definition).toList()))));
    write(event, line);
  }

  /**
   * A number for CloudWatch.
   *
   * @param unit as CloudWatch names it
   * @param value a {@link Long}, or a {@link Double} that is a number and finite
   */
  public record Metric(String name, String unit, Number value) {
    public Metric {
      requireNonNull(name, "name");
      requireNonNull(unit, "unit");
      if (!Double.isFinite(value.doubleValue())) {
        throw new IllegalArgumentException(name + " is no number");
      }
    }

    public static Metric count(String name, long value) {
      return new Metric(name, "Count", value);
    }

    private Map<String, String> definition() {
      return Map.of("Name", name, "Unit", unit);
    }
  }
}
