package io.github.credentialmanager.sdk;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;

/** A provider that numbers its tokens and fails when the test says so. */
final class ScriptedProvider implements TokenProvider {
  private final ManualTime time;
  private final Deque<Function<TokenRequest, AccessToken>> script = new ArrayDeque<>();
  private final List<TokenRequest> asked = new CopyOnWriteArrayList<>();
  private final List<AccessToken> rejected = new CopyOnWriteArrayList<>();
  private Duration life = Duration.ofHours(1);
  private boolean closed;

  ScriptedProvider(ManualTime time) {
    this.time = time;
  }

  ScriptedProvider next(RuntimeException failure) {
    script.add(
        request -> {
          throw failure;
        });
    return this;
  }

  ScriptedProvider next(Function<TokenRequest, AccessToken> answer) {
    script.add(answer);
    return this;
  }

  ScriptedProvider life(Duration life) {
    this.life = life;
    return this;
  }

  int calls() {
    return asked.size();
  }

  List<TokenRequest> asked() {
    return asked;
  }

  List<AccessToken> rejectedTokens() {
    return rejected;
  }

  boolean isClosed() {
    return closed;
  }

  @Override
  public synchronized AccessToken getToken(TokenRequest request) {
    asked.add(request);
    Function<TokenRequest, AccessToken> scripted = script.poll();
    return scripted != null ? scripted.apply(request) : token(request, "token-" + asked.size());
  }

  AccessToken token(TokenRequest request, String value) {
    AccessToken.Builder token =
        AccessToken.builder(request.appId(), Secret.of(value), time.instant().plus(life))
            .issuedAt(time.instant());
    request.nodeId().ifPresent(token::nodeId);
    return token.build();
  }

  @Override
  public void rejected(TokenRequest request, AccessToken token) {
    rejected.add(token);
  }

  @Override
  public void close() {
    closed = true;
  }
}
