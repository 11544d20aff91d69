package io.github.credentialmanager.jgit;

import static java.util.Objects.requireNonNull;

import io.github.credentialmanager.sdk.AccessToken;
import io.github.credentialmanager.sdk.CredentialManagerException;
import io.github.credentialmanager.sdk.GitHubAuthorizer;
import io.github.credentialmanager.sdk.GitHubAuthorizer.Resend;
import io.github.credentialmanager.sdk.Scope;
import io.github.credentialmanager.sdk.TokenProvider;
import io.github.credentialmanager.sdk.TokenRequest;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import org.eclipse.jgit.api.TransportConfigCallback;
import org.eclipse.jgit.api.errors.JGitInternalException;
import org.eclipse.jgit.errors.UnsupportedCredentialItem;
import org.eclipse.jgit.transport.CredentialItem;
import org.eclipse.jgit.transport.CredentialsProvider;
import org.eclipse.jgit.transport.Transport;
import org.eclipse.jgit.transport.TransportHttp;
import org.eclipse.jgit.transport.URIish;
import org.jspecify.annotations.Nullable;

/**
 * A JGit credentials provider that answers GitHub's challenge with the current token.
 *
 * <pre>{@code
 * GitHubCredentialsProvider gitHub = GitHubCredentialsProvider.create(appId, nodeId);
 * Git.cloneRepository().setURI("https://github.com/octo-org/api.git").setTransportConfigCallback(gitHub)…
 * }</pre>
 *
 * <p>It is asked when the server answers 401, and only then gets a token: user {@code
 * x-access-token}, the token as password (GitHub documentation, "Authenticating as a GitHub App
 * installation"). It answers for the Git host that belongs to the configured API and for nothing
 * else: https (http only for a loopback API), that host and port, no other user than {@code
 * x-access-token} in the URL. To any other host it answers that it knows no credentials, and JGit
 * fails as not authorized.
 *
 * <p>If GitHub refuses the token, the next one is tried as {@link GitHubAuthorizer#afterResponse}
 * says; JGit asks three times at most. A token that is not to be had is a {@link
 * JGitInternalException} with the {@link CredentialManagerException} as its cause.
 *
 * <p>Set it as the transport's configuration, as above: then it also keeps the token from a
 * redirect to another port, where JGit takes it along (7.4 and 7.8.1 compare only hosts). {@code
 * setCredentialsProvider} does all but that.
 *
 * <p>Safe for use by multiple threads.
 */
