package io.github.credentialmanager.sdk.conformance;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.credentialmanager.sdk.AccessToken;
import io.github.credentialmanager.sdk.CredentialManagerException;
import io.github.credentialmanager.sdk.Secret;
import io.github.credentialmanager.sdk.TokenDeniedException;
import io.github.credentialmanager.sdk.TokenProvider;
import io.github.credentialmanager.sdk.TokenRequest;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What every {@link TokenProvider} promises, as tests.
 *
 * <pre>{@code
 * class VaultTokenProviderTest implements TokenProviderContract {
 *   public TokenProvider provider() { return new VaultTokenProvider(…); }
 *   public TokenRequest answeredRequest() { return TokenRequest.installation(1001, "O_kgDOA"); }
 *   public TokenRequest refusedRequest() { return TokenRequest.installation(9999, "O_nobody"); }
 * }
 * }</pre>
 *
 * <p>A provider that promises less makes trouble for the caches and adapters above it, which rely
 * on this.
 */
@Timeout(60)
public interface TokenProviderContract {
  /** A new provider; the test closes it. */
  TokenProvider provider();

  /** A request that the provider has a token for. */
  TokenRequest answeredRequest();

  /** A request that the provider refuses. */
  TokenRequest refusedRequest();

  @Test
  default void answersAboutTheRequest() {
    try (TokenProvider provider = provider()) {
      AccessToken token = provider.getToken(answeredRequest());
      assertEquals(answeredRequest().appId(), token.appId());
      assertEquals(answeredRequest().nodeId(), token.nodeId());
    }
  }

  @Test
  default void theTokenIsAlive() {
    try (TokenProvider provider = provider()) {
      AccessToken token = provider.getToken(answeredRequest());
      assertTrue(
          token.expirationTime().isAfter(Instant.now()), "expired at " + token.expirationTime());
      assertFalse(token.issuedAt().isAfter(Instant.now()), "issued in the future");
    }
  }

  @Test
  default void theHeaderIsTheTokenAndTheSameEachTime() {
    try (TokenProvider provider = provider()) {
      AccessToken token = provider.getToken(answeredRequest());
      assertEquals("Bearer " + token.secret().reveal(), token.authorization());
      assertSame(token.authorization(), token.authorization());
    }
  }

  @Test
  default void theTokenLivesAsLongAsAsked() {
    try (TokenProvider provider = provider()) {
      Duration wanted = Duration.ofSeconds(30);
      AccessToken token = provider.getToken(answeredRequest().withMinRemaining(wanted));
      assertFalse(token.expirationTime().isBefore(Instant.now().plus(wanted)));
    }
  }

  @Test
  default void moreLifeThanItsTokensHaveIsRefused() {
    try (TokenProvider provider = provider()) {
      Duration wanted = Duration.ofDays(300);
      try {
        AccessToken token = provider.getToken(answeredRequest().withMinRemaining(wanted));
        assertFalse(token.expirationTime().isBefore(Instant.now().plus(wanted)));
      } catch (TokenDeniedException e) {
        // The other way to keep the promise. It must not be held against those who ask for less.
        assertNotNull(provider.getToken(answeredRequest()));
      }
    }
  }

  @Test
  default void aFreshTokenCanBeHad() {
    try (TokenProvider provider = provider()) {
      assertNotNull(provider.getToken(answeredRequest().fresh()));
    }
  }

  @Test
  default void aRefusalIsACredentialManagerException() {
    try (TokenProvider provider = provider()) {
      CredentialManagerException e =
          assertThrows(CredentialManagerException.class, () -> provider.getToken(refusedRequest()));
      assertNotNull(e.reason());
      assertNotNull(e.requestId());
      assertFalse(String.valueOf(e.getMessage()).isBlank(), "a message that says what to do");
    }
  }

  @Test
  default void theFutureHasTheToken() throws Exception {
    try (TokenProvider provider = provider()) {
      AccessToken token = provider.getTokenAsync(answeredRequest()).get(30, TimeUnit.SECONDS);
      assertEquals(answeredRequest().appId(), token.appId());
      assertEquals(answeredRequest().nodeId(), token.nodeId());
    }
  }

