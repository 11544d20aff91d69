package io.github.credentialmanager.server.installationtoken;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import io.github.credentialmanager.server.CredentialManagerServer;
import io.github.credentialmanager.server.ServerConfiguration;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/** The entry point of the GetInstallationToken function. */
public final class GetInstallationTokenHandler implements RequestStreamHandler {
  private final RequestStreamHandler handler;

  /** As Lambda makes it: configured by the environment. */
  public GetInstallationTokenHandler() {
    this(CredentialManagerServer.create(ServerConfiguration.fromEnvironment(System.getenv())));
  }

  public GetInstallationTokenHandler(CredentialManagerServer server) {
    this.handler = server.handler("/tokens/installation");
  }

  @Override
  public void handleRequest(InputStream event, OutputStream response, Context context)
      throws IOException {
    handler.handleRequest(event, response, context);
  }
}