public final class GitHubCredentialsProvider extends CredentialsProvider
    implements TransportConfigCallback {
  private static final String USER = "x-access-token";

  /** How often JGit asks for the same challenge; after the last refusal it resets and gives up. */
  private static final int MAX_ATTEMPTS = 3;

  private final GitHubAuthorizer authorizer;
  private final GitOrigin gitHub;
  private final Pause pause;

  /**
   * What the operation on this thread was given last by this provider. JGit asks, resets and asks
   * again on one thread, and does not say which of its operations does.
   */
  @SuppressWarnings("ThreadLocalUsage")
  private final ThreadLocal<@Nullable Answer> lastAnswer = new ThreadLocal<>();

  GitHubCredentialsProvider(GitHubAuthorizer authorizer, Pause pause) {
    this.authorizer = requireNonNull(authorizer, "authorizer");
    this.gitHub = GitOrigin.ofApi(authorizer.gitHubApiUrl());
    this.pause = pause;
  }

  /**
   * Credentials of an installation, with everything it may do, from {@link
   * TokenProvider#credentialManager()}.
   *
   * @param appId the GitHub App's number
   * @param nodeId the GraphQL node id of the organisation, user or enterprise the App is installed
   *     on
   * @throws IllegalArgumentException if {@code appId} or {@code nodeId} cannot be one, or a setting
   *     of the environment is malformed
   */
  public static GitHubCredentialsProvider create(long appId, String nodeId) {
    return create(TokenRequest.installation(appId, nodeId));
  }

  /**
   * Credentials of an installation, narrowed to this scope. Git needs {@code contents}.
   *
   * @throws IllegalArgumentException as {@link #create(long, String)} does
   */
  public static GitHubCredentialsProvider create(long appId, String nodeId, Scope scope) {
    return create(TokenRequest.installation(appId, nodeId, scope));
  }

  /** Credentials from this authorizer, for the Git host of its {@code gitHubApiUrl}. */
  public static GitHubCredentialsProvider create(GitHubAuthorizer authorizer) {
    return new GitHubCredentialsProvider(authorizer, duration -> Thread.sleep(duration.toMillis()));
  }

  private static GitHubCredentialsProvider create(TokenRequest request) {
    return create(GitHubAuthorizer.builder(TokenProvider.credentialManager(), request).build());
  }

  /** Answers this transport's challenges, and keeps the answers at GitHub. */
  @Override
  public void configure(Transport transport) {
    transport.setCredentialsProvider(this);
    if (transport instanceof TransportHttp http) {
      http.setHttpConnectionFactory(
          new PinnedConnectionFactory(http.getHttpConnectionFactory(), gitHub));
    }
  }

  @Override
  public boolean isInteractive() {
    return false;
  }

  @Override
  public boolean supports(CredentialItem... items) {
    return Arrays.stream(items)
        .allMatch(
            item ->
                item instanceof CredentialItem.Username || item instanceof CredentialItem.Password);
  }

  /**
   * {@inheritDoc}
   *
   * @throws UnsupportedCredentialItem if asked for anything but user name and password
   * @throws JGitInternalException if there is no token
   */
  @Override
  public boolean get(URIish uri, CredentialItem... items) {
    Answer refused = lastAnswer.get();
    lastAnswer.remove();
    if (!gitHub.covers(uri) || !(uri.getUser() == null || uri.getUser().equals(USER))) {
      return false;
    }
    if (!supports(items)) {
      throw new UnsupportedCredentialItem(uri, "Only a user name and a password are known.");
    }
    Answer answer = refused == null || !refused.isRefused() ? firstAnswer() : refused.next();
    if (answer == null) {
      return false;
    }
    for (CredentialItem item : items) {
      if (item instanceof CredentialItem.Username user) {
        user.setValue(USER);
      } else if (item instanceof CredentialItem.Password password) {
        password.setValueNoCopy(answer.token().secret().reveal().toCharArray());
      }
    }
    lastAnswer.set(answer);
    return true;
  }

  /** Told that the last answer was refused. Waits if the same token shall be tried again. */
  @Override
  public void reset(URIish uri) {
    Answer answer = lastAnswer.get();
    if (answer == null || answer.attempt() == MAX_ATTEMPTS) {
      lastAnswer.remove();
      return;
    }
    Optional<Resend> resend = authorizer.afterResponse(answer.token(), 401, answer.attempt());
    resend.map(Resend::delay).ifPresent(this::await);
    lastAnswer.set(answer.refused(resend.map(Resend::token).orElse(null)));
  }

  private Answer firstAnswer() {
    try {
      return new Answer(authorizer.token(), 1, false, null);
    } catch (CredentialManagerException e) {
      throw new JGitInternalException(String.valueOf(e.getMessage()), e);
    }
  }

  private void await(Duration delay) {
    try {
      if (!delay.isZero()) {
        pause.spend(delay);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new JGitInternalException("Interrupted while waiting to try the token again.", e);
    }
  }

  /**
   * A token that was handed out.
   *
   * @param attempt the how-manieth of its operation, from 1
   * @param replacement what to hand out after it was refused; null for nothing
   */
  private record Answer(
      AccessToken token, int attempt, boolean isRefused, @Nullable AccessToken replacement) {
    Answer refused(@Nullable AccessToken replacement) {
      return new Answer(token, attempt, true, replacement);
    }

    @Nullable Answer next() {
      return replacement == null ? null : new Answer(replacement, attempt + 1, false, null);
    }
  }

  /** How a thread spends a wait. */
  @FunctionalInterface
  interface Pause {
    void spend(Duration duration) throws InterruptedException;
  }
}
