package io.github.credentialmanager.sdk;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.net.Authenticator;
import java.net.CookieHandler;
import java.net.ProxySelector;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.BodySubscribers;
import java.net.http.HttpResponse.PushPromiseHandler;
import java.net.http.HttpResponse.ResponseInfo;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.function.Predicate;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/**
 * A {@code java.net.http} client whose requests to GitHub carry the current token.
 *
 * <pre>{@code
 * HttpClient client =
 *     GitHubHttpClient.wrap(
 *         HttpClient.newHttpClient(),
 *         GitHubAuthorizer.builder(
 *                 TokenProvider.credentialManager(), TokenRequest.installation(1001, "O_kgDOA"))
 *             .build());
 * }</pre>
 *
 * <p>A request to one of the {@linkplain GitHubAuthorizer#covers authorizer's origins} is sent with
 * the token, and sent again as {@link GitHubAuthorizer#afterResponse} says; its body publisher must
 * then be able to publish again, as those of {@link HttpRequest.BodyPublishers} are, save for
 * {@code fromPublisher} with a publisher that is not. All other requests pass unchanged, and so do
 * those that have an {@code Authorization} of their own.
 *
 * <p>No {@code Authorization} leaves its origin. The wrapped client must not follow redirects,
 * because that of JDK 17 takes the header along to any host (tried); {@link #wrap(HttpClient,
 * GitHubAuthorizer, Redirect)} follows them here, deciding anew for every hop.
 *
 * <p>If there is no token, the {@link IOException} has the {@link CredentialManagerException} as
 * its cause. The {@link HttpResponse#request() request of a response} is shown without the token.
 *
 * <p>Safe for use by multiple threads. Closing it does not close the wrapped client.
 */
public final class GitHubHttpClient extends HttpClient {
  /** As many as the JDK's own client follows. */
  private static final int MAX_REDIRECTS = 5;

  private static final String AUTHORIZATION = "Authorization";

