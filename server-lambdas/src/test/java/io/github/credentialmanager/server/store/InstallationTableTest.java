package io.github.credentialmanager.server.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.github.credentialmanager.server.World;
import io.github.credentialmanager.server.outbound.Deadline;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

class InstallationTableTest {
  private static final Instant NOW = Instant.parse("2026-11-23T08:51:02Z");

  private final World world = new World();
  private final InstallationTable table =
      InstallationTable.dynamoDb(world.dynamoDb, world.installationTable);
  private final Deadline deadline = Deadline.in(Duration.ofSeconds(60));

  @AfterEach
  void close() {
    world.close();
  }

  private static Installation installation(long appId, String nodeId, long id) {
    return new Installation(
        appId, nodeId, id, Optional.of("Organization"), Optional.of("account-" + id), false);
  }

  private void writeNew(List<Installation> installations) {
    for (int from = 0; from < installations.size(); from += InstallationTable.MAX_CHANGES) {
      int to = Math.min(from + InstallationTable.MAX_CHANGES, installations.size());
      List<InstallationTable.Change> changes =
          installations.subList(from, to).stream()
              .map(it -> new InstallationTable.Change(Optional.empty(), it))
              .toList();
      assertThat(table.write(changes, NOW, deadline)).isEqualTo(changes.size());
    }
  }

  private void damagedRow(String nodeId, AttributeValue installationId) {
    world.installation(1, nodeId, Map.of("InstallationId", installationId));
  }

  @Nested
  class ARow {
    @Test
    void isReadAsTheOtherCredentialManagerWroteIt() {
      world.installation(1001, "O_1", 5_000_000_001L);
      assertThat(table.find(1001, "O_1", deadline))
          .contains(installation(1001, "O_1", 5_000_000_001L));
      assertThat(table.find(1001, "O_2", deadline)).isEmpty();
    }

    @Test
    void isReadAsItWasWritten() {
      Installation suspended =
          new Installation(1, "E_1", 2, Optional.of("Enterprise"), Optional.empty(), true);
      writeNew(List.of(suspended));
      assertThat(table.find(1, "E_1", deadline)).contains(suspended);
      assertThat(World.attribute(world.rows(world.installationTable).get(0), "LastRefreshed").s())
          .isEqualTo("2026-11-23T08:51:02Z");
    }

    @Test
    void withoutAnIntegerIdIsNone() {
      damagedRow("O_1", AttributeValue.fromN("1.5"));
      damagedRow("O_2", AttributeValue.fromN("12345678901234567890123456789012345678"));
      damagedRow("O_3", AttributeValue.fromN("-7"));
      damagedRow("O_4", AttributeValue.fromN("7"));
      assertThat(table.ofApp(1, deadline)).extracting(Installation::nodeId).containsExactly("O_4");
      assertThat(table.find(1, "O_1", deadline)).isEmpty();
      assertThat(table.list(Optional.empty(), 10, deadline).installations()).hasSize(1);
      assertThat(table.onAccount("O_2", deadline)).isEmpty();
    }
  }

  @Nested
  class ReadingMany {
    /** Rows of about 4 KB: 600 are more than two pages of 1 MB. */
    private void fill(int rows) {
      String name = "n".repeat(4_000);
      List<Installation> installations =
          LongStream.rangeClosed(1, rows)
              .mapToObj(
                  id ->
                      new Installation(
                          id, "O_same", id, Optional.of("User"), Optional.of(name + id), false))
              .toList();
      writeNew(installations);
    }

    @Test
    void followsEveryPageOfAQuery() {
      fill(600);
      assertThat(table.onAccount("O_same", deadline))
          .extracting(Installation::appId)
          .containsExactlyElementsOf(LongStream.rangeClosed(1, 600).boxed().toList());
    }

    @Test
    void followsEveryPageOfAScanUpToTheLimit() {
      fill(600);
      assertThat(table.list(Optional.empty(), 599, deadline).installations()).hasSize(599);
      InstallationTable.Page all = table.list(Optional.empty(), 600, deadline);
      assertThat(all.installations()).hasSize(600);
      assertThat(all.next()).as("exactly all of them leave no next page").isEmpty();
    }

    @Test
    void pageByPageMissesNoneAndRepeatsNone() {
      fill(50);
      for (String nodeId : List.of("O_a", "O_b", "O_c")) {
        damagedRow(nodeId, AttributeValue.fromN("1.5"));
      }
      Set<Long> seen = new HashSet<>();
      List<Integer> sizes = new ArrayList<>();
      Optional<InstallationTable.Key> next = Optional.empty();
      do {
        InstallationTable.Page page = table.list(next, 7, deadline);
        page.installations().forEach(row -> assertThat(seen.add(row.appId())).isTrue());
        sizes.add(page.installations().size());
        next = page.next();
      } while (next.isPresent());
      assertThat(seen).hasSize(50);
      assertThat(sizes).containsExactly(7, 7, 7, 7, 7, 7, 7, 1);
    }
  }

  @Test
  void aTableThatIsNotThereIsUnavailable() {
    InstallationTable other = InstallationTable.dynamoDb(world.dynamoDb, "no-such-table");
    StoreException failure =
        catchThrowableOfType(StoreException.class, () -> other.find(1, "O_1", deadline));
    assertThat(failure.reason()).isEqualTo(StoreException.Cause.UNAVAILABLE);
  }
}
