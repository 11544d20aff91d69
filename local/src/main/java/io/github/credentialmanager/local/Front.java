package io.github.credentialmanager.local;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.sun.net.httpserver.HttpExchange;
import io.github.credentialmanager.local.FunctionUrl.Response;
import io.github.credentialmanager.local.Identities.Identity;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;

/**
 * The five Function URLs on one port, each a path.
 *
 * <p>In order, as at AWS: a payload over 6 MB is refused with 413; the signature is verified; IAM
 * is asked whether the caller may invoke the function; the function is invoked. In AWS each
 * function has a host of its own; here a path that is none of the five goes to one of the
 * functions, which answers what it answers to a wrong path.
 */
final class Front implements AutoCloseable {
  private static final int LARGEST_REQUEST = 6 * 1024 * 1024;
  private static final Duration TIMEOUT = Duration.ofSeconds(20);
  private static final Duration REFRESH_TIMEOUT = Duration.ofMinutes(5);

  /** The functions' names by path, and the value of their tag {@code CredentialManager}. */
  static final Map<String, String> FUNCTIONS =
      Map.of(
          "/tokens/app", "AppTokenEndpoint",
          "/tokens/installation", "InstallationAccessTokenEndpoint",
          "/installations/refresh", "RefreshCachedDataEndpoint",
          "/installations/info", "InstallationCachedDataEndpoint",
          "/installations", "InstallationsEndpoint");

  private final Identities identities;
  private final SigV4Verifier verifier;
  private final InstantSource clock;
  private final Map<String, FunctionUrl> functions;
  private final ExecutorService executor;
  private final LoopbackServer server;

  /**
   * @param port 0 for any free one
   * @param handlers by path
   */
  Front(
      int port,
      String region,
      Identities identities,
      InstantSource clock,
      Map<String, ? extends RequestStreamHandler> handlers) {
    this.identities = identities;
    this.verifier = SigV4Verifier.forFunctionUrls(region, clock, identities::credentials);
    this.clock = clock;
    this.executor =
        Executors.newCachedThreadPool(
            task -> {
              Thread thread = new Thread(task, "function");
              thread.setDaemon(true);
              return thread;
            });
    this.functions =
        FUNCTIONS.entrySet().stream()
            .collect(
                Collectors.toMap(
                    Map.Entry::getKey,
                    function -> {
                      String path = function.getKey();
                      RequestStreamHandler handler = handlers.get(path);
                      if (handler == null) {
                        throw new IllegalArgumentException("No handler for " + path);
                      }
                      return new FunctionUrl(
                          "CredentialManager-" + function.getValue(),
                          region,
                          handler,
                          path.endsWith("/refresh") ? REFRESH_TIMEOUT : TIMEOUT,
                          executor);
                    }));
    this.server = LoopbackServer.start(port, "front", this::handle);
  }

  URI endpoint() {
    return server.endpoint();
  }

  FunctionUrl function(String path) {
    FunctionUrl function = functions.get(path);
    if (function == null) {
      throw new IllegalArgumentException("No function at " + path);
    }
    return function;
  }

  private void handle(HttpExchange exchange) throws IOException {
    Response response;
    try {
      response = respond(exchange);
    } catch (RuntimeException e) {
      response = Response.failed();
    }
    response.headers().forEach(exchange.getResponseHeaders()::set);
    LoopbackServer.answer(exchange, response.status(), response.body());
  }

  private Response respond(HttpExchange exchange) throws IOException {
    byte[] body = exchange.getRequestBody().readNBytes(LARGEST_REQUEST + 1);
    if (body.length > LARGEST_REQUEST) {
      return error(
          413,
          "RequestTooLargeException",
          "message",
          "Request must be smaller than "
              + LARGEST_REQUEST
              + " bytes for the InvokeFunction operation");
    }
    SignedRequest request = LoopbackServer.signedRequest(exchange, body);
    Identity caller;
    try {
      caller = identities.identity(verifier.verify(request)).orElseThrow();
    } catch (SignatureRefusedException e) {
      return e.errorType().equals("MissingAuthenticationTokenException")
          ? forbidden()
          : error(403, e.errorType(), "message", e.getMessage());
    }
    String path = request.path().replaceAll("/+$", "");
    FunctionUrl function = functions.get(path);
    if (function == null) {
      return function("/tokens/app").invoke(request, caller, clock.instant());
    }
    return caller.mayInvoke(path) ? function.invoke(request, caller, clock.instant()) : forbidden();
  }

  /** What IAM's refusal looks like, with its capital M. */
  private static Response forbidden() {
    return error(
        403,
        "AccessDeniedException",
        "Message",
        "Forbidden. For troubleshooting Function URL authorization issues, see:"
            + " https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html");
  }

  private static Response error(int status, String type, String member, String message) {
    Map<String, String> headers = new LinkedHashMap<>();
    headers.put("Content-Type", "application/json");
    headers.put("x-amzn-ErrorType", type);
    String body = JsonNodeFactory.instance.objectNode().put(member, message).toString();
    return new Response(status, headers, body.getBytes(UTF_8));
  }

  @Override
  public void close() {
    server.close();
    executor.shutdownNow();
  }
}
