package io.github.credentialmanager.server.github;

import io.github.credentialmanager.server.outbound.Deadline;
import java.net.URI;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * The resources of GitHub's REST API that serve a GitHub App.
 *
 * <p>Every method throws a {@link GitHubException} if GitHub refuses or does not answer, and tries
 * again what may succeed within the deadline.
 */
public interface GitHubApi {
  /** Asks GitHub who the App is ({@code GET /app}), which proves the JWT and the key behind it. */
  void authenticate(String appJwt, Deadline deadline);

  /**
   * The first installation of the App that matches. Pages after the match are not asked for ({@code
   * GET /app/installations}).
   */
  Optional<GitHubInstallation> findInstallation(
      String appJwt, Predicate<GitHubInstallation> matches, Deadline deadline);

  /**
   * One page of the App's installations ({@code GET /app/installations}).
   *
   * @param page from 1
   */
  InstallationPage listInstallations(String appJwt, int page, Deadline deadline);

  /** Whether GitHub knows the installation ({@code GET /app/installations/{id}}). */
  boolean hasInstallation(String appJwt, long installationId, Deadline deadline);

  /**
   * A new token of an installation ({@code POST /app/installations/{id}/access_tokens}).
   *
   * <p>GitHub may grant less than the scope, and adds {@code metadata: read}; it is the caller's
   * part to compare.
   */
  InstallationToken createToken(
      String appJwt, long installationId, TokenScope scope, Deadline deadline);

  /** Ends the life of a token ({@code DELETE /installation/token}). */
  void revoke(InstallationToken token, Deadline deadline);

  /** Leaves all connections behind: the calls that follow go over new ones. */
  void reconnect();

  /**
   * The limits of the token's installation by category ({@code GET /rate_limit}), which costs
   * nothing of them. What is not as documented is left out.
   */
  Map<String, RateLimit> rateLimits(InstallationToken token, Deadline deadline);

  /** The same API, over the same connections, whose every attempt waits for its turn. */
  GitHubApi limitedBy(RequestLimit limit);

  /**
   * The API under that root, over connections of its own.
   *
   * <p>Redirects are not followed, for they would carry the credentials elsewhere.
   *
   * @param root an https URL, or http to a loopback address
   */
  static GitHubApi over(URI root, InstantSource clock) {
    return new HttpGitHubApi(new GitHubHttp(root, clock));
  }
}
