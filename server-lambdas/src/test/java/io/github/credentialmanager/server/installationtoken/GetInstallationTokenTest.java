package io.github.credentialmanager.server.installationtoken;

import static com.github.tomakehurst.wiremock.client.WireMock.aResponse;
import static com.github.tomakehurst.wiremock.client.WireMock.anyRequestedFor;
import static com.github.tomakehurst.wiremock.client.WireMock.anyUrl;
import static com.github.tomakehurst.wiremock.client.WireMock.delete;
import static com.github.tomakehurst.wiremock.client.WireMock.deleteRequestedFor;
import static com.github.tomakehurst.wiremock.client.WireMock.equalTo;
import static com.github.tomakehurst.wiremock.client.WireMock.getRequestedFor;
import static com.github.tomakehurst.wiremock.client.WireMock.urlPathEqualTo;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.github.tomakehurst.wiremock.verification.LoggedRequest;
import io.github.credentialmanager.server.GitHubStubs;
import io.github.credentialmanager.server.KmsDouble;
import io.github.credentialmanager.server.World;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.Signature;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

class GetInstallationTokenTest {
  private static final String PATH = "/tokens/installation";
  private static final String REQUEST = "{\"appId\":1001,\"nodeId\":\"O_1\"}";

  private final World world = new World();

  @BeforeEach
  void setUp() {
    world.at("2026-11-23T08:51:02Z").app(1001).installation(1001, "O_1", 7001);
    GitHubStubs.vends(world, 7001);
  }

  @AfterEach
  void close() {
    world.close();
  }

  private World.Response post() {
    return world.post(PATH, REQUEST);
  }

  private World.Response post(String scopeDown) {
    return world.post(PATH, "{\"appId\":1001,\"nodeId\":\"O_1\",\"scopeDown\":" + scopeDown + "}");
  }

  private List<LoggedRequest> gitHubCalls() {
    return world.gitHub.findAll(anyRequestedFor(anyUrl()));
  }

  @Nested
  class TheAnswer {
    @Test
    void spellsItsMembersInAlphabeticalOrder() {
      GitHubStubs.vends(
          world,
          7001,
          "{\"issues\":\"write\",\"contents\":\"read\"}",
          ",\"repositories\":[{\"id\":11,\"name\":\"repo-11\"},{\"id\":5000,\"name\":\"a\"}]");
      String scopeDown =
          "{\"repositoryNames\":[\"A\"],\"permissions\":{\"issues\":\"write\",\"contents\":\"read\"},"
              + "\"repositoryIds\":[11]}";
      assertThat(post(scopeDown).raw().path("body").asText())
          .isEqualTo(
              "{\"actualScopeDown\":{\"permissions\":{\"contents\":\"read\",\"issues\":\"write\"},"
                  + "\"repositoryIds\":[11,5000],\"repositoryNames\":[\"repo-11\",\"a\"]},"
                  + "\"appId\":1001,\"expirationTime\":\"2026-11-23T09:51:02Z\","
                  + "\"installationToken\":\""
                  + GitHubStubs.TOKEN
                  + "\",\"nodeId\":\"O_1\",\"requestedScopeDown\":"
                  + "{\"permissions\":{\"contents\":\"read\",\"issues\":\"write\"},"
                  + "\"repositoryIds\":[11],\"repositoryNames\":[\"A\"]}}");
    }
  }

