package io.github.credentialmanager.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.credentialmanager.local.GitHubState.AccountType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SeedTest {
  @TempDir private Path directory;

  private Seed read(String json) throws Exception {
    return Seed.read(Files.writeString(directory.resolve("seed.json"), json));
  }

  @Test
  void hasUsualValuesForWhatIsLeftOut() throws Exception {
    Seed seed =
        read(
            """
            {"accounts": [{"login": "acme", "repositories": ["rocket"]}],
             "apps": [{"id": 5000000000, "installations": [{"account": "Acme"}]}]}
            """);

    assertThat(seed.accounts())
        .containsExactly(
            new Seed.SeedAccount(
                "acme",
                AccountType.ORGANIZATION,
                null,
                null,
                List.of(new Seed.SeedRepository("rocket", null, true))));
    Seed.SeedApp app = seed.apps().get(0);
    assertThat(app.id()).isEqualTo(5_000_000_000L);
    assertThat(app.slug()).isEqualTo("app-5000000000");
    assertThat(app.privateKeyFile()).isNull();
    assertThat(app.permissions()).containsEntry("contents", "write");
    assertThat(app.installations())
        .containsExactly(new Seed.SeedInstallation("Acme", null, false, null, null));
  }

  @Test
  void findsKeysBesideTheFile() throws Exception {
    Files.writeString(directory.resolve("app.pem"), "");
    Files.writeString(directory.resolve("next.pem"), "");

    Seed seed =
        read(
            """
            {"apps": [{"id": 1, "privateKeyFile": "app.pem", "nextPrivateKeyFile": "next.pem",
                       "permissions": {}}]}
            """);

    assertThat(seed.apps().get(0).nextPrivateKeyFile()).isEqualTo(directory.resolve("next.pem"));
    assertThat(seed.apps().get(0).privateKeyFile()).isEqualTo(directory.resolve("app.pem"));
    assertThat(seed.apps().get(0).permissions()).isEqualTo(Map.of());
  }

  @Test
  void mayBeEmpty() throws Exception {
    assertThat(read("{}")).isEqualTo(Seed.empty());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "[] | /: must be an object",
        "{\"app\": []} | /app: not known here; known are accounts, apps",
        "{\"apps\": {}} | /apps: must be a list",
        "{\"apps\": [1]} | /apps/0: must be an object",
        "{\"apps\": [{}]} | /apps/0/id: is missing",
        "{\"apps\": [{\"id\": \"1\"}]} | /apps/0/id: must be a whole number above 0",
        "{\"apps\": [{\"id\": 1.5}]} | /apps/0/id: must be a whole number above 0",
        "{\"apps\": [{\"id\": 0}]} | /apps/0/id: must be a whole number above 0",
        "{\"apps\": [{\"id\": 1}, {\"id\": 1}]} | /apps/1/id: a second App of that id",
        "{\"apps\": [{\"id\": 1, \"privateKeyFile\": \"no.pem\"}]} | /apps/0/privateKeyFile: there is no file",
        "{\"apps\": [{\"id\": 1, \"permissions\": {\"contents\": \"all\"}}]} | /apps/0/permissions/contents: must be read, write or admin",
        "{\"apps\": [{\"id\": 1, \"installations\": [{}]}]} | /apps/0/installations/0/account: is missing",
        "{\"apps\": [{\"id\": 1, \"installations\": [{\"account\": \"x\"}]}]} | /apps/0/installations/0/account: there is no account \"x\" under /accounts",
        "{\"accounts\": [{\"login\": \"x\"}], \"apps\": [{\"id\": 1, \"installations\": [{\"account\": \"x\"}, {\"account\": \"X\"}]}]} | /apps/0/installations/1/account: the App is installed there already",
        "{\"accounts\": [{\"login\": \"x\"}], \"apps\": [{\"id\": 1, \"installations\": [{\"account\": \"x\", \"suspended\": 1}]}]} | /apps/0/installations/0/suspended: must be true or false",
        "{\"accounts\": [{}]} | /accounts/0/login: is missing",
        "{\"accounts\": [{\"login\": \" \"}]} | /accounts/0/login: must be a text",
        "{\"accounts\": [{\"login\": \"x\"}, {\"login\": \"X\"}]} | /accounts/1/login: a second account of that name",
        "{\"accounts\": [{\"login\": \"x\", \"type\": \"Team\"}]} | /accounts/0/type: must be Organization, User or Enterprise",
        "{\"accounts\": [{\"login\": \"x\", \"repositories\": [\"a\", {\"name\": \"A\"}]}]} | /accounts/0/repositories/1: a second repository of that name",
        "{\"accounts\": [{\"login\": \"x\", \"repositories\": [true]}]} | /accounts/0/repositories/0: must be an object",
        "{\"accounts\": [{\"login\": \"x\", \"repositories\": [{\"name\": \"a\", \"public\": true}]}]} | /accounts/0/repositories/0/public: not known here",
        "{\"apps\": [], \"apps\": []} | :1:20: not JSON: Duplicate field 'apps'",
        "{\"apps\": [ | not JSON: Unexpected end-of-input",
        "{} {} | not JSON",
      })
  void saysWhereItIsWrong(String json, String message) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> read(json))
        .withMessageStartingWith(directory.resolve("seed.json") + ":")
        .withMessageContaining(message);
  }
}
