package io.github.credentialmanager.benchmarks;

import io.github.credentialmanager.sdk.AccessToken;
import io.github.credentialmanager.sdk.Secret;
import io.github.credentialmanager.sdk.TokenProvider;
import io.github.credentialmanager.sdk.TokenRequest;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Issues tokens, takes its time for it, and counts.
 *
 * <p>A token has 520 characters and the form of GitHub's since October 2026, {@code
 * ghs_<APPID>_<JWT>}.
 */
final class Upstream implements TokenProvider {
  static final int TOKEN_LENGTH = 520;

  private final Duration latency;
  private final Duration life;
  private final AtomicInteger started = new AtomicInteger();
  private final AtomicInteger finished = new AtomicInteger();

  /**
   * @param latency how long a call takes
   * @param life how long a token lives
   */
  Upstream(Duration latency, Duration life) {
    this.latency = latency;
    this.life = life;
  }

  /** Calls that have begun. */
  int started() {
    return started.get();
  }

  /** Calls that have ended. */
  int finished() {
    return finished.get();
  }

  @Override
  public AccessToken getToken(TokenRequest request) {
    String token = issue(request.appId());
    AccessToken.Builder answer =
        AccessToken.builder(request.appId(), Secret.of(token), Instant.now().plus(life));
    request.nodeId().ifPresent(answer::nodeId);
    return answer.build();
  }

  /** A new token, after the latency. */
  String issue(long appId) {
    int call = started.incrementAndGet();
    try {
      TimeUnit.NANOSECONDS.sleep(latency.toNanos());
      return token(appId, call);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while issuing a token.", e);
    } finally {
      finished.incrementAndGet();
    }
  }

  private static String token(long appId, int call) {
    byte[] random = new byte[TOKEN_LENGTH];
    new Random(call).nextBytes(random);
    String text = Base64.getUrlEncoder().withoutPadding().encodeToString(random);
    String token = "ghs_" + appId + "_eyJ" + text.substring(0, 40) + "." + text.substring(40);
    return token.substring(0, TOKEN_LENGTH);
  }
}
