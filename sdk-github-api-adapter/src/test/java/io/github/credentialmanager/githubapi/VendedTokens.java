package io.github.credentialmanager.githubapi;

import io.github.credentialmanager.sdk.AccessToken;
import io.github.credentialmanager.sdk.Secret;
import io.github.credentialmanager.sdk.TokenProvider;
import io.github.credentialmanager.sdk.TokenRequest;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** Gets tokens from a {@link LoopbackGitHub}, keeps one, and counts. */
final class VendedTokens implements TokenProvider {
  private final LoopbackGitHub gitHub;
  private final InstantSource clock;
  private final List<TokenRequest> vends = new CopyOnWriteArrayList<>();
  private final boolean caching;
  private volatile Duration replication = Duration.ZERO;
  private volatile @Nullable AccessToken cached;

  private VendedTokens(LoopbackGitHub gitHub, InstantSource clock, boolean caching) {
    this.gitHub = gitHub;
    this.clock = clock;
    this.caching = caching;
  }

  static VendedTokens caching(LoopbackGitHub gitHub, InstantSource clock) {
    return new VendedTokens(gitHub, clock, true);
  }

  static VendedTokens withoutCache(LoopbackGitHub gitHub, InstantSource clock) {
    return new VendedTokens(gitHub, clock, false);
  }

  /** From now on tokens work only this long after they were issued. */
  void replicateAfter(Duration replication) {
    this.replication = replication;
  }

  /** What was asked for, each time a token was issued. */
  List<TokenRequest> vends() {
    return vends;
  }

  @Override
  public synchronized AccessToken getToken(TokenRequest request) {
    AccessToken token = cached;
    if (token == null || !token.expirationTime().isAfter(clock.instant().plusSeconds(120))) {
      vends.add(request);
      AccessToken.Builder builder =
          AccessToken.builder(
                  request.appId(),
                  Secret.of(gitHub.issueToken(replication)),
                  clock.instant().plus(Duration.ofHours(1)))
              .issuedAt(clock.instant());
      request.nodeId().ifPresent(builder::nodeId);
      token = builder.build();
      cached = caching ? token : null;
    }
    return token;
  }

  @Override
  public synchronized void rejected(TokenRequest request, AccessToken token) {
    if (token.equals(cached)) {
      cached = null;
    }
  }
}
