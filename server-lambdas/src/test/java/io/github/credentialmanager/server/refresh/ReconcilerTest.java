package io.github.credentialmanager.server.refresh;

import static com.github.tomakehurst.wiremock.client.WireMock.aResponse;
import static com.github.tomakehurst.wiremock.client.WireMock.get;
import static com.github.tomakehurst.wiremock.client.WireMock.okJson;
import static com.github.tomakehurst.wiremock.client.WireMock.urlPathEqualTo;
import static io.github.credentialmanager.server.GitHubStubs.entry;
import static io.github.credentialmanager.server.GitHubStubs.lists;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.credentialmanager.server.World;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

/** Through RefreshCachedData, against real tables. */
class ReconcilerTest {
  private static final String LATER = "2026-11-23T09:00:00Z";

  private final World world = new World();

  @BeforeEach
  void setUp() {
    world.at(LATER).app(1001);
  }

  @AfterEach
  void close() {
    world.close();
  }

  private World.Response refresh() {
    return world.post("/installations/refresh", "");
  }

  /** GitHub denies the installation. */
  private void gone(long installationId) {
    world.gitHub.stubFor(
        get(urlPathEqualTo("/app/installations/" + installationId))
            .willReturn(aResponse().withStatus(404).withBody("{\"message\":\"Not Found\"}")));
  }

  private Map<String, Long> rows() {
    Map<String, Long> rows = new TreeMap<>();
    world
        .rows(world.installationTable)
        .forEach(
            row -> {
              AttributeValue id = row.get("InstallationId");
              rows.put(
                  World.attribute(row, "NodeId").s(), id == null ? -1 : Long.parseLong(id.n()));
            });
    return rows;
  }

  private JsonNode result() {
    List<JsonNode> lines = world.logged("InstallationsSynced");
    return lines.get(lines.size() - 1);
  }

  @Nested
  class Writes {
    @Test
    void whatIsNewAndWhatChangedAndNothingElse() {
      world.installation(1001, "O_same", 1);
      world.installation(1001, "O_again", 2);
      lists(world, entry(1, "O_same"), entry(9, "O_again"), entry(3, "O_new"));
      assertThat(refresh().status()).isEqualTo(200);
      assertThat(rows()).isEqualTo(Map.of("O_same", 1L, "O_again", 9L, "O_new", 3L));
      assertThat(result().path("seen").asInt()).isEqualTo(3);
      assertThat(result().path("written").asInt()).isEqualTo(2);
      assertThat(
              world.rows(world.installationTable).stream()
                  .filter(row -> World.attribute(row, "LastRefreshed").s().equals(LATER)))
          .as("rows with a new time")
          .hasSize(2);

      refresh();
      assertThat(result().path("written").asInt()).as("a second run").isZero();
    }

    @Test
    void thatAnInstallationIsSuspendedAndKeepsIt() {
      lists(world, entry(1, "O_1").replace("\"suspended_at\":null", "\"suspended_at\":\"2026\""));
      refresh();
      assertThat(World.attribute(world.rows(world.installationTable).get(0), "Suspended").bool())
          .isTrue();
    }

    @Test
    void theNewerOfTwoInstallationsOnOneAccount() {
      lists(world, entry(9, "O_1"), entry(2, "O_1"));
      refresh();
      assertThat(rows()).isEqualTo(Map.of("O_1", 9L));
    }

    @Test
    void overADamagedRow() {
      world.installation(1001, "O_1", Map.of("Name", AttributeValue.fromS("no id")));
      lists(world, entry(1, "O_1"));
      refresh();
      assertThat(rows()).isEqualTo(Map.of("O_1", 1L));
    }

    @Test
    void aHundredNewOnesInBatches() {
      String[] entries = new String[100];
      for (int i = 0; i < entries.length; i++) {
        entries[i] = entry(i + 1, "O_" + i);
      }
      lists(world, entries);
      refresh();
      assertThat(rows()).hasSize(100);
    }
  }

  @Nested
  class Deletes {
    @Test
    void whatGitHubNeitherListsNorKnows() {
      world.installation(1001, "O_gone", 1).installation(1001, "O_here", 2);
      lists(world, entry(2, "O_here"));
      gone(1);
      refresh();
      assertThat(rows()).isEqualTo(Map.of("O_here", 2L));
      assertThat(result().path("deleted").asInt()).isEqualTo(1);
    }

    @Test
    void nothingThatGitHubStillKnows() {
      world.installation(1001, "O_1", 1);
      lists(world);
      world.gitHub.stubFor(
          get(urlPathEqualTo("/app/installations/1")).willReturn(okJson("{\"id\":1}")));
      refresh();
      assertThat(rows()).isEqualTo(Map.of("O_1", 1L));
      assertThat(result().path("skipped").asInt()).isEqualTo(1);
    }

    @Test
    void nothingWhoseAccountIsMissingForNow() {
      world.installation(1001, "O_1", 1);
      gone(1);
      lists(world, "{\"id\":1,\"account\":null}");
      refresh();
      assertThat(rows()).isEqualTo(Map.of("O_1", 1L));
    }

    @Test
    void nothingAfterAListingThatMayLackSome() {
      world.installation(1001, "O_1", 1);
      gone(1);
      lists(world, entry(2, "O_2"), "{\"id\":\"?\"}");
      refresh();
      assertThat(rows()).isEqualTo(Map.of("O_1", 1L, "O_2", 2L));
    }

    @Test
    void nothingWhereTooManyAreMissingAtOnce() {
      for (int i = 1; i <= 29; i++) {
        world.installation(1001, "O_" + i, i);
        gone(i);
      }
      lists(world, entry(7, "O_7"), entry(8, "O_8"));
      refresh();
      assertThat(rows()).hasSize(29);
      assertThat(world.logged("ImplausiblyManyInstallationsMissing")).hasSize(1);
    }

    @Test
    void uptoFiveWhateverPartThatIs() {
      for (int i = 1; i <= 5; i++) {
        world.installation(1001, "O_" + i, i);
        gone(i);
      }
      lists(world);
      refresh();
      assertThat(rows()).isEmpty();
    }

    @Test
    void theRowsOfAnAppThatIsNotRegisteredAnyMore() {
      world.installation(1002, "O_1", 1).installation(1001, "O_1", 2);
      lists(world, entry(2, "O_1"));
      refresh();
      assertThat(rows()).isEqualTo(Map.of("O_1", 2L));
      assertThat(world.rows(world.installationTable)).hasSize(1);
    }
  }

  @Nested
  class AnAppThatFails {
    @BeforeEach
    void breakOne() {
      world.app(1002, Map.of()).installation(1002, "O_1002", 5);
    }

    @Test
    void doesNotKeepTheOthersBack() {
      lists(world, entry(1, "O_1"));
      assertThat(refresh().status()).isEqualTo(200);
      assertThat(rows()).isEqualTo(Map.of("O_1", 1L, "O_1002", 5L));
      assertThat(world.logged("InstallationSyncFailed")).hasSize(1);
    }

    @Test
    void isTheCallersBusinessIfNoneSucceeds() {
      world.gitHub.stubFor(
          get(urlPathEqualTo("/app/installations")).willReturn(aResponse().withStatus(500)));
      World.Response response = refresh();
      assertThat(response.status()).isEqualTo(500);
      assertThat(rows()).containsEntry("O_1002", 5L);
    }
  }
}
