package io.github.credentialmanager.okhttp;

import static io.github.credentialmanager.okhttp.Sending.AUTHORIZATION;
import static io.github.credentialmanager.okhttp.Sending.currentToken;
import static io.github.credentialmanager.okhttp.Sending.withToken;
import static java.util.Objects.requireNonNull;

import io.github.credentialmanager.okhttp.Sending.Pause;
import io.github.credentialmanager.sdk.AccessToken;
import io.github.credentialmanager.sdk.CredentialManagerException;
import io.github.credentialmanager.sdk.GitHubAuthorizer;
import io.github.credentialmanager.sdk.GitHubAuthorizer.Resend;
import io.github.credentialmanager.sdk.Scope;
import io.github.credentialmanager.sdk.TokenProvider;
import io.github.credentialmanager.sdk.TokenRequest;
import java.io.IOException;
import java.util.Optional;
import okhttp3.Interceptor;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;

/**
 * An OkHttp application interceptor that puts the current token on requests to GitHub.
 *
 * <pre>{@code
 * OkHttpClient client = new OkHttpClient.Builder()
 *     .addInterceptor(GitHubTokenInterceptor.create(appId, nodeId))
 *     .build();
 * }</pre>
 *
 * <p>REST and GraphQL alike. A request to any other origin than the configured one passes through
 * untouched, and so does one that has an {@code Authorization} header already. When OkHttp follows
 * a redirect to another origin it takes the header off.
 *
 * <p>After a 401 the request is sent once more with a new token; a token that GitHub has not
 * replicated yet is sent again after a short wait, on the thread of the call. {@link
 * GitHubAuthorizer#afterResponse} has the rules. A body that can be written only once is not sent
 * again. A token that is not to be had is an {@link IOException} with the {@link
 * CredentialManagerException} as its cause.
 *
 * <p>Add it with {@code addInterceptor}, not with {@code addNetworkInterceptor}: a network
 * interceptor sees the hops of a redirect one by one and would put the token back on. As one, it
 * fails each call.
 *
 * <p>Safe for use by multiple threads.
 */
public final class GitHubTokenInterceptor implements Interceptor {
  private final GitHubAuthorizer authorizer;
  private final Pause pause;

  GitHubTokenInterceptor(GitHubAuthorizer authorizer, Pause pause) {
    this.authorizer = requireNonNull(authorizer, "authorizer");
    this.pause = pause;
  }

  /**
   * An interceptor with an installation's token, with everything it may do, from {@link
   * TokenProvider#credentialManager()}.
   *
   * @param appId the GitHub App's number
   * @param nodeId the GraphQL node id of the organisation, user or enterprise the App is installed
   *     on
   * @throws IllegalArgumentException if {@code appId} or {@code nodeId} cannot be one, or a setting
   *     of the environment is malformed
   */
  public static GitHubTokenInterceptor create(long appId, String nodeId) {
    return create(TokenRequest.installation(appId, nodeId));
  }

  /**
   * An interceptor with an installation's token, narrowed to this scope.
   *
   * @throws IllegalArgumentException as {@link #create(long, String)} does
   */
  public static GitHubTokenInterceptor create(long appId, String nodeId, Scope scope) {
    return create(TokenRequest.installation(appId, nodeId, scope));
  }

  /** An interceptor with tokens, and for the origins, of this authorizer. */
  public static GitHubTokenInterceptor create(GitHubAuthorizer authorizer) {
    return new GitHubTokenInterceptor(authorizer, Pause.SLEEP);
  }

  private static GitHubTokenInterceptor create(TokenRequest request) {
    return create(GitHubAuthorizer.builder(TokenProvider.credentialManager(), request).build());
  }

  @Override
  public Response intercept(Chain chain) throws IOException {
    if (chain.connection() != null) {
      throw new IllegalStateException(
          "Add the GitHubTokenInterceptor with addInterceptor, not with addNetworkInterceptor.");
    }
    Request request = chain.request();
    if (request.header(AUTHORIZATION) != null || !authorizer.covers(request.url().uri())) {
      return chain.proceed(request);
    }
    AccessToken token = currentToken(authorizer);
    for (int attempt = 1; ; attempt++) {
      Response response = chain.proceed(withToken(request, token));
      Optional<Resend> resend =
          isAnswerToTheToken(response, token) && isRepeatable(request.body())
              ? authorizer.afterResponse(token, response.code(), attempt)
              : Optional.empty();
      if (resend.isEmpty()) {
        return response;
      }
      response.close();
      pause.await(resend.get().delay());
      if (chain.call().isCanceled()) {
        throw new IOException("Canceled");
      }
      token = resend.get().token();
    }
  }

  /**
   * Whether this answer says something about the token: the last hop carried it, and a 403 is no
   * rate limit.
   */
  private static boolean isAnswerToTheToken(Response response, AccessToken token) {
    boolean rateLimit =
        response.code() == 403
            && ("0".equals(response.header("X-RateLimit-Remaining"))
                || response.header("Retry-After") != null);
    return !rateLimit && token.authorization().equals(response.request().header(AUTHORIZATION));
  }

  private static boolean isRepeatable(@Nullable RequestBody body) {
    return body == null || !(body.isOneShot() || body.isDuplex());
  }
}
