package io.github.credentialmanager.githubapi;

import java.io.EOFException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.URL;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.Set;
import javax.net.ssl.SSLHandshakeException;
import org.jspecify.annotations.Nullable;
import org.kohsuke.github.connector.GitHubConnector;
import org.kohsuke.github.connector.GitHubConnectorRequest;
import org.kohsuke.github.connector.GitHubConnectorResponse;

/**
 * Sends a request again if the connection failed, where that is safe.
 *
 * <p>Safe is: any request that cannot have reached GitHub, because no connection came about; and
 * one with an idempotent method (RFC 9110, section 9.2.2) whatever broke. Three attempts, 100 ms
 * and 200 ms apart. hub4j 1.330 sends again by itself, a POST too; 2.0 does not. So that both do
 * the same, a failure leaves here as an {@link IOException} that 1.330 does not send again for,
 * with the failure as its cause.
 */
final class ReconnectingConnector implements GitHubConnector {
  private static final int MAX_ATTEMPTS = 3;
  private static final Duration PAUSE = Duration.ofMillis(100);
  private static final Set<String> IDEMPOTENT =
      Set.of("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE");

  private final GitHubConnector delegate;
  private final Pause pause;

  ReconnectingConnector(GitHubConnector delegate, Pause pause) {
    this.delegate = delegate;
    this.pause = pause;
  }

  @Override
  public GitHubConnectorResponse send(GitHubConnectorRequest request) throws IOException {
    for (int attempt = 1; ; attempt++) {
      try {
        return delegate.send(request);
      } catch (IOException e) {
        if (!isConnectionFailure(e)) {
          throw e;
        }
        if (attempt == MAX_ATTEMPTS || !(isUnsent(e) || IDEMPOTENT.contains(request.method()))) {
          throw new IOException(failure(request, attempt), e);
        }
      }
      pause.await(PAUSE.multipliedBy(attempt));
    }
  }

  private static String failure(GitHubConnectorRequest request, int attempts) {
    URL url = request.url();
    String origin = url.getProtocol() + "://" + url.getHost();
    return "%s to %s%s: the connection failed, attempts: %d."
        .formatted(
            request.method(), origin, url.getPort() == -1 ? "" : ":" + url.getPort(), attempts);
  }

  /** Whether no connection came about, so that nothing was sent. */
  private static boolean isUnsent(IOException e) {
    return e instanceof ConnectException
        || e instanceof NoRouteToHostException
        || e instanceof HttpConnectTimeoutException
        || e instanceof SSLHandshakeException;
  }

  /** As seen with {@code HttpClient}, OkHttp and {@code HttpURLConnection}; not an interrupt. */
  private static boolean isConnectionFailure(IOException e) {
    return e instanceof SocketException
        || e instanceof SocketTimeoutException
        || e instanceof HttpTimeoutException
        || e instanceof SSLHandshakeException
        || isEndOfStream(e);
  }

  /** {@code HttpClient} reports a connection that was closed without an answer two causes deep. */
  private static boolean isEndOfStream(@Nullable Throwable e) {
    return e instanceof IOException && (e instanceof EOFException || isEndOfStream(e.getCause()));
  }
}
