package io.github.credentialmanager.githubapi;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.github.credentialmanager.sdk.CachingTokenProvider;
import io.github.credentialmanager.sdk.Scope;
import io.github.credentialmanager.sdk.TokenDeniedException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.kohsuke.github.GitHub;

/** {@code connect} as a program uses it, with a Credential Manager and a GitHub on loopback. */
class ConnectTest {
  private static final String NODE_ID = "O_kgDO1001_0";

  private final InstantSource clock = InstantSource.system();
  private final List<String> vends = new CopyOnWriteArrayList<>();
  private final Map<String, String> before = new HashMap<>();
  private LoopbackGitHub gitHub;
  private HttpServer credentialManager;

  @BeforeEach
  void start() throws IOException {
    gitHub = new LoopbackGitHub(clock);
    credentialManager =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    credentialManager.createContext("/tokens/app", exchange -> vend(exchange, "\"appToken\""));
    credentialManager.createContext(
        "/tokens/installation",
        exchange ->
            vend(
                exchange,
                "\"nodeId\":\"" + NODE_ID + "\",\"actualScopeDown\":{},\"installationToken\""));
    credentialManager.start();
    configure(
        "credential.manager.endpoint",
        "http://127.0.0.1:" + credentialManager.getAddress().getPort());
    configure("github.api.url", gitHub.url().toString());
    configure("aws.region", "us-east-1");
    configure("aws.accessKeyId", "AKIDEXAMPLE");
    configure("aws.secretAccessKey", "secret");
  }

  @AfterEach
  void stop() {
    gitHub.close();
    credentialManager.stop(0);
    before.forEach(
        (name, value) -> {
          if (value == null) {
            System.clearProperty(name);
          } else {
            System.setProperty(name, value);
          }
        });
  }

  private void configure(String name, String value) {
    before.put(name, System.getProperty(name));
    System.setProperty(name, value);
  }

  private void vend(HttpExchange exchange, String members) throws IOException {
    vends.add(new String(exchange.getRequestBody().readAllBytes(), UTF_8));
    byte[] body =
        """
        {"appId":1001,%s:"%s","expirationTime":"%s"}"""
            .formatted(
                members,
                gitHub.issueToken(Duration.ZERO),
                Instant.now().plus(Duration.ofHours(1)).truncatedTo(ChronoUnit.SECONDS))
            .getBytes(UTF_8);
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    exchange.sendResponseHeaders(200, body.length);
    exchange.getResponseBody().write(body);
    exchange.close();
  }

  @Test
  void twoConnectionsShareOneToken() throws IOException {
    GitHub one = CredentialManagerGitHub.connect(1001, NODE_ID);
    GitHub two = CredentialManagerGitHub.connect(1001, NODE_ID);
    assertThat(vends).isEmpty();

    one.getRepository("octo-org/api");
    two.getRepository("octo-org/api");

    assertThat(vends).hasSize(1);
    assertThat(gitHub.authorizations()).hasSize(2).containsOnly(gitHub.authorizations().get(0));
  }

  @Test
  void aScopeHasATokenOfItsOwn() throws IOException {
    CredentialManagerGitHub.connect(1001, NODE_ID).getRepository("octo-org/api");
    CredentialManagerGitHub.connect(1001, NODE_ID, Scope.builder().read("contents").build())
        .getRepository("octo-org/api");

    assertThat(vends).hasSize(2);
    assertThat(vends.get(1)).contains("\"permissions\":{\"contents\":\"read\"}");
  }

  @Test
  void theAppActsAsItself() throws IOException {
    assertThat(CredentialManagerGitHub.connectAsApp(1001).getApp().getId()).isEqualTo(1001);
    assertThat(vends).containsExactly("{\"appId\":1001}");
  }

  @Test
  void aProgramWithoutConfigurationLearnsWhatToSet() {
    configure("credential.manager.endpoint", "");
    GitHub gh = CredentialManagerGitHub.connect(1001, NODE_ID);

    assertThatThrownBy(() -> gh.getRepository("octo-org/api"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("CREDENTIAL_MANAGER_ENDPOINT")
        .hasCauseInstanceOf(TokenDeniedException.class);
  }

  @Test
  void manyThreadsReplaceARevokedTokenOnce() throws Exception {
    VendedTokens source = VendedTokens.withoutCache(gitHub, clock);
    try (CachingTokenProvider tokens = CachingTokenProvider.builder(source).build()) {
      GitHub gh =
          CredentialManagerGitHub.builder()
              .appId(1001)
              .nodeId(NODE_ID)
              .tokenProvider(tokens)
              .clock(() -> clock.instant().plusSeconds(30))
              .build();
      gh.getRepository("octo-org/api");
      gitHub.revokeAll();

      ExecutorService threads = Executors.newFixedThreadPool(16);
      List<Future<String>> names = new ArrayList<>();
      for (int i = 0; i < 64; i++) {
        names.add(threads.submit(() -> gh.getRepository("octo-org/api").getName()));
      }
      threads.shutdown();
      for (Future<String> name : names) {
        assertThat(name.get()).isEqualTo("api");
      }
    }
    assertThat(source.vends()).hasSize(2);
  }
}
