package io.github.credentialmanager.server.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.credentialmanager.server.World;
import io.github.credentialmanager.server.outbound.Deadline;
import io.github.credentialmanager.server.outbound.DeadlineExceededException;
import io.github.credentialmanager.server.store.InstallationTable.Change;
import io.github.credentialmanager.server.store.InstallationTable.Row;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

/** Conditional batches of the Installation table, in a real DynamoDB. */
class ChangesTest {
  private static final Instant NOW = Instant.parse("2026-11-23T08:51:02Z");

  private final World world = new World();
  private final InstallationTable table =
      InstallationTable.dynamoDb(world.dynamoDb, world.installationTable);
  private final Deadline deadline = Deadline.in(Duration.ofSeconds(60));

  @AfterEach
  void close() {
    world.close();
  }

  private static Installation installation(String nodeId, long id) {
    return new Installation(
        1, nodeId, id, Optional.of("Organization"), Optional.of("account-" + id), false);
  }

  private static Change add(String nodeId, long id) {
    return new Change(Optional.empty(), installation(nodeId, id));
  }

  private Change replace(String nodeId, long id) {
    return new Change(Optional.of(row(nodeId)), installation(nodeId, id));
  }

  private Row row(String nodeId) {
    return table.rowsOfApp(1, deadline).stream()
        .filter(row -> row.nodeId().equals(nodeId))
        .findFirst()
        .orElseThrow();
  }

  private Optional<Long> idOf(String nodeId) {
    return table.find(1, nodeId, deadline).map(Installation::installationId);
  }

  private void stored(String nodeId, Map<String, AttributeValue> attributes) {
    world.row(
        world.installationTable,
        Map.of("AppId", World.number(1), "NodeId", AttributeValue.fromS(nodeId)),
        attributes);
  }

  @Nested
  class ABatch {
    @Test
    void isReadAsItWasWritten() {
      Installation suspended =
          new Installation(1, "E_1", 2, Optional.of("Enterprise"), Optional.empty(), true);
      assertThat(table.write(List.of(new Change(Optional.empty(), suspended)), NOW, deadline))
          .isEqualTo(1);
      assertThat(table.ofApp(1, deadline)).containsExactly(suspended);
      assertThat(row("E_1")).isEqualTo(new Row(1, "E_1", Optional.of(suspended), Optional.of("2")));
      assertThat(world.rows(world.installationTable).get(0))
          .containsEntry("LastRefreshed", AttributeValue.fromS("2026-11-23T08:51:02Z"))
          .containsEntry("Suspended", AttributeValue.fromBool(true));
    }

    @Test
    void takesManyAtATime() {
      List<Change> many =
          LongStream.rangeClosed(1, InstallationTable.MAX_CHANGES)
              .mapToObj(id -> add("O_" + id, id))
              .toList();
      assertThat(table.write(many, NOW, deadline)).isEqualTo(many.size());
      assertThat(table.ofApp(1, deadline)).hasSize(many.size());
    }

    @Test
    void leavesOutWhatSomebodyElseHasChangedAndMakesTheRest() {
      world.installation(1, "O_1", 1).installation(1, "O_2", 2).installation(1, "O_3", 3);
      List<Change> changes =
          List.of(
              replace("O_1", 11),
              replace("O_2", 12),
              replace("O_3", 13),
              add("O_4", 14),
              add("O_5", 15));
      world.installation(1, "O_2", 22).installation(1, "O_4", 24);
      world.dynamoDb.deleteItem(
          request ->
              request
                  .tableName(world.installationTable)
                  .key(Map.of("AppId", World.number(1), "NodeId", AttributeValue.fromS("O_3"))));

      assertThat(table.write(changes, NOW, deadline)).isEqualTo(2);
      assertThat(idOf("O_1")).contains(11L);
      assertThat(idOf("O_2")).as("changed meanwhile").contains(22L);
      assertThat(idOf("O_3")).as("deleted meanwhile").isEmpty();
      assertThat(idOf("O_4")).as("added meanwhile").contains(24L);
      assertThat(idOf("O_5")).contains(15L);
    }

    @Test
    void ofNothingIsNothing() {
      assertThat(table.write(List.of(), NOW, deadline)).isZero();
    }

