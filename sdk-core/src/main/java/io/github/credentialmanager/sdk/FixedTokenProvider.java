package io.github.credentialmanager.sdk;

import java.time.Instant;
import java.util.function.Function;

/**
 * Hands out tokens that the program already has; see {@link TokenProvider#fixed} and {@link
 * TokenProvider#environment}.
 */
final class FixedTokenProvider implements TokenProvider {
  /**
   * Nobody said when it ends. Not {@link Instant#MAX}, which overflows when turned into
   * milliseconds.
   */
  private static final Instant UNKNOWN_END = Instant.parse("9999-12-31T23:59:59Z");

  private final Function<TokenRequest, Secret> tokens;

  private FixedTokenProvider(Function<TokenRequest, Secret> tokens) {
    this.tokens = tokens;
  }

  static FixedTokenProvider of(Secret token) {
    return new FixedTokenProvider(request -> token);
  }

  static FixedTokenProvider environment(Settings settings) {
    return new FixedTokenProvider(
        request -> {
          String token = settings.first(Settings.GITHUB_TOKEN);
          if (token == null || request.nodeId().isEmpty()) {
            throw new TokenDeniedException(
                "No token for "
                    + request.describe()
                    + ": "
                    + (token == null
                        ? "set " + Settings.GITHUB_TOKEN + "."
                        : Settings.GITHUB_TOKEN + " is not an App's own token."),
                Reason.NOT_CONFIGURED);
          }
          return Secret.of(token);
        });
  }

  @Override
  public AccessToken getToken(TokenRequest request) {
    AccessToken.Builder token =
        AccessToken.builder(request.appId(), tokens.apply(request), UNKNOWN_END)
            // Issued long ago for all we know, so a refusal is not put down to replication.
            .issuedAt(Instant.EPOCH);
    request.nodeId().ifPresent(token::nodeId);
    return token.build();
  }
}
