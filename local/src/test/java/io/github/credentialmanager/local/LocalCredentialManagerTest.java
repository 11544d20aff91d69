package io.github.credentialmanager.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.credentialmanager.ops.PrivateKeyPem;
import io.github.credentialmanager.sdk.AccessToken;
import io.github.credentialmanager.sdk.CredentialManagerClient;
import io.github.credentialmanager.sdk.Installation;
import io.github.credentialmanager.sdk.Reason;
import io.github.credentialmanager.sdk.Scope;
import io.github.credentialmanager.sdk.TokenDeniedException;
import io.github.credentialmanager.sdk.TokenUnavailableException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.kohsuke.github.GHRepository;
import org.kohsuke.github.GitHub;
import org.kohsuke.github.GitHubBuilder;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.awssdk.services.kms.model.KeyListEntry;
import software.amazon.awssdk.services.kms.model.Tag;

class LocalCredentialManagerTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  private static CredentialManagerClient client(
      LocalCredentialManager stack, AwsCredentialsProvider as) {
    return CredentialManagerClient.builder()
        .endpoint(stack.endpoint())
        .region(stack.region())
        .credentialsProvider(as)
        .build();
  }

  private static GitHub gitHub(LocalCredentialManager stack, AccessToken token) throws Exception {
    return new GitHubBuilder()
        .withEndpoint(stack.gitHubApiUrl().toString())
        .withAppInstallationToken(token.secret().reveal())
        .build();
  }

  @Nested
  @TestInstance(TestInstance.Lifecycle.PER_CLASS)
  class WithTheDemo {
    private final Queue<String> log = new ConcurrentLinkedQueue<>();
    private LocalCredentialManager stack;
    private CredentialManagerClient client;
    private GitHubDouble.Installation octoOrg;

    @BeforeAll
    void start() {
      stack = LocalCredentialManager.builder().demo().log(log::add).start();
      client = stack.newClient();
      octoOrg = stack.gitHub().app(1001).orElseThrow().installationOn("octo-org").orElseThrow();
    }

    @AfterAll
    void stop() {
      client.close();
      stack.close();
    }

    @BeforeEach
    void clearLog() {
      log.clear();
    }

    @Test
    void vendsATokenThatGitHubTakes() throws Exception {
      AccessToken token = client.getInstallationToken(1001, octoOrg.nodeId());

      assertThat(gitHub(stack, token).getInstallation().listRepositories().toList())
          .extracting(GHRepository::getFullName)
          .containsExactly("octo-org/hello-world", "octo-org/spoon-knife", "octo-org/linguist");
      assertThat(token.expirationTime()).isAfter(Instant.now().plus(Duration.ofMinutes(59)));
    }

    @Test
    void narrowsATokenToItsScope() throws Exception {
      AccessToken token =
          client.getInstallationToken(
              1001,
              octoOrg.nodeId(),
              Scope.builder().repositories("linguist").read("contents").build());

      assertThat(gitHub(stack, token).getInstallation().listRepositories().toList())
          .extracting(GHRepository::getName)
          .containsExactly("linguist");
    }

    @Test
    void vendsAnAppTokenThatGitHubTakes() throws Exception {
      AccessToken token = client.getAppToken(1001);

      HttpResponse<String> response =
          HttpClient.newHttpClient()
              .send(
                  HttpRequest.newBuilder(URI.create(stack.gitHubApiUrl() + "/app"))
                      .header("Authorization", "Bearer " + token.secret().reveal())
                      .build(),
                  HttpResponse.BodyHandlers.ofString());
      assertThat(response.statusCode()).isEqualTo(200);
      assertThat(JSON.readTree(response.body()).path("slug").textValue()).isEqualTo("demo");
    }

    @Test
    void writesOneAuditLineForAVend() throws Exception {
      AccessToken token = client.getInstallationToken(1001, octoOrg.nodeId());

      List<JsonNode> lines = lines("hashedToken");
      assertThat(lines).hasSize(1);
      assertThat(lines.get(0).path("hashedToken").textValue()).isEqualTo(token.hash());
      assertThat(lines.get(0).path("caller").textValue())
          .isEqualTo("arn:aws:sts::111122223333:assumed-role/developer/local");
      assertThat(lines.get(0).path("nodeId").textValue()).isEqualTo(octoOrg.nodeId());
      assertThat(log).noneMatch(line -> line.contains(token.secret().reveal()));
    }

    private List<JsonNode> lines(String member) throws Exception {
      List<JsonNode> lines = new ArrayList<>();
      for (String line : log) {
        lines.add(JSON.readTree(line));
      }
      return lines.stream().filter(line -> line.has(member)).toList();
    }

    @Test
    void refreshesAndListsInstallations() {
      client.refreshCachedData();

      assertThat(client.paginateInstallations())
          .extracting(Installation::name)
          .contains("octo-org", "octocat");
      assertThat(client.getInstallationData(octoOrg.nodeId()))
          .filteredOn(it -> it.appId() == 1001)
          .singleElement()
          .satisfies(it -> assertThat(it.installationId()).isEqualTo(octoOrg.id()));
    }

    @Test
    void refusesAStrangerAndWhoMayNotDoThis() {
      try (CredentialManagerClient stranger = client(stack, stack.strangersCredentialsProvider());
          CredentialManagerClient reader =
              client(stack, stack.newCaller("reader", "/installations"))) {
        assertDenied(() -> stranger.getAppToken(1001), Reason.ACCESS_DENIED);
        assertDenied(() -> reader.getAppToken(1001), Reason.ACCESS_DENIED);
        assertThat(reader.getInstallations().installations()).isNotNull();
      }
      assertThatIllegalArgumentException()
          .isThrownBy(() -> stack.newCaller("x", "/tokens"))
          .withMessageContaining("No operation at /tokens");
    }

    @Test
    void tellsWhyATokenIsRefused() {
      assertDenied(() -> client.getAppToken(4711), Reason.APP_NOT_REGISTERED);
      assertDenied(
          () -> client.getInstallationToken(1001, "O_unknown"), Reason.INSTALLATION_NOT_FOUND);
      assertDenied(
          () ->
              client.getInstallationToken(
                  1001, octoOrg.nodeId(), Scope.builder().admin("pages").build()),
          Reason.SCOPE_NOT_GRANTED);
      octoOrg.suspend();
      try {
        assertDenied(
            () -> client.getInstallationToken(1001, octoOrg.nodeId()),
            Reason.INSTALLATION_SUSPENDED);
      } finally {
        octoOrg.unsuspend();
      }
    }

    @Test
    void survivesAReinstallation() throws Exception {
      GitHubDouble.App app = stack.registerApp(1002);
      GitHubDouble.Installation first = app.install(stack.gitHub().organization("octo-org"));
      client.getInstallationToken(1002, first.nodeId());

      first.reinstall();

      AccessToken token = client.getInstallationToken(1002, first.nodeId());
      assertThat(gitHub(stack, token).getInstallation().listRepositories().toList()).hasSize(3);
    }

    @Test
    void rotatesAKeyWithoutAnOutage() throws Exception {
      GitHubDouble.App app = stack.registerApp(1003);
      GitHubDouble.Installation there = app.install(stack.gitHub().organization("octo-org"));
      client.getInstallationToken(1003, there.nodeId());
      byte[] pem = AppKey.generatePem();
      try (PrivateKeyPem key = PrivateKeyPem.parse(pem)) {
        app.addKey(key.publicKey());
      }

      stack.importPrivateKey(1003, pem);

      client.getInstallationToken(1003, there.nodeId());
    }

    @Test
    void theServerMaySignWithActiveKeysOnly() {
      stack.registerApp(1004);
      client.getAppToken(1004);
      stack.registerApp(1005);
      try (KmsClient kms = kms()) {
        for (KeyListEntry key : kms.listKeys().keys()) {
          Tag ofApp = Tag.builder().tagKey("AppId").tagValue("1005").build();
          if (kms.listResourceTags(it -> it.keyId(key.keyId())).tags().contains(ofApp)) {
            Tag failed = Tag.builder().tagKey("Status").tagValue("Failed").build();
            kms.tagResource(it -> it.keyId(key.keyId()).tags(failed));
          }
        }
      }

      assertThatExceptionOfType(TokenUnavailableException.class)
          .isThrownBy(() -> client.getAppToken(1005))
          .satisfies(failure -> assertThat(failure.reason()).isEqualTo(Reason.APP_KEY_UNAVAILABLE));
    }

    private KmsClient kms() {
      return KmsClient.builder()
          .endpointOverride(stack.kms().endpoint())
          .region(stack.region())
          .credentialsProvider(stack.credentialsProvider())
          .build();
    }

    private void assertDenied(ThrowingCallable call, Reason reason) {
      assertThatExceptionOfType(TokenDeniedException.class)
          .isThrownBy(call)
          .satisfies(denied -> assertThat(denied.reason()).isEqualTo(reason));
    }
  }

  @Nested
  class WithADirectory {
    @Test
    void keepsKeysAndTablesForTheNextStart(@TempDir Path data) throws Exception {
      String node;
      try (LocalCredentialManager first =
              LocalCredentialManager.builder().demo().dataDirectory(data).start();
          CredentialManagerClient client = first.newClient()) {
        node = node(first);
        client.getInstallationToken(1001, node);
        client.refreshCachedData();
      }
      try (LocalCredentialManager second =
              LocalCredentialManager.builder().demo().dataDirectory(data).start();
          CredentialManagerClient client = second.newClient()) {
        assertThat(node(second)).isEqualTo(node);
        assertThat(second.kms().calls("ImportKeyMaterial")).isZero();
        assertThat(client.getInstallations().installations()).hasSize(2);
        assertThat(client.getInstallationToken(1001, node)).isNotNull();
      }
    }

    private String node(LocalCredentialManager stack) {
      return stack
          .gitHub()
          .app(1001)
          .orElseThrow()
          .installationOn("octo-org")
          .orElseThrow()
          .nodeId();
    }
  }

  @Nested
  class WithTheClockMoved {
    @Test
    void tokensExpireAtGitHubAndRequestsMustBeSignedByThatClock() {
      MovableClock clock = new MovableClock(Instant.parse("2030-01-01T00:00:00Z"));
      try (LocalCredentialManager stack =
              LocalCredentialManager.builder().demo().clock(clock).start();
          CredentialManagerClient client = stack.newClient()) {
        assertThat(client.getAppToken(1001).expirationTime()).isEqualTo("2030-01-01T00:07:50Z");

        clock.move(Duration.ofDays(1));

        assertThat(client.getAppToken(1001).expirationTime()).isEqualTo("2030-01-02T00:07:50Z");
      }
    }
  }

  @Nested
  class WithASeed {
    @Test
    void isWhatTheFileSays(@TempDir Path directory) throws Exception {
      Path pem = directory.resolve("app.pem");
      Files.write(pem, AppKey.generatePem());
      byte[] next = AppKey.generatePem();
      Files.write(directory.resolve("next.pem"), next);
      Path seed =
          Files.writeString(
              directory.resolve("seed.json"),
              """
              {"accounts": [
                 {"login": "acme", "id": 77, "nodeId": "O_kgDOacme",
                  "repositories": ["rocket", {"name": "site", "id": 5000000000, "private": false}]},
                 {"login": "acme-inc", "type": "Enterprise"}],
               "apps": [
                 {"id": 42, "slug": "builder", "privateKeyFile": "app.pem",
                  "nextPrivateKeyFile": "next.pem",
                  "permissions": {"metadata": "read", "contents": "read"},
                  "installations": [
                    {"account": "acme", "id": 9000000001, "repositories": ["site"]},
                    {"account": "acme-inc", "suspended": true}]}]}
              """);
      try (LocalCredentialManager stack = LocalCredentialManager.builder().seed(seed).start();
          CredentialManagerClient client = stack.newClient()) {
        AccessToken token = client.getInstallationToken(42, "O_kgDOacme");

        assertThat(gitHub(stack, token).getInstallation().listRepositories().toList())
            .extracting(GHRepository::getId)
            .containsExactly(5_000_000_000L);
        assertThat(stack.gitHub().apps())
            .singleElement()
            .satisfies(it -> assertThat(it.id()).isEqualTo(42));
        client.refreshCachedData();
        assertThat(client.getInstallationData("O_kgDOacme"))
            .singleElement()
            .satisfies(it -> assertThat(it.installationId()).isEqualTo(9_000_000_001L));
        stack.importPrivateKey(42, next);
      }
    }
  }

  @Nested
  class WithAKeyThatIsNotImported {
    @Test
    void waitsForTheOperatorToImportIt(@TempDir Path directory) throws Exception {
      byte[] pem = AppKey.generatePem();
      Files.write(directory.resolve("app.pem"), pem);
      Path seed =
          Files.writeString(
              directory.resolve("seed.json"),
              """
              {"accounts": [{"login": "acme", "nodeId": "O_kgDOacme", "repositories": ["rocket"]}],
               "apps": [{"id": 42, "privateKeyFile": "app.pem", "imported": false,
                         "installations": [{"account": "acme"}]}]}
              """);
      try (LocalCredentialManager stack = LocalCredentialManager.builder().seed(seed).start();
          CredentialManagerClient client = stack.newClient()) {
        assertThatExceptionOfType(TokenDeniedException.class)
            .isThrownBy(() -> client.getInstallationToken(42, "O_kgDOacme"))
            .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.APP_NOT_REGISTERED));

        stack.importPrivateKey(42, pem);

        assertThat(client.getInstallationToken(42, "O_kgDOacme").nodeId()).contains("O_kgDOacme");
      }
    }
  }

  @Nested
  class WhenItDoesNotStart {
    @Test
    void saysThatThePortIsTaken() {
      try (LocalCredentialManager first = LocalCredentialManager.start()) {
        assertThatExceptionOfType(UncheckedIOException.class)
            .isThrownBy(
                () -> LocalCredentialManager.builder().port(first.endpoint().getPort()).start())
            .withMessage("Cannot listen on 127.0.0.1:" + first.endpoint().getPort() + ".");
      }
    }

    @Test
    void namesWhatTheEnvironmentLacks() {
      assertThatIllegalArgumentException()
          .isThrownBy(
              () ->
                  LocalCredentialManager.builder()
                      .aws(Map.of("AWS_REGION", "eu-west-1", "APP_TABLE_NAME", " "))
                      .start())
          .withMessage(
              "--aws=environment needs APP_TABLE_NAME, INSTALLATION_TABLE_NAME to be set.");
    }
  }

  @Nested
  class WithAnotherGitHubAndAws {
    @Test
    void usesThoseItIsGiven() throws Exception {
      try (LocalCredentialManager cloud = LocalCredentialManager.builder().demo().start();
          LocalCredentialManager stack =
              LocalCredentialManager.builder().gitHubApiUrl(cloud.gitHubApiUrl()).start();
          CredentialManagerClient client = stack.newClient()) {
        byte[] pem = AppKey.generatePem();
        try (PrivateKeyPem key = PrivateKeyPem.parse(pem)) {
          cloud.gitHub().registerApp(7, key.publicKey()).install(cloud.gitHub().user("octocat"));
        }
        stack.importPrivateKey(7, pem);

        assertThat(client.getInstallationToken(7, cloud.gitHub().user("octocat").nodeId()))
            .isNotNull();
        assertThatIllegalStateException()
            .isThrownBy(stack::gitHub)
            .withMessageContaining(cloud.gitHubApiUrl().toString());
      }
    }
  }
}
