package io.github.credentialmanager.examples.snippets;

import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import io.github.credentialmanager.server.CredentialManagerServer;
import io.github.credentialmanager.server.ServerConfiguration;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import software.amazon.awssdk.regions.Region;

/** The code of the server's README. */
final class ServerReadme {
  private ServerReadme() {}

  static void serve(Region region, InputStream event, OutputStream response) throws IOException {
    // region server
    ServerConfiguration configuration =
        ServerConfiguration.builder()
            .appTableName("Apps")
            .installationTableName("Installations")
            .region(region)
            .build();
    try (CredentialManagerServer server = CredentialManagerServer.create(configuration)) {
      RequestStreamHandler handler = server.handler("/tokens/installation");
      handler.handleRequest(event, response, null);
    }
    // endregion
  }
}
