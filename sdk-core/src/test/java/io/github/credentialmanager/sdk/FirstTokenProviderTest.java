package io.github.credentialmanager.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class FirstTokenProviderTest {
  private static final TokenRequest REQUEST = TokenRequest.installation(1001, "O_x");

  private final ScriptedProvider first = new ScriptedProvider(new ManualTime());
  private final ScriptedProvider second = new ScriptedProvider(new ManualTime());
  private final TokenProvider chain = TokenProvider.firstOf(first, second);

  private static TokenDeniedException denied(Reason reason) {
    return new TokenDeniedException("denied: " + reason, reason);
  }

  private static TokenUnavailableException unavailable() {
    return new TokenUnavailableException(
        "down", Reason.UNREACHABLE, Duration.ofSeconds(9), "r-1", null);
  }

  @Test
  void asksTheSecondOnlyIfTheFirstHasNone() {
    chain.getToken(REQUEST);
    assertThat(second.calls()).isZero();
    first.next(unavailable());
    chain.getToken(REQUEST);
    assertThat(second.calls()).isEqualTo(1);
  }

  @ParameterizedTest
  @EnumSource(names = {"NOT_CONFIGURED", "APP_NOT_REGISTERED", "INSTALLATION_NOT_FOUND"})
  void goesOnIfItIsNotKnownThere(Reason reason) {
    first.next(denied(reason)).next(denied(reason));
    chain.getToken(REQUEST);
    chain.getTokenAsync(REQUEST).join();
    assertThat(second.calls()).isEqualTo(2);
  }

  @ParameterizedTest
  @EnumSource(
      names = {"ACCESS_DENIED", "SCOPE_NOT_GRANTED", "INSTALLATION_SUSPENDED", "INVALID_REQUEST"})
  void doesNotLookElsewhereForWhatWasDenied(Reason reason) {
    first.next(denied(reason)).next(denied(reason));
    assertThatThrownBy(() -> chain.getToken(REQUEST)).hasMessage("denied: " + reason);
    assertThatExceptionOfType(CompletionException.class)
        .isThrownBy(() -> chain.getTokenAsync(REQUEST).join())
        .withCauseInstanceOf(TokenDeniedException.class);
    assertThat(second.calls()).isZero();
  }

  @Test
  void addsUpTheFailuresOfAll() {
    first.next(unavailable()).next(unavailable());
    second.next(denied(Reason.APP_NOT_REGISTERED)).next(denied(Reason.APP_NOT_REGISTERED));
    assertThatExceptionOfType(TokenUnavailableException.class)
        .isThrownBy(() -> chain.getToken(REQUEST))
        .withMessageContainingAll("app 1001", "[down]", "[denied: APP_NOT_REGISTERED]")
        .satisfies(
            e -> {
              assertThat(e.getSuppressed()).hasSize(2);
              assertThat(e.reason()).isEqualTo(Reason.UNREACHABLE);
              assertThat(e.retryAfter()).contains(Duration.ofSeconds(9));
              assertThat(e.requestId()).contains("r-1");
            });
    assertThatExceptionOfType(CompletionException.class)
        .isThrownBy(() -> chain.getTokenAsync(REQUEST).join())
        .withCauseInstanceOf(TokenUnavailableException.class);
  }

  @Test
  void tellsTheReasonThatTellsMost() {
    first.next(denied(Reason.NOT_CONFIGURED));
    second.next(denied(Reason.INSTALLATION_NOT_FOUND));
    assertThatExceptionOfType(TokenDeniedException.class)
        .isThrownBy(() -> chain.getToken(REQUEST))
        .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.INSTALLATION_NOT_FOUND));
  }

  @Test
  void passesOnWhatItHears() {
    AccessToken token = chain.getToken(REQUEST);
    chain.rejected(REQUEST, token);
    chain.close();
    assertThat(first.rejectedTokens()).containsExactly(token);
    assertThat(second.rejectedTokens()).containsExactly(token);
    assertThat(first.isClosed()).isTrue();
    assertThat(second.isClosed()).isTrue();
  }

  @Test
  void needsAtLeastOne() {
    assertThatIllegalArgumentException().isThrownBy(() -> TokenProvider.firstOf());
  }
}
