package io.github.credentialmanager.server;

import static com.github.tomakehurst.wiremock.client.WireMock.anyRequestedFor;
import static com.github.tomakehurst.wiremock.client.WireMock.anyUrl;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import com.sun.net.httpserver.HttpServer;
import io.github.credentialmanager.server.installationtoken.GetInstallationTokenHandler;
import java.lang.ref.WeakReference;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.crac.Core;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

/** Goes through a snapshot, as Lambda has a server do. */
class SnapshotTest {
  private static final String REQUEST = "{\"appId\":1001,\"nodeId\":\"O_1\"}";

  private final World world = new World();

  @BeforeEach
  void setUp() {
    world.app(1001).installation(1001, "O_1", 7001);
    GitHubStubs.vends(world, 7001);
  }

  @AfterEach
  void close() {
    world.close();
  }

  private World.Response post() {
    return world.post("/tokens/installation", REQUEST);
  }

  /** What the tables say now shows whether they are asked. */
  private void installAgain() {
    String arn = World.keyArn("successor");
    world.kms.key(arn);
    world.app(1001, Map.of("KmsKeyArn", AttributeValue.fromS(arn)));
    world.installation(1001, "O_1", 7009);
    GitHubStubs.vends(world, 7009);
  }

  private List<String> tokenCalls() {
    return world.gitHub.findAll(anyRequestedFor(anyUrl())).stream()
        .map(request -> request.getUrl())
        .toList();
  }

  @Test
  void remembersNothing() throws Exception {
    post();
    installAgain();
    world.server().snapshot().beforeCheckpoint(Core.getGlobalContext());
    assertThat(post().status()).isEqualTo(200);
    assertThat(world.kms.signedWith())
        .containsExactly(World.keyArn("app-1001"), World.keyArn("successor"));
    assertThat(tokenCalls()).last().asString().contains("/7009/");
  }

  @Test
  void isNotTrustedOnceRestoredEither() throws Exception {
    world.server().snapshot().beforeCheckpoint(Core.getGlobalContext());
    post();
    installAgain();
    world.server().snapshot().afterRestore(Core.getGlobalContext());
    assertThat(post().status()).isEqualTo(200);
    assertThat(world.kms.signedWith())
        .containsExactly(World.keyArn("app-1001"), World.keyArn("successor"));
    assertThat(tokenCalls()).last().asString().contains("/7009/");
  }

  @Test
  void staysInForceWhereOnlyTheHandlerIsHeld() throws Exception {
    CredentialManagerServer server = world.newServer();
    WeakReference<Snapshot> registered = new WeakReference<>(server.snapshot());
    RequestStreamHandler handler = new GetInstallationTokenHandler(server);
    server = null;
    System.gc();
    assertThat(registered.get()).as("Lambda's context holds weakly").isNotNull();
    assertThat(handler).isNotNull();
  }

  @Test
  void isFollowedByNewConnectionsToGitHub() throws Exception {
    List<Integer> ports = new CopyOnWriteArrayList<>();
    HttpServer gitHub =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    gitHub.createContext(
        "/",
        exchange -> {
          ports.add(exchange.getRemoteAddress().getPort());
          exchange.getRequestBody().readAllBytes();
          byte[] token =
              ("{\"token\":\"t\",\"expires_at\":\"2026-11-23T09:51:02Z\",\"permissions\":{}}")
                  .getBytes(UTF_8);
          exchange.sendResponseHeaders(201, token.length);
          exchange.getResponseBody().write(token);
          exchange.close();
        });
    gitHub.start();
    try {
      URI url = URI.create("http://127.0.0.1:" + gitHub.getAddress().getPort());
      world.with(settings -> settings.gitHubApiUrl(url));
      post();
      post();
      world.server().snapshot().beforeCheckpoint(Core.getGlobalContext());
      world.server().snapshot().afterRestore(Core.getGlobalContext());
      post();
      assertThat(ports).hasSize(3);
      assertThat(ports.get(1)).as("is kept alive until then").isEqualTo(ports.get(0));
      assertThat(ports.get(2)).isNotEqualTo(ports.get(0));
    } finally {
      gitHub.stop(0);
    }
  }

  @Test
  void isTakenWithoutACallOrACredential() throws Exception {
    List<String> asked = new CopyOnWriteArrayList<>();
    try (FaultyServer elsewhere =
        new FaultyServer(FaultyServer.Fault.ANSWERS_GARBAGE, URI.create("http://none"))) {
      world
          .with(
              settings ->
                  settings
                      .kmsEndpoint(elsewhere.endpoint())
                      .dynamoDbEndpoint(elsewhere.endpoint())
                      .gitHubApiUrl(elsewhere.endpoint())
                      .credentialsProvider(
                          () -> {
                            asked.add("for credentials");
                            return DynamoDbLocal.credentials().resolveCredentials();
                          }))
          .server();
      world.server().snapshot().beforeCheckpoint(Core.getGlobalContext());
      assertThat(elsewhere.connections()).isZero();
      assertThat(asked).isEmpty();
    }
  }
}
