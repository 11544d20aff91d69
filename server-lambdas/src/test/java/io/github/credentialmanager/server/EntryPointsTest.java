package io.github.credentialmanager.server;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import io.github.credentialmanager.server.apptoken.GetAppTokenHandler;
import io.github.credentialmanager.server.installations.GetInstallationDataHandler;
import io.github.credentialmanager.server.installations.GetInstallationsHandler;
import io.github.credentialmanager.server.installationtoken.GetInstallationTokenHandler;
import io.github.credentialmanager.server.refresh.RefreshCachedDataHandler;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class EntryPointsTest {
  static Stream<Arguments> entryPoints() {
    return Stream.of(
        entryPoint("/tokens/app", GetAppTokenHandler::new),
        entryPoint("/tokens/installation", GetInstallationTokenHandler::new),
        entryPoint("/installations/refresh", RefreshCachedDataHandler::new),
        entryPoint("/installations/info", GetInstallationDataHandler::new),
        entryPoint("/installations", GetInstallationsHandler::new));
  }

  private static Arguments entryPoint(
      String path, Function<CredentialManagerServer, RequestStreamHandler> constructor) {
    return Arguments.of(path, constructor);
  }

  /** An empty body gets as far as the operation itself, and no further where it needs input. */
  @ParameterizedTest(name = "{0}")
  @MethodSource("entryPoints")
  void serveTheirPathAndNoOther(
      String path, Function<CredentialManagerServer, RequestStreamHandler> constructor)
      throws Exception {
    try (World world = new World()) {
      RequestStreamHandler handler = constructor.apply(world.server());
      assertThat(send(handler, path).errorType()).isIn("", "ValidationException");
      assertThat(send(handler, "/other").errorType()).isEqualTo("UnknownOperationException");
    }
  }

  private static World.Response send(RequestStreamHandler handler, String path) throws Exception {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    byte[] event = World.event("POST", path, Map.of(), "").toString().getBytes(UTF_8);
    handler.handleRequest(new ByteArrayInputStream(event), out, new TestContext());
    return new World.Response(World.read(out.toString(UTF_8)));
  }

  @Test
  void thereIsNoOperationElsewhere() {
    try (World world = new World()) {
      assertThat(world.server().handlers()).hasSize(5);
      assertThatIllegalArgumentException().isThrownBy(() -> world.server().handler("/"));
    }
  }
}
