package io.github.credentialmanager.server.store;

import io.github.credentialmanager.server.outbound.Deadline;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.function.Function;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.Delete;
import software.amazon.awssdk.services.dynamodb.model.Put;
import software.amazon.awssdk.services.dynamodb.model.QueryRequest;
import software.amazon.awssdk.services.dynamodb.model.QueryResponse;
import software.amazon.awssdk.services.dynamodb.model.ScanResponse;
import software.amazon.awssdk.services.dynamodb.model.TransactWriteItem;

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

  private final Table table;
  private final Transactions transactions;

  DynamoDbInstallationTable(DynamoDbClient client, String tableName) {
    this.table = new Table(client, tableName);
    this.transactions = new Transactions(table);
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
        DynamoDbInstallationTable::installation,
        deadline);
  }

  @Override
  public List<Installation> ofApp(long appId, Deadline deadline) {
    return queryApp(appId, DynamoDbInstallationTable::installation, deadline);
  }

  @Override
  public List<Row> rowsOfApp(long appId, Deadline deadline) {
    return queryApp(appId, DynamoDbInstallationTable::storedRow, deadline);
  }

  private <T> List<T> queryApp(
      long appId, Function<Map<String, AttributeValue>, Optional<T>> reader, Deadline deadline) {
    return query(
        request ->
            request
                .consistentRead(true)
                .keyConditionExpression("AppId = :key")
                .expressionAttributeValues(Map.of(":key", Table.number(appId))),
        reader,
        deadline);
  }

  private <T> List<T> query(
      Consumer<QueryRequest.Builder> what,
      Function<Map<String, AttributeValue>, Optional<T>> reader,
      Deadline deadline) {
    List<T> found = new ArrayList<>();
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
      page.items().forEach(row -> reader.apply(row).ifPresent(found::add));
      start = page.lastEvaluatedKey();
    } while (!start.isEmpty());
    return found;
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
  public int write(List<Change> changes, Instant refreshedAt, Deadline deadline) {
    return transactions.run(
        changes,
        change -> TransactWriteItem.builder().put(put(change, refreshedAt)).build(),
        deadline);
  }

  private Put put(Change change, Instant refreshedAt) {
    Put.Builder put =
        Put.builder().tableName(table.name()).item(row(change.installation(), refreshedAt));
    if (change.row().isEmpty()) {
      return put.conditionExpression("attribute_not_exists(AppId)").build();
    }
    Optional<String> installationId = change.row().get().installationId();
    if (installationId.isEmpty()) {
      return put.conditionExpression(
              "attribute_exists(AppId) AND NOT attribute_type(InstallationId, :number)")
          .expressionAttributeValues(Map.of(":number", Table.string("N")))
          .build();
    }
    return put.conditionExpression("InstallationId = :old")
        .expressionAttributeValues(Map.of(":old", AttributeValue.fromN(installationId.get())))
        .build();
  }

  @Override
  public int delete(List<Installation> installations, Deadline deadline) {
    return transactions.run(
        installations,
        installation -> TransactWriteItem.builder().delete(delete(installation)).build(),
        deadline);
  }

  private Delete delete(Installation installation) {
    return Delete.builder()
        .tableName(table.name())
        .key(key(installation.appId(), installation.nodeId()))
        .conditionExpression("InstallationId = :old")
        .expressionAttributeValues(Map.of(":old", Table.number(installation.installationId())))
        .build();
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

  /** Empty if the row belongs to no App that could be. */
  private static Optional<Row> storedRow(Map<String, AttributeValue> row) {
    OptionalLong appId = Table.id(row, APP_ID);
    Optional<String> nodeId = Table.string(row, NODE_ID);
    if (appId.isEmpty() || nodeId.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        new Row(
            appId.getAsLong(),
            nodeId.get(),
            installation(row),
            Optional.ofNullable(row.get(INSTALLATION_ID)).map(AttributeValue::n)));
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
