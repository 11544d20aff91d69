package io.github.credentialmanager.server.callerpolicy;

import static com.github.tomakehurst.wiremock.client.WireMock.anyRequestedFor;
import static com.github.tomakehurst.wiremock.client.WireMock.anyUrl;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.credentialmanager.server.GitHubStubs;
import io.github.credentialmanager.server.TestContext;
import io.github.credentialmanager.server.World;
import io.github.credentialmanager.server.functionurl.Caller;
import io.github.credentialmanager.server.functionurl.CallerNotAllowedException;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CallerPolicyTest {
  private static final String BUILDER =
      "\"account\":\"" + TestContext.ACCOUNT + "\",\"role\":\"Builder\",\"appIds\":[1001]";

  private static String policy(String statement) {
    return "{\"statements\":[{" + statement + "}]}";
  }

  @Nested
  class ACaller {
    private final CallerPolicy policy =
        CallerPolicy.parse(
            "{\"statements\":["
                + "{\"account\":\"111122223333\",\"role\":\"Builder\",\"appIds\":[1001]},"
                + "{\"account\":\"111122223333\",\"user\":\"ci\",\"appIds\":[1001]}]}");

    private void ask(String account, String arn) {
      policy.requireAppToken(new Caller(account, Optional.of(arn), Optional.empty()), 1001);
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "arn:aws:sts::111122223333:assumed-role/Builder/session",
          "arn:aws:sts::111122223333:assumed-role/Builder/Other",
          "arn:aws-us-gov:sts::111122223333:assumed-role/Builder/i-0abc",
          "arn:aws:iam::111122223333:user/ci",
          "arn:aws:iam::111122223333:user/division/team/ci",
        })
    void isKnownByRoleOrUser(String arn) {
      assertThatCode(() -> ask("111122223333", arn)).doesNotThrowAnyException();
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "arn:aws:sts::111122223333:assumed-role/Other/Builder",
          "arn:aws:sts::111122223333:assumed-role/Other/assumed-role/Builder/x1",
          "arn:aws:sts::111122223333:assumed-role/Other/x1:assumed-role/Builder/x1",
          "arn:aws:sts::111122223333:assumed-role/Builder",
          "arn:aws:sts::111122223333:assumed-role/Builder/",
          "arn:aws:sts::111122223333:assumed-role/builder/x1",
          "arn:aws:sts::111122223333:assumed-role/Builder2/x1",
          "arn:aws:sts::111122223333:assumed-role/ci/x1",
          "arn:aws:sts::111122223333:assumed-role/Builder/x1\n",
          "arn:aws:sts::111122223333:federated-user/Builder",
          "arn:aws:iam::111122223333:role/Builder",
          "arn:aws:iam::111122223333:user/ci/other",
          "arn:aws:iam::111122223333:user/Builder",
          "arn:aws:iam::111122223333:root",
          "arn:aws:sts::444455556666:assumed-role/Builder/x1",
          "",
        })
    void isNotKnownByWhatHeMayChoose(String arn) {
      assertThatThrownBy(() -> ask("111122223333", arn))
          .isInstanceOf(CallerNotAllowedException.class)
          .hasMessageContaining("CALLER");
    }

    @Test
    void ofAnotherAccountIsAnother() {
      assertThatThrownBy(
              () -> ask("444455556666", "arn:aws:sts::444455556666:assumed-role/Builder/x1"))
          .isInstanceOf(CallerNotAllowedException.class);
    }

    @Test
    void withoutAnArnIsNobody() {
      Caller caller = new Caller("111122223333", Optional.empty(), Optional.empty());
      assertThatThrownBy(() -> policy.requireAppToken(caller, 1001))
          .isInstanceOf(CallerNotAllowedException.class);
      assertThatCode(() -> CallerPolicy.none().requireAppToken(caller, 1001))
          .doesNotThrowAnyException();
    }
  }

  @Nested
  class ARequest {
    private final World world = new World();

    @AfterEach
    void close() {
      world.close();
    }

    private World.Response post(String statement, String scopeDown) {
      world.with(settings -> settings.callerPolicy(policy(statement)));
      world.app(1001).installation(1001, "O_1", 7001);
      GitHubStubs.vends(
          world, 7001, "{\"contents\":\"read\"}", ",\"repositories\":[{\"id\":11,\"name\":\"a\"}]");
      return world.post(
          "/tokens/installation",
          "{\"appId\":1001,\"nodeId\":\"O_1\",\"scopeDown\":" + scopeDown + "}");
    }

    @ParameterizedTest
    @CsvSource(
        delimiter = '|',
        value = {
          "\"nodeIds\":[\"O_1\"] | null",
          "\"repositoryIds\":[11,12] | {\"repositoryIds\":[11]}",
          "\"repositoryNames\":[\"A\",\"b\"] | {\"repositoryNames\":[\"a\"]}",
          "\"permissions\":{\"contents\":\"write\"} | {\"permissions\":{\"contents\":\"read\"}}",
        })
    void withinItsStatementIsServed(String limit, String scopeDown) {
      assertThat(post(BUILDER + "," + limit, scopeDown).status()).isEqualTo(200);
    }

    @ParameterizedTest
    @CsvSource(
        delimiter = '|',
        value = {
          "\"nodeIds\":[\"O_2\"] | null | ACCOUNT",
          "\"repositoryIds\":[11] | null | REPOSITORIES",
          "\"repositoryIds\":[11] | {} | REPOSITORIES",
          "\"repositoryIds\":[11] | {\"permissions\":{\"contents\":\"read\"}} | REPOSITORIES",
          "\"repositoryIds\":[11] | {\"repositoryIds\":[11,12]} | REPOSITORIES",
          "\"repositoryIds\":[11] | {\"repositoryNames\":[\"a\"]} | REPOSITORIES",
          "\"repositoryNames\":[\"a\"] | {\"repositoryNames\":[\"ab\"]} | REPOSITORIES",
          "\"permissions\":{\"contents\":\"read\"} | null | PERMISSIONS",
          "\"permissions\":{\"contents\":\"read\"} | {\"repositoryIds\":[11]} | PERMISSIONS",
          "\"permissions\":{\"contents\":\"read\"} | {\"permissions\":{\"contents\":\"write\"}} | PERMISSIONS",
          "\"permissions\":{\"contents\":\"read\"} | {\"permissions\":{\"contents\":\"owner\"}} | PERMISSIONS",
          "\"permissions\":{\"contents\":\"read\"} | {\"permissions\":{\"contents\":\"read\",\"issues\":\"read\"}} | PERMISSIONS",
        })
    void beyondItIsRefusedWithoutACallOrAnAlarm(String limit, String scopeDown, String why) {
      World.Response response = post(BUILDER + "," + limit, scopeDown);
      assertThat(response.status()).isEqualTo(403);
      assertThat(response.errorType()).isEqualTo("AccessDeniedException");
      assertThat(world.logged("ForeignEvent")).isEmpty();
      assertThat(world.logged("RequestRefused")).hasSize(1);
      JsonNode line = world.logged("RequestRefused").get(0);
      assertThat(line.path("reason").asText()).isEqualTo("CALLER_POLICY");
      assertThat(line.path("limit").asText()).isEqualTo(why);
      assertThat(line.path("caller").asText()).contains("Builder");
      assertThat(world.gitHub.findAll(anyRequestedFor(anyUrl()))).isEmpty();
      assertThat(world.kms.signedWith()).isEmpty();
    }

    @Test
    void forAnotherAppIsRefused() {
      post(BUILDER.replace("1001", "1002"), "null");
      assertThat(world.logged("RequestRefused").get(0).path("limit").asText()).isEqualTo("APP");
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "\"nodeIds\":[\"O_1\"]",
          "\"repositoryIds\":[11]",
          "\"permissions\":{\"contents\":\"read\"}"
        })
    void forTheAppItselfTakesAStatementWithoutLimits(String limit) {
      world.app(1001);
      GitHubStubs.knowsTheApp(world);
      world.with(settings -> settings.callerPolicy(policy(BUILDER + "," + limit)));
      assertThat(world.post("/tokens/app", "{\"appId\":1001}").status()).isEqualTo(403);
      world.with(settings -> settings.callerPolicy(policy(BUILDER)));
      assertThat(world.post("/tokens/app", "{\"appId\":1001}").status()).isEqualTo(200);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\'',
      value = {
        "Builder | malformed JSON",
        "{} | statements",
        "{\"statements\":[]} | /statements is empty",
        "{\"statements\":[null]} | /statements/0 is null",
        "{\"statements\":[{}],\"x\":1} | no other",
        "{\"statements\":[{\"role\":\"B\",\"appIds\":[1]}]} | /statements/0/account",
        "{\"statements\":[{\"account\":\"111122223333\",\"appIds\":[1]}]} | either a role or a user",
        "{\"statements\":[{\"account\":\"111122223333\",\"role\":\"B\",\"user\":\"B\",\"appIds\":[1]}]} | either a role",
        "{\"statements\":[{\"account\":\"111122223333\",\"role\":\"p/B\",\"appIds\":[1]}]} | without its path",
        "{\"statements\":[{\"account\":\"111122223333\",\"role\":\"B*\",\"appIds\":[1]}]} | without its path",
        "{\"statements\":[{\"account\":\"111122223333\",\"role\":\"B\"}]} | /appIds is missing",
        "{\"statements\":[{\"account\":\"111122223333\",\"role\":\"B\",\"appIds\":[]}]} | /appIds is empty",
        "{\"statements\":[{\"account\":\"111122223333\",\"role\":\"B\",\"appIds\":[\"1\"]}]} | no number",
        "{\"statements\":[{\"account\":\"111122223333\",\"role\":\"B\",\"appIds\":[1],\"nodeIds\":null}]} | /nodeIds is null",
        "{\"statements\":[{\"account\":\"111122223333\",\"role\":\"B\",\"appIds\":[1],\"nodeIDs\":[\"O\"]}]} | unknown member",
        "{\"statements\":[{\"account\":\"111122223333\",\"role\":\"B\",\"appIds\":[1],\"permissions\":{}}]} | /permissions is empty",
        "{\"statements\":[{\"account\":\"111122223333\",\"role\":\"B\",\"appIds\":[1],\"permissions\":{\"a\":\"all\"}}]} | levels",
      })
  void aPolicyThatIsWrongSaysWhere(String json, String where) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> CallerPolicy.parse(json))
        .withMessageStartingWith("CALLER_POLICY is wrong: ")
        .withMessageContaining(where);
  }
}
