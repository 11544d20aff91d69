package io.github.credentialmanager.sdk;

import static java.util.Objects.requireNonNull;

/** A {@link TokenProvider} that remembers what its delegate answered. */
public final class CachingTokenProvider implements TokenProvider {
  private final TokenProvider delegate;

  private CachingTokenProvider(Builder builder) {
    this.delegate = builder.delegate;
  }

  public static Builder builder(TokenProvider delegate) {
    return new Builder(delegate);
  }

  @Override
  public AccessToken getToken(TokenRequest request) {
    return delegate.getToken(request);
  }

  /** Builds a {@link CachingTokenProvider}. */
  public static final class Builder {
    private final TokenProvider delegate;

    private Builder(TokenProvider delegate) {
      this.delegate = requireNonNull(delegate, "delegate");
    }

    public CachingTokenProvider build() {
      return new CachingTokenProvider(this);
    }
  }
}