  private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);

  /** What a redirect to another origin must not take along. */
  private static final Set<String> BOUND_TO_ORIGIN =
      Set.of("authorization", "cookie", "proxy-authorization");

  private final HttpClient client;
  private final GitHubAuthorizer authorizer;
  private final Redirect redirect;
  private final Function<Duration, Executor> delays;

  GitHubHttpClient(
      HttpClient client,
      GitHubAuthorizer authorizer,
      Redirect redirect,
      Function<Duration, Executor> delays) {
    this.client = requireNonNull(client, "client");
    this.authorizer = requireNonNull(authorizer, "authorizer");
    this.redirect = requireNonNull(redirect, "redirect");
    this.delays = delays;
    if (client.followRedirects() != Redirect.NEVER) {
      throw new IllegalArgumentException(
          "The wrapped client follows redirects, with them the token could go to another host. Build it"
              + " with followRedirects(NEVER) and give the policy to wrap(client, authorizer, redirect).");
    }
  }

  /**
   * A client that hands redirects to its caller.
   *
   * @throws IllegalArgumentException if {@code client} follows redirects
   */
  public static HttpClient wrap(HttpClient client, GitHubAuthorizer authorizer) {
    return wrap(client, authorizer, Redirect.NEVER);
  }

  /**
   * A client that follows redirects, and gives the token to those hops alone that may have it.
   *
   * @param redirect as in {@link HttpClient.Builder#followRedirects}
   * @throws IllegalArgumentException if {@code client} follows redirects itself
   */
  public static HttpClient wrap(HttpClient client, GitHubAuthorizer authorizer, Redirect redirect) {
    return new GitHubHttpClient(
        client,
        authorizer,
        redirect,
        delay -> CompletableFuture.delayedExecutor(delay.toNanos(), TimeUnit.NANOSECONDS));
  }

  @Override
  public <T> HttpResponse<T> send(HttpRequest request, BodyHandler<T> handler)
      throws IOException, InterruptedException {
    CompletableFuture<HttpResponse<T>> answer = sendAsync(request, handler);
    try {
      return answer.get();
    } catch (InterruptedException e) {
      answer.cancel(true);
      throw e;
    } catch (ExecutionException e) {
      Throwable cause = e.getCause();
      if (cause instanceof IOException io) {
        throw io;
      }
      if (cause instanceof RuntimeException runtime) {
        throw runtime;
      }
      throw new IOException(cause);
    }
  }

  @Override
  public <T> CompletableFuture<HttpResponse<T>> sendAsync(
      HttpRequest request, BodyHandler<T> handler) {
    return sendAsync(request, handler, null);
  }

  /** {@inheritDoc} Pushes are declined: GitHub makes none. */
  @Override
  public <T> CompletableFuture<HttpResponse<T>> sendAsync(
      HttpRequest request, BodyHandler<T> handler, @Nullable PushPromiseHandler<T> pushPromises) {
    Exchange<T> exchange = new Exchange<>(requireNonNull(handler, "handler"));
    CompletableFuture<HttpResponse<T>> answer =
        exchange
            .hop(requireNonNull(request, "request"), 0)
            .exceptionallyCompose(failure -> CompletableFuture.failedFuture(asDocumented(failure)));
    answer.whenComplete(
        (response, failure) -> {
          if (answer.isCancelled()) {
            exchange.cancel();
          }
        });
    return answer;
  }

  /**
   * What {@link HttpClient} says it throws: our failures as the cause of an {@link IOException}.
   */
  private static Throwable asDocumented(Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    return cause instanceof CredentialManagerException
        ? new IOException(cause.getMessage(), cause)
        : cause;
  }

  // ---- the wrapped client's settings

  @Override
  public Optional<CookieHandler> cookieHandler() {
    return client.cookieHandler();
  }

  @Override
  public Optional<Duration> connectTimeout() {
    return client.connectTimeout();
  }

  @Override
  public Redirect followRedirects() {
    return redirect;
  }

  @Override
  public Optional<ProxySelector> proxy() {
    return client.proxy();
  }

  @Override
  public SSLContext sslContext() {
    return client.sslContext();
  }

  @Override
  public SSLParameters sslParameters() {
    return client.sslParameters();
  }

  @Override
  public Optional<Authenticator> authenticator() {
    return client.authenticator();
  }

  @Override
  public Version version() {
    return client.version();
  }

  @Override
  public Optional<Executor> executor() {
    return client.executor();
  }

  /** The wrapped client's; its requests carry no token. */
  @Override
  public WebSocket.Builder newWebSocketBuilder() {
    return client.newWebSocketBuilder();
  }

  // ---- one request

  /** One request of the caller's, with all that is sent for it. */
  private final class Exchange<T> {
    private final BodyHandler<T> handler;
    private volatile @Nullable CompletableFuture<?> underWay;
    private volatile boolean cancelled;

    Exchange(BodyHandler<T> handler) {
      this.handler = handler;
    }

    void cancel() {
      cancelled = true;
      CompletableFuture<?> call = underWay;
      if (call != null) {
        call.cancel(true);
      }
    }

    /** Goes to one URL, with the token if it may have it. */
    CompletableFuture<HttpResponse<T>> hop(HttpRequest request, int redirects) {
      if (authorizer.covers(request.uri())
          && request.headers().firstValue(AUTHORIZATION).isEmpty()) {
        return authorizer.tokenAsync().thenCompose(token -> attempt(request, redirects, token, 1));
      }
      return send(request, redirects, info -> false)
          .thenCompose(response -> finish(request, redirects, response));
    }

    private CompletableFuture<HttpResponse<T>> attempt(
        HttpRequest request, int redirects, AccessToken token, int attempt) {
      HttpRequest authorized =
          HttpRequest.newBuilder(request, (name, value) -> true)
              .setHeader(AUTHORIZATION, token.authorization())
              .build();
      return send(
              authorized,
              redirects,
              info ->
                  !isThrottling(info) && authorizer.mayResend(token, info.statusCode(), attempt))
          .thenCompose(
              response ->
                  response.body() instanceof Held<T>
                      ? authorizer
                          .afterResponseAsync(token, response.statusCode(), attempt)
                          .thenCompose(
                              resend ->
                                  resend.isPresent()
                                      ? resend(request, redirects, resend.get(), attempt + 1)
                                      : finish(request, redirects, response))
                      : finish(request, redirects, response));
    }

    private CompletableFuture<HttpResponse<T>> resend(
        HttpRequest request, int redirects, GitHubAuthorizer.Resend resend, int attempt) {
      return CompletableFuture.runAsync(() -> {}, delays.apply(resend.delay()))
          .thenCompose(waited -> attempt(request, redirects, resend.token(), attempt));
    }

    /** Hands a response to the caller, or goes where it points. */
    private CompletableFuture<HttpResponse<T>> finish(
        HttpRequest request, int redirects, HttpResponse<Body<T>> response) {
      Body<T> body = response.body();
      if (body instanceof Elsewhere<T> elsewhere) {
        return hop(redirected(request, response.statusCode(), elsewhere.location()), redirects + 1);
      }
      if (body instanceof Held<T> held) {
        return held.readWith(handler)
            .<HttpResponse<T>>thenApply(read -> new Response<>(request, response, read))
            .toCompletableFuture();
      }
      return CompletableFuture.completedFuture(
          new Response<>(request, response, ((Read<T>) body).value()));
    }

    private CompletableFuture<HttpResponse<Body<T>>> send(
        HttpRequest request, int redirects, Predicate<ResponseInfo> mayResend) {
      BodyHandler<Body<T>> decide =
          info -> {
            URI location = redirects < MAX_REDIRECTS ? location(request.uri(), info) : null;
            if (location != null) {
              return BodySubscribers.replacing(new Elsewhere<>(location));
            }
            return mayResend.test(info)
                ? BodySubscribers.mapping(
                    BodySubscribers.ofByteArray(), bytes -> new Held<>(info, bytes))
                : BodySubscribers.mapping(handler.apply(info), Read::new);
          };
      if (cancelled) {
        return CompletableFuture.failedFuture(new CancellationException());
      }
      CompletableFuture<HttpResponse<Body<T>>> call = client.sendAsync(request, decide);
      underWay = call;
      return call;
    }
  }

  /** A 403 that is about the number of requests and not about the token. */
  private static boolean isThrottling(ResponseInfo info) {
    return info.statusCode() == 403
        && (info.headers().firstValue("Retry-After").isPresent()
            || info.headers().firstValue("x-ratelimit-remaining").filter("0"::equals).isPresent());
  }

  /** Where to go on; null if the response is the caller's. */
  private @Nullable URI location(URI from, ResponseInfo info) {
    String location = info.headers().firstValue("Location").orElse("");
    if (redirect == Redirect.NEVER
        || !REDIRECTS.contains(info.statusCode())
        || location.isBlank()) {
      return null;
    }
    try {
      URI to = from.resolve(new URI(location));
      boolean http = "http".equalsIgnoreCase(to.getScheme());
      boolean https = "https".equalsIgnoreCase(to.getScheme());
      boolean downgrade = http && "https".equalsIgnoreCase(from.getScheme());
      boolean followed = https || (http && (!downgrade || redirect == Redirect.ALWAYS));
      return followed && to.getHost() != null ? to : null;
    } catch (URISyntaxException e) {
      return null;
    }
  }

  /**
   * RFC 9110, section 15.4: 303 becomes GET, and so does a POST after 301 and 302, as all clients
   * have it.
   */
  private static HttpRequest redirected(HttpRequest request, int status, URI location) {
    boolean sameOrigin = Objects.equals(Origin.of(request.uri()), Origin.of(location));
    boolean toGet =
        (status == 303 && !request.method().equals("HEAD"))
            || (status < 303 && request.method().equals("POST"));
    HttpRequest.Builder next =
        HttpRequest.newBuilder(
                request,
                (name, value) -> {
                  String header = name.toLowerCase(Locale.ROOT);
                  return (sameOrigin || !BOUND_TO_ORIGIN.contains(header))
                      && !(toGet && header.equals("content-type"));
                })
            .uri(location);
    return (toGet ? next.GET() : next).build();
  }

  /** What was done with a response's body. */
  private sealed interface Body<T> {}

  /** The caller's handler has it. */
  private record Read<T>(@Nullable T value) implements Body<T> {}

  /** Dropped, for the answer is somewhere else. */
  private record Elsewhere<T>(URI location) implements Body<T> {}

  /** Kept until it is known whether the request is sent again. */
  private record Held<T>(ResponseInfo info, byte[] bytes) implements Body<T> {
    /** Has the caller's handler read it after all. */
    CompletionStage<T> readWith(BodyHandler<T> handler) {
      BodySubscriber<T> subscriber = handler.apply(info);
      AtomicBoolean published = new AtomicBoolean();
      subscriber.onSubscribe(
          new Flow.Subscription() {
            @Override
            public void request(long count) {
              if (!published.getAndSet(true)) {
                if (bytes.length > 0) {
                  subscriber.onNext(List.of(ByteBuffer.wrap(bytes)));
                }
                subscriber.onComplete();
              }
            }

            @Override
            public void cancel() {
              published.set(true);
            }
          });
      return subscriber.getBody();
    }
  }

  /** A response as the caller gets it: with the request that it made, and so without the token. */
  private record Response<T>(HttpRequest request, HttpResponse<?> response, @Nullable T body)
      implements HttpResponse<T> {
    @Override
    public int statusCode() {
      return response.statusCode();
    }

    @Override
    public Optional<HttpResponse<T>> previousResponse() {
      return Optional.empty();
    }

    @Override
    public HttpHeaders headers() {
      return response.headers();
    }

    @Override
    public Optional<SSLSession> sslSession() {
      return response.sslSession();
    }

    @Override
    public URI uri() {
      return response.uri();
    }

    @Override
    public Version version() {
      return response.version();
    }

    @Override
    public String toString() {
      return "(" + request.method() + " " + uri() + ") " + statusCode();
    }
  }
}