  @Nested
  class TheAuditLine {
    @Test
    void saysWhoGotWhatAndHowToFindItAtGitHub() throws Exception {
      post("{\"permissions\":{\"contents\":\"write\"}}");
      List<JsonNode> lines = world.logged("InstallationTokenVended");
      assertThat(lines).hasSize(1);
      JsonNode line = lines.get(0);
      assertThat(line.fieldNames())
          .toIterable()
          .containsExactlyInAnyOrder(
              "event",
              "time",
              "operation",
              "caller",
              "callerAccount",
              "accessKeyId",
              "appId",
              "nodeId",
              "installationId",
              "expirationTime",
              "hashedToken",
              "requestedScopeDown",
              "actualScopeDown",
              "requestId",
              "gitHubRequestId",
              "kmsKeyArn");
      assertThat(line.path("installationId").asLong()).isEqualTo(7001);
      assertThat(line.path("gitHubRequestId").asText()).isEqualTo("ABCD:1");
      assertThat(line.path("kmsKeyArn").asText()).isEqualTo(World.keyArn("app-1001"));
      byte[] hash =
          MessageDigest.getInstance("SHA-256")
              .digest(GitHubStubs.TOKEN.getBytes(StandardCharsets.UTF_8));
      assertThat(line.path("hashedToken").asText())
          .isEqualTo(Base64.getEncoder().encodeToString(hash));
    }

    @Test
    void holdsNoCredential() {
      post();
      String jwt = gitHubCalls().get(0).getHeader("authorization").substring("Bearer ".length());
      String signature = jwt.substring(jwt.lastIndexOf('.') + 1);
      assertThat(String.join("\n", world.log))
          .doesNotContain(GitHubStubs.TOKEN, jwt, signature, "SESSIONTOKEN");
    }
  }

  @Nested
  class TheJwt {
    @Test
    void isSignedByTheAppsKeyAndLivesNineMinutes() throws Exception {
      post();
      String jwt = gitHubCalls().get(0).getHeader("authorization").substring("Bearer ".length());
      String[] parts = jwt.split("\\.", -1);
      Signature signature = Signature.getInstance("SHA256withRSA");
      signature.initVerify(KmsDouble.sharedKey().getPublic());
      signature.update((parts[0] + "." + parts[1]).getBytes(StandardCharsets.US_ASCII));
      assertThat(signature.verify(Base64.getUrlDecoder().decode(parts[2]))).isTrue();
      assertThat(decoded(parts[0])).isEqualTo("{\"alg\":\"RS256\",\"typ\":\"JWT\"}");
      JsonNode claims = World.read(decoded(parts[1]));
      long now = Instant.parse("2026-11-23T08:51:02Z").getEpochSecond();
      assertThat(claims.path("iat").asLong()).isEqualTo(now - 60);
      assertThat(claims.path("exp").asLong()).isEqualTo(now + 480);
      assertThat(claims.path("iss").asText()).isEqualTo("1001");
      assertThat(claims.path("jti").asText()).isNotEmpty();
    }

    private static String decoded(String part) {
      return new String(Base64.getUrlDecoder().decode(part), StandardCharsets.UTF_8);
    }
  }

  @Nested
  class OnceWarm {
    @Test
    void asksGitHubOnceAndNobodyElse() {
      post();
      world.gitHub.resetRequests();
      world.dynamoDb.deleteItem(
          request ->
              request
                  .tableName(world.installationTable)
                  .key(Map.of("AppId", World.number(1001), "NodeId", AttributeValue.fromS("O_1"))));
      world.dynamoDb.deleteItem(
          request -> request.tableName(world.appTable).key(Map.of("AppId", World.number(1001))));
      assertThat(post().status()).isEqualTo(200);
      assertThat(gitHubCalls()).hasSize(1);
      assertThat(world.kms.signedWith()).hasSize(1);
    }

    @Test
    void signsAnewWhenHalfTheJwtsLifeIsOver() {
      post();
      world.advance(Duration.ofSeconds(240));
      post();
      assertThat(world.kms.signedWith()).hasSize(1);
      world.advance(Duration.ofSeconds(1));
      post();
      assertThat(world.kms.signedWith()).hasSize(2);
    }

    @Test
    void seesWithinAMinuteThatAnAppIsGone() {
      post();
      world.dynamoDb.deleteItem(
          request -> request.tableName(world.appTable).key(Map.of("AppId", World.number(1001))));
      world.advance(Duration.ofSeconds(60));
      assertThat(post().body().path("reason").asText()).isEqualTo("APP_NOT_REGISTERED");
    }

