package io.github.credentialmanager.okhttp;

import io.github.credentialmanager.sdk.AccessToken;
import io.github.credentialmanager.sdk.Secret;
import io.github.credentialmanager.sdk.TokenProvider;
import io.github.credentialmanager.sdk.TokenRequest;
import java.time.Duration;
import java.time.InstantSource;
import org.jspecify.annotations.Nullable;

/** Tokens {@code token-1}, {@code token-2}, …: the next one when the last was rejected. */
final class CountedTokens implements TokenProvider {
  private final InstantSource clock;
  private @Nullable AccessToken current;
  private int issued;

  CountedTokens(InstantSource clock) {
    this.clock = clock;
  }

  @Override
  public synchronized AccessToken getToken(TokenRequest request) {
    if (current == null) {
      issued++;
      current =
          AccessToken.builder(
                  request.appId(),
                  Secret.of("token-" + issued),
                  clock.instant().plus(Duration.ofHours(1)))
              .issuedAt(clock.instant())
              .build();
    }
    return current;
  }

  @Override
  public synchronized void rejected(TokenRequest request, AccessToken token) {
    if (token.equals(current)) {
      current = null;
    }
  }
}
