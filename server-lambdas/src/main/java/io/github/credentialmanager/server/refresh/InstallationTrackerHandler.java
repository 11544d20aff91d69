package io.github.credentialmanager.server.refresh;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import io.github.credentialmanager.server.CredentialManagerServer;
import io.github.credentialmanager.server.ServerConfiguration;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/** The entry point of the installation tracker, which EventBridge invokes on a schedule. */
public final class InstallationTrackerHandler implements RequestStreamHandler {
  private final RequestStreamHandler handler;

  /** As Lambda makes it: configured by the environment. */
  public InstallationTrackerHandler() {
    this(CredentialManagerServer.create(ServerConfiguration.fromEnvironment(System.getenv())));
  }

  public InstallationTrackerHandler(CredentialManagerServer server) {
    this.handler = server.installationTracker();
  }

  @Override
  public void handleRequest(InputStream event, OutputStream result, Context context)
      throws IOException {
    handler.handleRequest(event, result, context);
  }
}
