package io.github.credentialmanager.sdk;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Which token is wanted, and how long it must live.
 *
 * <p>The App, the account and the scope say <i>which</i> token: requests that differ in any of them
 * never share one. The rest says how to answer this caller ({@link #withMinRemaining}, {@link
 * #withTimeout}, {@link #fresh}) and leaves the token the same.
 *
 * <p>Make one and keep it: it is the key of the cache, its hash is computed once, and it remembers
 * where a cache keeps its token, so that the next lookup need not search.
 *
 * <p>Immutable and safe for use by multiple threads.
 */
public final class TokenRequest {
  private static final int MAX_NODE_ID_LENGTH = 256;

  /** More than anyone means; keeps durations within what a {@code long} of nanoseconds holds. */
  private static final Duration MAX_DURATION = Duration.ofDays(366);

  private final long appId;
  private final @Nullable String nodeId;
  private final @Nullable Scope scope;
  private final @Nullable Duration minRemaining;
  private final @Nullable Duration timeout;
  private final boolean fresh;
  private final int hash;
  private final long minRemainingMillis;

  /** The same token without this caller's wishes; {@code this} if there are none. */
  private final TokenRequest identity;

  /** Where a cache last found the token. */
  private volatile @Nullable Slot slot;

  private TokenRequest(long appId, @Nullable String nodeId, @Nullable Scope scope) {
    this.appId = checkAppId(appId);
    this.nodeId = nodeId;
    this.scope = scope;
    this.minRemaining = null;
    this.timeout = null;
    this.fresh = false;
    this.hash =
        (Long.hashCode(appId) * 31 + Objects.hashCode(nodeId)) * 31 + Objects.hashCode(scope);
    this.minRemainingMillis = 0;
    this.identity = this;
  }

  private TokenRequest(
      TokenRequest identity,
      @Nullable Duration minRemaining,
      @Nullable Duration timeout,
      boolean fresh) {
    this.appId = identity.appId;
    this.nodeId = identity.nodeId;
    this.scope = identity.scope;
    this.minRemaining = minRemaining;
    this.timeout = timeout;
    this.fresh = fresh;
    this.hash = identity.hash;
    this.minRemainingMillis = minRemaining == null ? 0 : minRemaining.toMillis();
    this.identity = identity;
  }

  /**
   * The App's own token, a JWT.
   *
   * @throws IllegalArgumentException if {@code appId} is less than 1
   */
  public static TokenRequest app(long appId) {
    return new TokenRequest(appId, null, null);
  }

  /**
   * A token for everything the App may do on one account.
   *
   * @param nodeId the GraphQL node id of the organisation, user or enterprise the App is installed
   *     on
   * @throws IllegalArgumentException if {@code appId} is less than 1 or {@code nodeId} is not 1 to
   *     256 characters
   */
  public static TokenRequest installation(long appId, String nodeId) {
    return new TokenRequest(appId, checkNodeId(nodeId), null);
  }

  /**
   * A narrowed token for one account.
   *
   * @throws IllegalArgumentException if {@code appId} is less than 1 or {@code nodeId} is not 1 to
   *     256 characters
   */
  public static TokenRequest installation(long appId, String nodeId, Scope scope) {
    return new TokenRequest(appId, checkNodeId(nodeId), requireNonNull(scope, "scope"));
  }

  /**
   * The same token, with at least this much life left when it is handed over.
   *
   * <p>For work that takes a token along for a while, a clone of a large repository for example. A
   * cache that holds a shorter one gets a new one.
   *
   * @throws IllegalArgumentException if negative or more than a year
   */
  public TokenRequest withMinRemaining(Duration minRemaining) {
    requireNonNull(minRemaining, "minRemaining");
    if (minRemaining.isNegative() || minRemaining.compareTo(MAX_DURATION) > 0) {
      throw new IllegalArgumentException(
          "minRemaining " + minRemaining + " is negative or more than a year.");
    }
    return new TokenRequest(identity, minRemaining, timeout, fresh);
  }

  /**
   * The same token, waited for at most this long by this caller.
   *
   * <p>Others who wait for the same token are not affected.
   *
   * @throws IllegalArgumentException if not positive or more than a year
   */
  public TokenRequest withTimeout(Duration timeout) {
    return new TokenRequest(identity, minRemaining, checkTimeout(timeout), fresh);
  }

  /**
   * The same token, newly issued: what a cache holds is not looked at, and replaced by the answer.
   *
   * <p>A call that is under way for it is shared. To have one that began later, {@linkplain
   * TokenProvider#invalidate invalidate} first.
   */
  public TokenRequest fresh() {
    return new TokenRequest(identity, minRemaining, timeout, true);
  }

  /** The GitHub App's number. */
  public long appId() {
    return appId;
  }

  /** The account; empty if the App's own token is wanted. */
  public Optional<String> nodeId() {
    return Optional.ofNullable(nodeId);
  }

  /** The narrowing; empty if everything is wanted. */
  public Optional<Scope> scope() {
    return Optional.ofNullable(scope);
  }

  /** The life the token must have left. */
  public Optional<Duration> minRemaining() {
    return Optional.ofNullable(minRemaining);
  }

  /** How long this caller waits. */
  public Optional<Duration> timeout() {
    return Optional.ofNullable(timeout);
  }

  /** Whether a newly issued token is wanted. */
  public boolean isFresh() {
    return fresh;
  }

  /**
   * Refuses a newly issued token that does not live as long as asked.
   *
   * @throws TokenDeniedException if so: another one would not live longer
   */
  void checkRemaining(AccessToken token, Instant now) {
    if (minRemaining != null
        && Duration.between(now, token.expirationTime()).compareTo(minRemaining) < 0) {
      throw new TokenDeniedException(
          "No token for "
              + describe()
              + " lives "
              + minRemaining
              + ": a new one expires at "
              + token.expirationTime()
              + ". Ask for less with withMinRemaining.",
          Reason.INVALID_REQUEST);
    }
  }

  /** For messages: {@code "app 1, node O_x"}. */
  String describe() {
    return "app " + appId + (nodeId == null ? "" : ", node " + nodeId);
  }

  TokenRequest identity() {
    return identity;
  }

  long minRemainingMillis() {
    return minRemainingMillis;
  }

  /** Where some cache last found the token. */
  @Nullable Slot slot() {
    return slot;
  }

  void remember(Slot found) {
    slot = found;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return this == other
        || (other instanceof TokenRequest request
            && hash == request.hash
            && appId == request.appId
            && fresh == request.fresh
            && Objects.equals(nodeId, request.nodeId)
            && Objects.equals(scope, request.scope)
            && Objects.equals(minRemaining, request.minRemaining)
            && Objects.equals(timeout, request.timeout));
  }

  @Override
  public int hashCode() {
    return hash;
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("TokenRequest[app ").append(appId);
    if (nodeId != null) {
      text.append(", node ").append(nodeId);
    }
    if (scope != null) {
      text.append(", ").append(scope);
    }
    if (minRemaining != null) {
      text.append(", minRemaining=").append(minRemaining);
    }
    if (timeout != null) {
      text.append(", timeout=").append(timeout);
    }
    return text.append(fresh ? ", fresh]" : "]").toString();
  }

  static long checkAppId(long appId) {
    if (appId < 1) {
      throw new IllegalArgumentException("appId " + appId + ": App ids start at 1.");
    }
    return appId;
  }

  static String checkNodeId(String nodeId) {
    requireNonNull(nodeId, "nodeId");
    int length = nodeId.codePointCount(0, nodeId.length());
    if (length < 1 || length > MAX_NODE_ID_LENGTH) {
      throw new IllegalArgumentException(
          "nodeId has " + length + " characters; it has 1 to " + MAX_NODE_ID_LENGTH + ".");
    }
    return nodeId;
  }

  static Duration checkTimeout(Duration timeout) {
    requireNonNull(timeout, "timeout");
    if (timeout.isNegative() || timeout.isZero() || timeout.compareTo(MAX_DURATION) > 0) {
      throw new IllegalArgumentException(
          "timeout " + timeout + " is not positive or more than a year.");
    }
    return timeout;
  }
}
