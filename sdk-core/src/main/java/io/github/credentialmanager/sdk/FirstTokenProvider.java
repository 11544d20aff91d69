package io.github.credentialmanager.sdk;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/** Asks one provider after the other; see {@link TokenProvider#firstOf}. */
final class FirstTokenProvider implements TokenProvider {
  /** "Not here" rather than "no": another provider may know more. */
  private static final Set<Reason> NOT_HERE =
      Set.of(Reason.NOT_CONFIGURED, Reason.APP_NOT_REGISTERED, Reason.INSTALLATION_NOT_FOUND);

  private final List<TokenProvider> providers;

  FirstTokenProvider(TokenProvider... providers) {
    this.providers = List.of(providers);
    if (this.providers.isEmpty()) {
      throw new IllegalArgumentException("Give at least one provider.");
    }
  }

  @Override
  public AccessToken getToken(TokenRequest request) {
    List<CredentialManagerException> failures = new ArrayList<>();
    for (TokenProvider provider : providers) {
      try {
        return provider.getToken(request);
      } catch (CredentialManagerException e) {
        addOrThrow(failures, e);
      }
    }
    throw allOf(request, failures);
  }

  @Override
  public CompletableFuture<AccessToken> getTokenAsync(TokenRequest request) {
    return getTokenAsync(request, 0, new ArrayList<>());
  }

  private CompletableFuture<AccessToken> getTokenAsync(
      TokenRequest request, int index, List<CredentialManagerException> failures) {
    if (index == providers.size()) {
      return CompletableFuture.failedFuture(allOf(request, failures));
    }
    return providers
        .get(index)
        .getTokenAsync(request)
        .exceptionallyCompose(
            failure -> {
              Throwable cause =
                  failure instanceof CompletionException && failure.getCause() != null
                      ? failure.getCause()
                      : failure;
              if (!(cause instanceof CredentialManagerException e)) {
                return CompletableFuture.failedFuture(cause);
              }
              addOrThrow(failures, e);
              return getTokenAsync(request, index + 1, failures);
            });
  }

  @Override
  public void rejected(TokenRequest request, AccessToken token) {
    providers.forEach(provider -> provider.rejected(request, token));
  }

  @Override
  public void invalidate(TokenRequest request) {
    providers.forEach(provider -> provider.invalidate(request));
  }

  @Override
  public void close() {
    providers.forEach(TokenProvider::close);
  }

  private static void addOrThrow(
      List<CredentialManagerException> failures, CredentialManagerException failure) {
    if (failure instanceof TokenDeniedException && !NOT_HERE.contains(failure.reason())) {
      failures.forEach(failure::addSuppressed);
      throw failure;
    }
    failures.add(failure);
  }

  /** One exception for all: unavailable if any is, since then asking again may help. */
  private static CredentialManagerException allOf(
      TokenRequest request, List<CredentialManagerException> failures) {
    StringBuilder message =
        new StringBuilder("No provider has a token for " + request.describe() + ".");
    CredentialManagerException telling = failures.get(0);
    for (CredentialManagerException failure : failures) {
      message.append(" [").append(failure.getMessage()).append(']');
      if (rank(failure) > rank(telling)) {
        telling = failure;
      }
    }
    CredentialManagerException all =
        telling instanceof TokenUnavailableException e
            ? new TokenUnavailableException(
                message.toString(),
                e.reason(),
                e.retryAfter().orElse(null),
                e.requestIdOrNull(),
                null)
            : new TokenDeniedException(
                message.toString(), telling.reason(), telling.requestIdOrNull(), null);
    failures.forEach(all::addSuppressed);
    return all;
  }

  private static int rank(CredentialManagerException failure) {
    if (failure instanceof TokenUnavailableException) {
      return 2;
    }
    return failure.reason() == Reason.NOT_CONFIGURED ? 0 : 1;
  }
}
