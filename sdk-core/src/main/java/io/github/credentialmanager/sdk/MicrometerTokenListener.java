package io.github.credentialmanager.sdk;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;

/**
 * Counts what a {@link CachingTokenProvider} does, with Micrometer.
 *
 * <table>
 * <caption>Meters</caption>
 * <tr><th>name<th>type<th>tags
 * <tr><td>{@code credential.manager.token.requests}<td>counter<td>{@code result}: {@code hit}, {@code miss}
 * <tr><td>{@code credential.manager.token.waits}<td>timer<td>
 * <tr><td>{@code credential.manager.token.refreshes}<td>timer<td>{@code outcome}: {@code success}, {@code failure}; {@code
 * reason}: the {@link Reason} of a failure, else {@code none}
 * <tr><td>{@code credential.manager.token.denials}<td>counter<td>{@code reason}
 * <tr><td>{@code credential.manager.token.rejections}<td>counter<td>
 * </table>
 *
 * <p>No tag says for whom: there are as many accounts as there are customers.
 *
 * <p>Needs {@code io.micrometer:micrometer-core}, which this library does not bring. Safe for use
 * by multiple threads.
 */
public final class MicrometerTokenListener implements TokenListener {
  private static final String PREFIX = "credential.manager.token.";

  private final MeterRegistry registry;
  private final Tags tags;
  private final Counter hits;
  private final Counter misses;
  private final Counter rejections;
  private final Timer waits;
  private final Timer refreshes;

  public MicrometerTokenListener(MeterRegistry registry) {
    this(registry, Tags.empty());
  }

  /**
   * @param tags what every meter carries besides, to tell several providers apart
   */
  public MicrometerTokenListener(MeterRegistry registry, Tags tags) {
    this.registry = registry;
    this.tags = tags;
    this.hits = registry.counter(PREFIX + "requests", tags.and("result", "hit"));
    this.misses = registry.counter(PREFIX + "requests", tags.and("result", "miss"));
    this.rejections = registry.counter(PREFIX + "rejections", tags);
    this.waits = registry.timer(PREFIX + "waits", tags);
    this.refreshes =
        registry.timer(PREFIX + "refreshes", tags.and("outcome", "success", "reason", "none"));
  }

  @Override
  public void onHit(TokenRequest request) {
    hits.increment();
  }

  @Override
  public void onMiss(TokenRequest request) {
    misses.increment();
  }

  @Override
  public void onRefreshed(TokenRequest request, AccessToken token, Duration took) {
    refreshes.record(took);
  }

  @Override
  public void onRefreshFailed(
      TokenRequest request, TokenUnavailableException failure, Duration took) {
    registry
        .timer(
            PREFIX + "refreshes", tags.and("outcome", "failure", "reason", failure.reason().name()))
        .record(took);
  }

  @Override
  public void onDenied(TokenRequest request, TokenDeniedException denial) {
    registry.counter(PREFIX + "denials", tags.and("reason", denial.reason().name())).increment();
  }

  @Override
  public void onRejected(TokenRequest request, AccessToken token) {
    rejections.increment();
  }

  @Override
  public void onWaited(TokenRequest request, Duration waited) {
    waits.record(waited);
  }
}