    @Test
    void makesATokenForEachCall() {
      post();
      post();
      assertThat(gitHubCalls()).hasSize(2);
      assertThat(world.logged("InstallationTokenVended")).hasSize(2);
    }
  }

  @Nested
  class WhileGitHubHangsForOneApp {
    @Test
    void theOthersAreServedAsEver() throws Exception {
      world.app(1002).installation(1002, "O_2", 7002);
      GitHubStubs.answersTokenCall(world, 7001, aResponse().withFixedDelay(30_000));
      GitHubStubs.vends(world, 7002);
      world.with(settings -> settings.requestTimeout(Duration.ofSeconds(4)));
      world.server();
      ExecutorService threads = Executors.newFixedThreadPool(8);
      try {
        List<Future<World.Response>> stuck = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
          stuck.add(threads.submit(() -> post()));
        }
        for (int i = 0; i < 5; i++) {
          assertThat(world.post(PATH, "{\"appId\":1002,\"nodeId\":\"O_2\"}").status())
              .isEqualTo(200);
        }
        assertThat(stuck).as("are still waiting").noneMatch(Future::isDone);
        for (Future<World.Response> answer : stuck) {
          assertThat(answer.get().body().path("reason").asText()).isEqualTo("TIMEOUT");
        }
      } finally {
        threads.shutdownNow();
      }
    }
  }

  @Nested
  class AnInstallation {
    @Test
    void thatIsNotInTheTableIsLookedForAtGitHub() {
      GitHubStubs.lists(world, GitHubStubs.entry(7002, "O_2"));
      GitHubStubs.vends(world, 7002);
      assertThat(world.post(PATH, "{\"appId\":1001,\"nodeId\":\"O_2\"}").status()).isEqualTo(200);
    }

    @Test
    void thatIsNowhereIsNotLookedForAgainForAMinute() {
      GitHubStubs.lists(world);
      String unknown = "{\"appId\":1001,\"nodeId\":\"O_2\"}";
      assertThat(world.post(PATH, unknown).body().path("message").asText())
          .isEqualTo(
              "Invalid Request: Error: Installation not found in response for app Id: 1001"
                  + " and target: O_2");
      world.post(PATH, unknown);
      assertThat(gitHubCalls()).hasSize(1);

      world.advance(Duration.ofSeconds(60));
      world.installation(1001, "O_2", 7002);
      GitHubStubs.vends(world, 7002);
      assertThat(world.post(PATH, unknown).status()).isEqualTo(200);
    }

    @Test
    void thatWasInstalledAgainIsFoundInTheSameCall() {
      GitHubStubs.refuses(world, 7001, 404, "Not Found");
      GitHubStubs.lists(world, GitHubStubs.entry(7009, "O_1"));
      GitHubStubs.vends(world, 7009);
      assertThat(post().status()).isEqualTo(200);
      world.gitHub.resetRequests();
      assertThat(post().status()).isEqualTo(200);
      assertThat(gitHubCalls()).as("the new id is remembered").hasSize(1);
    }

    @Test
    void whoseRowWasRenewedMeanwhileIsFoundInTheTable() {
      post();
      GitHubStubs.refuses(world, 7001, 404, "Not Found");
      GitHubStubs.vends(world, 7009);
      world.installation(1001, "O_1", 7009);
      assertThat(post().status()).isEqualTo(200);
      world.gitHub.verify(0, getRequestedFor(urlPathEqualTo("/app/installations")));
    }

    @Test
    void thatIsGoneIsLookedForOnce() {
      GitHubStubs.refuses(world, 7001, 404, "Not Found");
      GitHubStubs.lists(world, GitHubStubs.entry(7001, "O_1"));
      assertThat(post().body().path("reason").asText()).isEqualTo("INSTALLATION_NOT_FOUND");
      assertThat(gitHubCalls()).as("the token call and one listing").hasSize(2);
    }

    @Test
    void whoseRowIsDamagedIsLookedForAtGitHub() {
      world.installation(1001, "O_1", Map.of("InstallationId", AttributeValue.fromN("7001.5")));
      GitHubStubs.lists(world, GitHubStubs.entry(7001, "O_1"));
      assertThat(post().status()).isEqualTo(200);
    }
  }

  @Nested
  class AGrant {
    @ParameterizedTest
    @CsvSource(
        delimiter = '|',
        value = {
          "{\"permissions\":{\"contents\":\"read\"}} | {\"contents\":\"write\"} | ''",
          "{\"permissions\":{\"contents\":\"write\"}} | {\"contents\":\"admin\"} | ''",
          "{\"permissions\":{\"contents\":\"write\"}} | {\"contents\":\"owner\"} | ''",
          "{\"permissions\":{\"contents\":\"owner\"}} | {\"contents\":\"read\"} | ''",
          "{\"permissions\":{\"contents\":\"read\"}} | {\"metadata\":\"write\"} | ''",
          "{\"permissions\":{\"contents\":\"read\"}} | {\"issues\":\"read\"} | ''",
          "{\"repositoryIds\":[11]} | {} | ''",
          "{\"repositoryIds\":[11]} | {} | ,\"repository_selection\":\"selected\"",
          "{\"repositoryIds\":[11]} | {} | ,\"repositories\":[{\"id\":12,\"name\":\"11\"}]",
          "{\"repositoryNames\":[\"a\"]} | {} | ,\"repositories\":[{\"id\":1,\"name\":\"ab\"}]",
        })
    void thatIsWiderThanAskedIsRevokedAndNotHandedOut(
        String scopeDown, String permissions, String more) {
      GitHubStubs.vends(world, 7001, permissions, more);
      world.gitHub.stubFor(
          delete(urlPathEqualTo("/installation/token")).willReturn(aResponse().withStatus(204)));
      World.Response response = post(scopeDown);
      assertThat(response.status()).isEqualTo(500);
      assertThat(response.body().path("reason").asText()).isEqualTo("INTERNAL");
      assertThat(response.raw().toString()).doesNotContain(GitHubStubs.TOKEN);
      assertThat(world.logged("GrantWiderThanAsked")).hasSize(1);
      assertThat(world.logged("InstallationTokenVended")).isEmpty();
      assertThat(String.join("", world.log)).doesNotContain(GitHubStubs.TOKEN);
      world.gitHub.verify(
          deleteRequestedFor(urlPathEqualTo("/installation/token"))
              .withHeader("authorization", equalTo("Bearer " + GitHubStubs.TOKEN)));
    }

    @ParameterizedTest
    @CsvSource(
        delimiter = '|',
        value = {
          "{\"permissions\":{\"contents\":\"write\"}} | {\"contents\":\"read\"} | ''",
          "{\"permissions\":{\"contents\":\"admin\"}} | {\"contents\":\"write\"} | ''",
          "{\"permissions\":{\"contents\":\"read\"}} | {\"contents\":\"read\",\"metadata\":\"read\"} | ''",
          "{\"permissions\":{\"contents\":\"owner\"}} | {\"contents\":\"owner\"} | ''",
          "{\"permissions\":{\"contents\":\"read\"}} | {} | ''",
          "{\"repositoryIds\":[11,12]} | {} | ,\"repositories\":[{\"id\":12,\"name\":\"x\"}]",
          "{\"repositoryNames\":[\"Repo-A\"]} | {} | ,\"repositories\":[{\"id\":1,\"name\":\"rePO-a\"}]",
          "{\"repositoryIds\":[11]} | {\"administration\":\"write\"} | ,\"repositories\":[{\"id\":11,\"name\":\"x\"}]",
          "{\"repositoryIds\":[11]} | {} | ,\"repositories\":[]",
        })
    void thatIsNoWiderIsHandedOut(String scopeDown, String permissions, String more) {
      GitHubStubs.vends(world, 7001, permissions, more);
      assertThat(post(scopeDown).status()).isEqualTo(200);
    }
  }
}
