package io.github.credentialmanager.sdk;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.Base64;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A GitHub credential: an App JWT or an installation access token.
 *
 * <p>The token is an opaque string: nothing here depends on its length, prefix or alphabet (GitHub
 * has changed all three). {@link #toString()} shows its {@linkplain #hash() hash} and expiry only.
 *
 * <p>Immutable and safe for use by multiple threads.
 */
public final class AccessToken {
  private static final String BEARER = "Bearer ";

  /** The token's only copy: a cache holds thousands, and a header is what most of them are for. */
  private final String authorization;

  private final Instant expirationTime;
  private final Instant issuedAt;
  private final long appId;
  private final @Nullable String nodeId;
  private final @Nullable Scope grantedScope;

  private AccessToken(Builder builder) {
    this.authorization = BEARER + builder.secret.reveal();
    this.expirationTime = builder.expirationTime;
    this.issuedAt = builder.issuedAt == null ? Instant.now() : builder.issuedAt;
    this.appId = builder.appId;
    this.nodeId = builder.nodeId;
    this.grantedScope = builder.grantedScope;
  }

  /**
   * A builder of a token of this App.
   *
   * @throws IllegalArgumentException if {@code appId} is less than 1 or the secret has a control
   *     character or a space in it: such a value is no credential, and a line break in it would
   *     split the header it travels in
   */
  public static Builder builder(long appId, Secret secret, Instant expirationTime) {
    return new Builder(appId, secret, expirationTime);
  }

  /** The token itself. */
  public Secret secret() {
    return Secret.of(authorization.substring(BEARER.length()));
  }

  /**
   * The value of an {@code Authorization} header, {@code "Bearer <token>"}; the same instance each
   * time.
   */
  public String authorization() {
    return authorization;
  }

  /** When GitHub stops accepting this token. */
  public Instant expirationTime() {
    return expirationTime;
  }

  /**
   * When this process received it, by its own wall clock.
   *
   * <p>GitHub may refuse a token for some seconds after this, until it has replicated.
   */
  public Instant issuedAt() {
    return issuedAt;
  }

  /** The App this token speaks for. */
  public long appId() {
    return appId;
  }

  /** The node id of the account it is for; empty for the App's own token. */
  public Optional<String> nodeId() {
    return Optional.ofNullable(nodeId);
  }

  /** What the token may do, as the issuer reported it; empty if it reported nothing. */
  public Optional<Scope> grantedScope() {
    return Optional.ofNullable(grantedScope);
  }

  /**
   * The base64 of the token's SHA-256, safe to log.
   *
   * <p>GitHub's audit log shows the same value as {@code hashed_token}, and so does the Credential
   * Manager's audit line.
   */
  public String hash() {
    try {
      byte[] token = secret().reveal().getBytes(UTF_8);
      return Base64.getEncoder().encodeToString(MessageDigest.getInstance("SHA-256").digest(token));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("Every Java platform has SHA-256.", e);
    }
  }

  /** Compares in a time that does not depend on where they differ. */
  boolean isSameSecret(AccessToken other) {
    return MessageDigest.isEqual(
        authorization.getBytes(UTF_8), other.authorization.getBytes(UTF_8));
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof AccessToken token
        && appId == token.appId
        && isSameSecret(token)
        && expirationTime.equals(token.expirationTime)
        && issuedAt.equals(token.issuedAt)
        && Objects.equals(nodeId, token.nodeId)
        && Objects.equals(grantedScope, token.grantedScope);
  }

  @Override
  public int hashCode() {
    return Objects.hash(authorization, expirationTime, appId, nodeId);
  }

  /** The hash, the App, the account and the expiry; never the token. */
  @Override
  public String toString() {
    return "AccessToken[hash="
        + hash()
        + ", appId="
        + appId
        + (nodeId == null ? "" : ", nodeId=" + nodeId)
        + ", expirationTime="
        + expirationTime
        + "]";
  }

  /** Builds an {@link AccessToken}. Not safe for use by multiple threads. */
  public static final class Builder {
    private final long appId;
    private final Secret secret;
    private final Instant expirationTime;
    private @Nullable Instant issuedAt;
    private @Nullable String nodeId;
    private @Nullable Scope grantedScope;

    private Builder(long appId, Secret secret, Instant expirationTime) {
      this.appId = TokenRequest.checkAppId(appId);
      this.secret = requireNonNull(secret, "secret");
      this.expirationTime = requireNonNull(expirationTime, "expirationTime");
      if (secret.reveal().chars().anyMatch(c -> c <= ' ' || c == 0x7f)) {
        throw new IllegalArgumentException(
            "A token has no spaces and no control characters in it.");
      }
    }

    /** When this process received the token; default now. */
    public Builder issuedAt(Instant issuedAt) {
      this.issuedAt = requireNonNull(issuedAt, "issuedAt");
      return this;
    }

    /** The account the token is for; without it the token is the App's own. */
    public Builder nodeId(String nodeId) {
      this.nodeId = TokenRequest.checkNodeId(nodeId);
      return this;
    }

    /** What the issuer says the token may do. */
    public Builder grantedScope(Scope grantedScope) {
      this.grantedScope = requireNonNull(grantedScope, "grantedScope");
      return this;
    }

    public AccessToken build() {
      return new AccessToken(this);
    }
  }
}
