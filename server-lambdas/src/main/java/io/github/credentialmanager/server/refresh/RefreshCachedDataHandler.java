package io.github.credentialmanager.server.refresh;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import io.github.credentialmanager.server.CredentialManagerServer;
import io.github.credentialmanager.server.ServerConfiguration;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/** The entry point of the RefreshCachedData function. */
public final class RefreshCachedDataHandler implements RequestStreamHandler {
  private final RequestStreamHandler handler;

  /** As Lambda makes it: configured by the environment. */
  public RefreshCachedDataHandler() {
    this(CredentialManagerServer.create(ServerConfiguration.fromEnvironment(System.getenv())));
  }

  public RefreshCachedDataHandler(CredentialManagerServer server) {
    this.handler = server.handler("/installations/refresh");
  }

  @Override
  public void handleRequest(InputStream event, OutputStream response, Context context)
      throws IOException {
    handler.handleRequest(event, response, context);
  }
}
