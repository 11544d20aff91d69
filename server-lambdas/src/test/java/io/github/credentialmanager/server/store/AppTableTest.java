package io.github.credentialmanager.server.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.github.credentialmanager.server.World;
import io.github.credentialmanager.server.outbound.Deadline;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

class AppTableTest {
  private final World world = new World();
  private final AppTable table = AppTable.dynamoDb(world.dynamoDb, world.appTable);
  private final Deadline deadline = Deadline.in(Duration.ofSeconds(10));

  @AfterEach
  void close() {
    world.close();
  }

  @Test
  void findsTheKeyAndTheOneBefore() {
    world.app(
        1,
        Map.of(
            "KmsKeyArn", AttributeValue.fromS("new"),
            "PreviousKmsKeyArn", AttributeValue.fromS("old")));
    assertThat(table.find(1, deadline)).contains(new AppRow(1, "new", Optional.of("old")));
    assertThat(table.find(2, deadline)).isEmpty();
  }

  @Test
  void tellsADamagedRowFromAMissingOne() {
    world.app(1, Map.of());
    StoreException failure =
        catchThrowableOfType(StoreException.class, () -> table.find(1, deadline));
    assertThat(failure.reason()).isEqualTo(StoreException.Cause.DAMAGED);
  }

  @Test
  void listsAllAppsWithAUsableNumber() {
    world.app(5_000_000_001L).app(2);
    world.row(world.appTable, Map.of("AppId", AttributeValue.fromN("1.5")), Map.of());
    assertThat(table.appIds(deadline)).containsExactlyInAnyOrder(5_000_000_001L, 2L);
  }
}