  @Test
  default void theFutureFailsAsTheCallDoes() {
    try (TokenProvider provider = provider()) {
      CredentialManagerException called =
          assertThrows(CredentialManagerException.class, () -> provider.getToken(refusedRequest()));
      CompletableFuture<AccessToken> future =
          assertDoesNotThrow(() -> provider.getTokenAsync(refusedRequest()));
      ExecutionException e =
          assertThrows(ExecutionException.class, () -> future.get(30, TimeUnit.SECONDS));
      assertInstanceOf(called.getClass(), e.getCause());
    }
  }

  @Test
  default void whoGivesUpWaitingConcernsNobodyElse() throws Exception {
    try (TokenProvider provider = provider()) {
      CompletableFuture<AccessToken> mine = provider.getTokenAsync(answeredRequest());
      CompletableFuture<AccessToken> theirs = provider.getTokenAsync(answeredRequest());
      mine.cancel(true);
      mine.obtrudeException(new IllegalStateException("mine"));
      assertNotNull(theirs.get(30, TimeUnit.SECONDS));
      assertNotNull(provider.getToken(answeredRequest()));
    }
  }

  @Test
  default void neverPrintsTheSecret() {
    try (TokenProvider provider = provider()) {
      AccessToken token = provider.getToken(answeredRequest());
      String secret = token.secret().reveal();
      assertFalse(token.toString().contains(secret), "AccessToken.toString()");
      assertFalse(token.secret().toString().contains(secret), "Secret.toString()");
      assertFalse(provider.toString().contains(secret), "the provider's toString()");
      CredentialManagerException e =
          assertThrows(CredentialManagerException.class, () -> provider.getToken(refusedRequest()));
      StringWriter trace = new StringWriter();
      e.printStackTrace(new PrintWriter(trace));
      assertFalse(trace.toString().contains(secret), "a refusal's stack trace");
    }
  }

  @Test
  default void answersManyThreadsAtOnce() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(16);
    try (TokenProvider provider = provider()) {
      List<Future<AccessToken>> answers = new ArrayList<>();
      for (int i = 0; i < 64; i++) {
        answers.add(threads.submit(() -> provider.getToken(answeredRequest())));
      }
      for (Future<AccessToken> answer : answers) {
        assertEquals(answeredRequest().appId(), answer.get(30, TimeUnit.SECONDS).appId());
      }
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  default void goesOnAfterATokenWasRejected() {
    try (TokenProvider provider = provider()) {
      AccessToken token = provider.getToken(answeredRequest());
      AccessToken.Builder unknown =
          AccessToken.builder(
              token.appId(), Secret.of("never-issued"), Instant.now().plusSeconds(3600));
      token.nodeId().ifPresent(unknown::nodeId);
      provider.rejected(answeredRequest(), unknown.build());
      provider.rejected(answeredRequest(), token);
      assertNotNull(provider.getToken(answeredRequest()));
    }
  }

  @Test
  default void goesOnAfterAnInvalidation() {
    try (TokenProvider provider = provider()) {
      provider.invalidate(answeredRequest());
      provider.getToken(answeredRequest());
      provider.invalidate(answeredRequest());
      assertNotNull(provider.getToken(answeredRequest()));
    }
  }

  @Test
  default void warmsUp() throws Exception {
    try (TokenProvider provider = provider()) {
      provider.warm(List.of(answeredRequest(), answeredRequest())).get(30, TimeUnit.SECONDS);
      provider.warm(List.of()).get(30, TimeUnit.SECONDS);
      CompletableFuture<Void> half = provider.warm(List.of(refusedRequest(), answeredRequest()));
      ExecutionException e =
          assertThrows(ExecutionException.class, () -> half.get(30, TimeUnit.SECONDS));
      assertInstanceOf(CredentialManagerException.class, e.getCause());
    }
  }

  @Test
  @SuppressWarnings("NullAway")
  default void hasNoAnswerToNull() {
    try (TokenProvider provider = provider()) {
      assertThrows(NullPointerException.class, () -> provider.getToken(null));
    }
  }

  @Test
  default void canBeClosedTwice() {
    TokenProvider provider = provider();
    provider.getToken(answeredRequest());
    provider.close();
    provider.close();
  }
}