    @Test
    void isNotBegunOnceTheTimeIsUp() {
      Deadline passed = Deadline.in(Duration.ZERO);
      assertThatExceptionOfType(DeadlineExceededException.class)
          .isThrownBy(() -> table.write(List.of(add("O_1", 1)), NOW, passed));
    }
  }

  @Nested
  class ADamagedRow {
    @ParameterizedTest
    @ValueSource(strings = {"1.5", "-7", "0", "12345678901234567890123456789012345678"})
    void withSuchANumberIsSeenAndReplaced(String number) {
      stored("O_1", Map.of("InstallationId", AttributeValue.fromN(number)));
      assertThat(table.ofApp(1, deadline)).isEmpty();
      assertThat(row("O_1").installation()).isEmpty();
      assertThat(table.write(List.of(replace("O_1", 9)), NOW, deadline)).isEqualTo(1);
      assertThat(idOf("O_1")).contains(9L);
    }

    @Test
    void withoutANumberIsSeenAndReplaced() {
      stored("O_1", Map.of("Name", AttributeValue.fromS("no id")));
      assertThat(row("O_1")).isEqualTo(new Row(1, "O_1", Optional.empty(), Optional.empty()));
      assertThat(table.write(List.of(replace("O_1", 9)), NOW, deadline)).isEqualTo(1);
      assertThat(idOf("O_1")).contains(9L);
    }

    @Test
    void isLeftAloneOnceSomebodyElseHasRepairedIt() {
      stored("O_1", Map.of("Name", AttributeValue.fromS("no id")));
      stored("O_2", Map.of("InstallationId", AttributeValue.fromN("1.5")));
      List<Change> changes = List.of(replace("O_1", 9), replace("O_2", 10));
      world.installation(1, "O_1", 19).installation(1, "O_2", 20);
      assertThat(table.write(changes, NOW, deadline)).isZero();
      assertThat(idOf("O_1")).contains(19L);
      assertThat(idOf("O_2")).contains(20L);
    }
  }

  @Nested
  class ADelete {
    @Test
    void takesOnlyTheInstallationsThatWereMeant() {
      world.installation(1, "O_1", 1).installation(1, "O_2", 2).installation(1, "O_3", 3);
      List<Installation> meant =
          List.of(installation("O_1", 1), installation("O_2", 22), installation("O_4", 4));
      assertThat(table.delete(meant, deadline)).isEqualTo(1);
      assertThat(table.ofApp(1, deadline))
          .extracting(Installation::nodeId)
          .containsExactly("O_2", "O_3");
    }
  }

  @Nested
  class RowsOfLeftApps {
    private final LeftApps left =
        LeftApps.dynamoDb(world.dynamoDb, world.appTable, world.installationTable);

    private void rows(long appId, int count) {
      for (int i = 1; i <= count; i++) {
        world.installation(appId, "O_" + i, i);
      }
    }

    @Test
    void areFoundByTheirApps() {
      rows(1, 3);
      rows(5_000_000_001L, 1);
      world.row(
          world.installationTable,
          Map.of("AppId", AttributeValue.fromN("1.5"), "NodeId", AttributeValue.fromS("O_1")),
          Map.of());
      assertThat(left.appsWithRows(deadline)).containsExactlyInAnyOrder(1L, 5_000_000_001L);
    }

    @Test
    void areDeletedInAsManyTransactionsAsItTakesDamagedOnesAmongThem() {
      rows(1, 60);
      stored("O_damaged", Map.of());
      rows(2, 2);
      List<Row> rows = table.rowsOfApp(1, deadline);
      assertThat(left.delete(1, rows, deadline)).isEqualTo(61);
      assertThat(left.delete(1, rows, deadline)).as("once more does no harm").isEqualTo(61);
      assertThat(table.rowsOfApp(1, deadline)).isEmpty();
      assertThat(table.rowsOfApp(2, deadline)).hasSize(2);
    }

    @Test
    void areKeptIfTheAppIsRegisteredEvenWithADamagedRow() {
      rows(1, 3);
      world.app(1, Map.of());
      assertThat(left.delete(1, table.rowsOfApp(1, deadline), deadline)).isZero();
      assertThat(table.rowsOfApp(1, deadline)).hasSize(3);
    }
  }
}
