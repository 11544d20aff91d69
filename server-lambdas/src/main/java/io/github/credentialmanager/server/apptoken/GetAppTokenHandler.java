package io.github.credentialmanager.server.apptoken;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import io.github.credentialmanager.server.CredentialManagerServer;
import io.github.credentialmanager.server.ServerConfiguration;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/** The entry point of the GetAppToken function. */
public final class GetAppTokenHandler implements RequestStreamHandler {
  private final RequestStreamHandler handler;

  /** As Lambda makes it: configured by the environment. */
  public GetAppTokenHandler() {
    this(CredentialManagerServer.create(ServerConfiguration.fromEnvironment(System.getenv())));
  }

  public GetAppTokenHandler(CredentialManagerServer server) {
    this.handler = server.handler("/tokens/app");
  }

  @Override
  public void handleRequest(InputStream event, OutputStream response, Context context)
      throws IOException {
    handler.handleRequest(event, response, context);
  }
}
