package io.github.credentialmanager.server.store;

import io.github.credentialmanager.server.outbound.Deadline;
import io.github.credentialmanager.server.outbound.Retry;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.BatchWriteItemResponse;
import software.amazon.awssdk.services.dynamodb.model.ConditionalCheckFailedException;
import software.amazon.awssdk.services.dynamodb.model.QueryRequest;
import software.amazon.awssdk.services.dynamodb.model.QueryResponse;
import software.amazon.awssdk.services.dynamodb.model.ScanResponse;
import software.amazon.awssdk.services.dynamodb.model.WriteRequest;

/** Rows as the TypeScript Credential Manager wrote them, so that its table can be taken over. */
final class DynamoDbInstallationTable implements InstallationTable {
  private static final String APP_ID = "AppId";
  private static final String NODE_ID = "NodeId";
  private static final String INSTALLATION_ID = "InstallationId";
  private static final String TARGET_TYPE = "TargetType";
  private static final String NAME = "Name";
  private static final String LAST_REFRESHED = "LastRefreshed";
  private static final String SUSPENDED = "Suspended";
  private static final String NODE_ID_INDEX = "NodeID";
  private static final int BATCH_SIZE = 25; // DynamoDB's most.

  private final Table table;
  private final Retry retry = Retry.threeAttempts();

  DynamoDbInstallationTable(DynamoDbClient client, String tableName) {
    this.table = new Table(client, tableName);
  }

  @Override
  public Optional<Installation> find(long appId, String nodeId, Deadline deadline) {
    return installation(
        table.call(
            client ->
                client
                    .getItem(
                        request ->
                            request
                                .tableName(table.name())
                                .key(key(appId, nodeId))
                                .overrideConfiguration(Table.within(deadline)))
                    .item()));
  }

  @Override
  public List<Installation> onAccount(String nodeId, Deadline deadline) {
    return query(
        request ->
            request
                .indexName(NODE_ID_INDEX)
                .keyConditionExpression("NodeId = :key")
                .expressionAttributeValues(Map.of(":key", Table.string(nodeId))),
        deadline);
  }

  @Override
  public List<Installation> ofApp(long appId, Deadline deadline) {
    return query(
        request ->
            request
                .consistentRead(true)
                .keyConditionExpression("AppId = :key")
                .expressionAttributeValues(Map.of(":key", Table.number(appId))),
        deadline);
  }

  private List<Installation> query(Consumer<QueryRequest.Builder> what, Deadline deadline) {
    List<Installation> installations = new ArrayList<>();
    Map<String, AttributeValue> start = Map.of();
    do {
      QueryRequest.Builder request =
          QueryRequest.builder()
              .tableName(table.name())
              .overrideConfiguration(Table.within(deadline));
      what.accept(request);
      if (!start.isEmpty()) {
        request.exclusiveStartKey(start);
      }
      QueryResponse page = table.call(client -> client.query(request.build()));
      page.items().forEach(row -> installation(row).ifPresent(installations::add));
      start = page.lastEvaluatedKey();
    } while (!start.isEmpty());
    return installations;
  }

  @Override
  public Page list(Optional<Key> after, int limit, Deadline deadline) {
    List<Installation> installations = new ArrayList<>();
    Map<String, AttributeValue> start =
        after.map(key -> key(key.appId(), key.nodeId())).orElse(Map.of());
    do {
      Map<String, AttributeValue> pageStart = start;
      // One more than asked for tells whether there is a next page at all.
      int wanted = limit + 1 - installations.size();
      ScanResponse page =
          table.call(
              client ->
                  client.scan(
                      request -> {
                        request
                            .tableName(table.name())
                            .limit(wanted)
                            .overrideConfiguration(Table.within(deadline));
                        if (!pageStart.isEmpty()) {
                          request.exclusiveStartKey(pageStart);
                        }
                      }));
      page.items().forEach(row -> installation(row).ifPresent(installations::add));
      start = page.lastEvaluatedKey();
    } while (!start.isEmpty() && installations.size() <= limit);
    if (installations.size() <= limit) {
      return new Page(installations, Optional.empty());
    }
    Installation last = installations.get(limit - 1);
    return new Page(
        installations.subList(0, limit), Optional.of(new Key(last.appId(), last.nodeId())));
  }

