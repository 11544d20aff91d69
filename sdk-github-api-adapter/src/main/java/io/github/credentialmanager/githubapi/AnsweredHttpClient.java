package io.github.credentialmanager.githubapi;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Authenticator;
import java.net.CookieHandler;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.PushPromiseHandler;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSession;
import org.kohsuke.github.connector.GitHubConnectorRequest;
import org.kohsuke.github.connector.GitHubConnectorResponse;
import org.kohsuke.github.extras.HttpClientGitHubConnector;

/**
 * An HTTP client that sends nothing, because it has its answer.
 *
 * <p>It lets hub4j itself make a {@link GitHubConnectorResponse} for one of its requests from an
 * answer to another. A subclass of our own would do that for one version of hub4j only: 1.330 and
 * 2.0 want different methods of it.
 */
final class AnsweredHttpClient extends HttpClient {
  private final GitHubConnectorResponse response;

  private AnsweredHttpClient(GitHubConnectorResponse response) {
    this.response = response;
  }

  /**
   * The same answer, as one to this request.
   *
   * <p>hub4j binds the objects of an answer to values it finds on the request of the answer, their
   * {@code GitHub} among them, and only if it is the request that hub4j made (1.330 and 2.0-rc.6).
   */
  static GitHubConnectorResponse answer(
      GitHubConnectorRequest request, GitHubConnectorResponse response) throws IOException {
    return new HttpClientGitHubConnector(new AnsweredHttpClient(response)).send(request);
  }

  /** Answers whatever the request, and whoever handles the body: hub4j wants a stream. */
  @Override
  @SuppressWarnings("unchecked")
  public <T> HttpResponse<T> send(HttpRequest request, BodyHandler<T> handler) throws IOException {
    Map<String, List<String>> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    response
        .allHeaders()
        .forEach(
            (name, values) -> {
              if (name != null) {
                headers.put(name, values);
              }
            });
    // The stream is decoded.
    headers.remove("Content-Encoding");
    headers.remove("Content-Length");
    InputStream body =
        new FilterInputStream(response.bodyStream()) {
          @Override
          public void close() throws IOException {
            try (response) {
              super.close();
            }
          }
        };
    return (HttpResponse<T>)
        new Answer(
            request, response.statusCode(), HttpHeaders.of(headers, (name, value) -> true), body);
  }

  private record Answer(HttpRequest request, int statusCode, HttpHeaders headers, InputStream body)
      implements HttpResponse<InputStream> {
    @Override
    public Optional<HttpResponse<InputStream>> previousResponse() {
      return Optional.empty();
    }

    @Override
    public Optional<SSLSession> sslSession() {
      return Optional.empty();
    }

    @Override
    public URI uri() {
      return request.uri();
    }

    @Override
    public Version version() {
      return Version.HTTP_1_1;
    }
  }

  @Override
  public <T> CompletableFuture<HttpResponse<T>> sendAsync(
      HttpRequest request, BodyHandler<T> handler) {
    throw new UnsupportedOperationException();
  }

  @Override
  public <T> CompletableFuture<HttpResponse<T>> sendAsync(
      HttpRequest request, BodyHandler<T> handler, PushPromiseHandler<T> pushPromiseHandler) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Optional<CookieHandler> cookieHandler() {
    return Optional.empty();
  }

  @Override
  public Optional<Duration> connectTimeout() {
    return Optional.empty();
  }

  @Override
  public Redirect followRedirects() {
    return Redirect.NEVER;
  }

  @Override
  public Optional<ProxySelector> proxy() {
    return Optional.empty();
  }

  @Override
  public SSLContext sslContext() {
    throw new UnsupportedOperationException();
  }

  @Override
  public SSLParameters sslParameters() {
    throw new UnsupportedOperationException();
  }

  @Override
  public Optional<Authenticator> authenticator() {
    return Optional.empty();
  }

  @Override
  public Version version() {
    return Version.HTTP_1_1;
  }

  @Override
  public Optional<Executor> executor() {
    return Optional.empty();
  }
}
