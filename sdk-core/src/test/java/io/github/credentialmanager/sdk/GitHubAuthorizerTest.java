package io.github.credentialmanager.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.credentialmanager.sdk.GitHubAuthorizer.Resend;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GitHubAuthorizerTest {
  private static final TokenRequest REQUEST = TokenRequest.installation(1001, "O_x");

  private final ManualTime time = new ManualTime();
  private final ScriptedProvider source = new ScriptedProvider(time);
  private final CachingTokenProvider cache =
      CachingTokenProvider.builder(source).clock(time).executor(Runnable::run).build();
  private final GitHubAuthorizer authorizer =
      GitHubAuthorizer.builder(cache, REQUEST).clock(time).build();

  @ParameterizedTest
  @ValueSource(ints = {401, 403, 404})
  void aYoungTokenIsSentAgainAfterOneSecondThenTwo(int status) {
    AccessToken token = authorizer.token();
    assertThat(authorizer.afterResponse(token, status, 1))
        .contains(new Resend(Duration.ofSeconds(1), token));
    time.advance(Duration.ofSeconds(1));
    assertThat(authorizer.afterResponse(token, status, 2))
        .contains(new Resend(Duration.ofSeconds(2), token));
    time.advance(Duration.ofSeconds(2));
    assertThat(authorizer.afterResponse(token, status, 3)).isEmpty();
    assertThat(source.calls()).as("no other token was minted").isEqualTo(1);
  }

  @Test
  void a401ToAnOlderTokenGetsANewOneAtOnce() {
    AccessToken old = authorizer.token();
    time.advance(Duration.ofSeconds(5));
    Optional<Resend> resend = authorizer.afterResponse(old, 401, 1);
    assertThat(resend).map(Resend::delay).contains(Duration.ZERO);
    assertThat(resend)
        .map(Resend::token)
        .contains(authorizer.token())
        .isNotEqualTo(Optional.of(old));
    assertThat(source.rejectedTokens()).containsExactly(old);
  }

  @ParameterizedTest
  @ValueSource(ints = {200, 201, 301, 304, 400, 403, 404, 422, 429, 500, 502})
  void everythingElseIsTheCallers(int status) {
    AccessToken token = authorizer.token();
    time.advance(Duration.ofSeconds(5));
    assertThat(authorizer.afterResponse(token, status, 1)).isEmpty();
    assertThat(source.rejectedTokens()).isEmpty();
  }

  @Test
  void a401ThatPersistsReachesTheCaller() {
    AccessToken sent = authorizer.token();
    time.advance(Duration.ofSeconds(60));
    int attempt = 1;
    for (Optional<Resend> resend = authorizer.afterResponse(sent, 401, attempt);
        resend.isPresent();
        resend = authorizer.afterResponse(sent, 401, ++attempt)) {
      sent = resend.get().token();
      time.advance(resend.get().delay());
    }
    assertThat(attempt).isLessThanOrEqualTo(4);
    assertThat(source.calls()).isEqualTo(2);
  }

  @Test
  void a401ThatPersistsEndsEvenIfEveryAskGivesANewToken() {
    GitHubAuthorizer uncached = GitHubAuthorizer.builder(source, REQUEST).clock(time).build();
    AccessToken sent = uncached.token();
    int attempt = 1;
    for (time.advance(Duration.ofSeconds(6));
        attempt < 100;
        time.advance(Duration.ofSeconds(6)), attempt++) {
      Optional<Resend> resend = uncached.afterResponse(sent, 401, attempt);
      if (resend.isEmpty()) {
        break;
      }
      sent = resend.get().token();
    }
    assertThat(attempt).isEqualTo(4);
  }

  @Test
  void a401IsTheAnswerIfThereIsNoNewToken() {
    AccessToken old = authorizer.token();
    time.advance(Duration.ofSeconds(60));
    source.next(new TokenDeniedException("suspended", Reason.INSTALLATION_SUSPENDED));
    assertThat(authorizer.afterResponse(old, 401, 1)).isEmpty();
  }

  @Test
  void theSameTokenIsNotSentTwiceInVain() {
    GitHubAuthorizer fixed =
        GitHubAuthorizer.builder(TokenProvider.fixed(Secret.of("t")), REQUEST).clock(time).build();
    assertThat(fixed.afterResponse(fixed.token(), 401, 1)).isEmpty();
    assertThat(fixed.afterResponse(fixed.token(), 404, 1)).isEmpty();
  }

  @Test
  void aTokenFromTheFutureIsNotYoung() {
    AccessToken token = authorizer.token();
    time.set(ManualTime.START.minus(Duration.ofHours(1)));
    assertThat(authorizer.afterResponse(token, 404, 1)).isEmpty();
  }

  @Test
  void doesTheSameWithoutBlocking() {
    AccessToken old = authorizer.token();
    assertThat(authorizer.afterResponseAsync(old, 404, 1))
        .isCompletedWithValue(Optional.of(new Resend(Duration.ofSeconds(1), old)));
    time.advance(Duration.ofSeconds(60));
    assertThat(authorizer.afterResponseAsync(old, 401, 1).join())
        .map(Resend::token)
        .contains(authorizer.token());
  }

  @Test
  void countsAttemptsFromOne() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> authorizer.afterResponse(authorizer.token(), 401, 0));
  }
}