  @Override
  public boolean write(Installation installation, Instant refreshedAt, Deadline deadline) {
    return unlessChanged(
        client ->
            client.putItem(
                request ->
                    request
                        .tableName(table.name())
                        .item(row(installation, refreshedAt))
                        .conditionExpression(
                            "attribute_not_exists(InstallationId)"
                                + " OR NOT attribute_type(InstallationId, :number)"
                                + " OR InstallationId <= :new")
                        .expressionAttributeValues(
                            Map.of(
                                ":number", Table.string("N"),
                                ":new", Table.number(installation.installationId())))
                        .overrideConfiguration(Table.within(deadline))));
  }

  @Override
  public boolean delete(Installation installation, Deadline deadline) {
    return unlessChanged(
        client ->
            client.deleteItem(
                request ->
                    request
                        .tableName(table.name())
                        .key(key(installation.appId(), installation.nodeId()))
                        .conditionExpression("InstallationId = :old")
                        .expressionAttributeValues(
                            Map.of(":old", Table.number(installation.installationId())))
                        .overrideConfiguration(Table.within(deadline))));
  }

  private boolean unlessChanged(Consumer<DynamoDbClient> change) {
    return table.call(
        client -> {
          try {
            change.accept(client);
            return true;
          } catch (ConditionalCheckFailedException e) {
            return false;
          }
        });
  }

  @Override
  public void writeNew(List<Installation> installations, Instant refreshedAt, Deadline deadline) {
    for (int from = 0; from < installations.size(); from += BATCH_SIZE) {
      List<WriteRequest> batch =
          installations.subList(from, Math.min(from + BATCH_SIZE, installations.size())).stream()
              .map(installation -> row(installation, refreshedAt))
              .map(row -> WriteRequest.builder().putRequest(put -> put.item(row)).build())
              .toList();
      retry.call(
          deadline,
          () -> writeBatch(batch, deadline),
          e ->
              e instanceof StoreException failure
                      && failure.reason() == StoreException.Cause.THROTTLED
                  ? Optional.of(Duration.ZERO)
                  : Optional.empty());
    }
  }

  /** DynamoDB may take part of a batch; all of it is written again, which changes nothing. */
  private boolean writeBatch(List<WriteRequest> batch, Deadline deadline) {
    BatchWriteItemResponse response =
        table.call(
            client ->
                client.batchWriteItem(
                    request ->
                        request
                            .requestItems(Map.of(table.name(), batch))
                            .overrideConfiguration(Table.within(deadline))));
    if (response.hasUnprocessedItems() && !response.unprocessedItems().isEmpty()) {
      throw new StoreException(
          StoreException.Cause.THROTTLED, "DynamoDB took part of a batch only.");
    }
    return true;
  }

  private static Map<String, AttributeValue> row(Installation installation, Instant refreshedAt) {
    Map<String, AttributeValue> row =
        new HashMap<>(key(installation.appId(), installation.nodeId()));
    row.put(INSTALLATION_ID, Table.number(installation.installationId()));
    row.put(LAST_REFRESHED, Table.string(refreshedAt.toString()));
    installation.targetType().ifPresent(type -> row.put(TARGET_TYPE, Table.string(type)));
    installation.name().ifPresent(name -> row.put(NAME, Table.string(name)));
    if (installation.suspended()) {
      row.put(SUSPENDED, AttributeValue.fromBool(true));
    }
    return row;
  }

  private static Map<String, AttributeValue> key(long appId, String nodeId) {
    return Map.of(APP_ID, Table.number(appId), NODE_ID, Table.string(nodeId));
  }

  private static Optional<Installation> installation(Map<String, AttributeValue> row) {
    OptionalLong appId = Table.id(row, APP_ID);
    OptionalLong installationId = Table.id(row, INSTALLATION_ID);
    Optional<String> nodeId = Table.string(row, NODE_ID);
    if (appId.isEmpty() || installationId.isEmpty() || nodeId.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        new Installation(
            appId.getAsLong(),
            nodeId.get(),
            installationId.getAsLong(),
            Table.string(row, TARGET_TYPE),
            Table.string(row, NAME),
            row.containsKey(SUSPENDED) && Boolean.TRUE.equals(row.get(SUSPENDED).bool())));
  }
}
