package io.github.credentialmanager.server.store;

import io.github.credentialmanager.server.outbound.Deadline;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.ScanResponse;

/** Rows as the TypeScript Credential Manager wrote them, so that its table can be taken over. */
final class DynamoDbAppTable implements AppTable {
  private static final String APP_ID = "AppId";
  private static final String KMS_KEY_ARN = "KmsKeyArn";
  private static final String PREVIOUS_KMS_KEY_ARN = "PreviousKmsKeyArn";

  private final Table table;

  DynamoDbAppTable(DynamoDbClient client, String tableName) {
    this.table = new Table(client, tableName);
  }

  @Override
  public Optional<AppRow> find(long appId, Deadline deadline) {
    Map<String, AttributeValue> row = row(appId, deadline);
    if (row.isEmpty()) {
      return Optional.empty();
    }
    String kmsKeyArn =
        Table.string(row, KMS_KEY_ARN)
            .orElseThrow(
                () ->
                    new StoreException(
                        StoreException.Cause.DAMAGED,
                        "The row of App " + appId + " has no " + KMS_KEY_ARN + "."));
    return Optional.of(new AppRow(appId, kmsKeyArn, Table.string(row, PREVIOUS_KMS_KEY_ARN)));
  }

  private Map<String, AttributeValue> row(long appId, Deadline deadline) {
    return table.call(
        client ->
            client
                .getItem(
                    request ->
                        request
                            .tableName(table.name())
                            .key(Map.of(APP_ID, Table.number(appId)))
                            .consistentRead(true)
                            .overrideConfiguration(Table.within(deadline)))
                .item());
  }

  @Override
  public List<Long> appIds(Deadline deadline) {
    List<Long> appIds = new ArrayList<>();
    Map<String, AttributeValue> start = Map.of();
    do {
      Map<String, AttributeValue> pageStart = start;
      ScanResponse page =
          table.call(
              client ->
                  client.scan(
                      request -> {
                        request
                            .tableName(table.name())
                            .projectionExpression(APP_ID)
                            .consistentRead(true)
                            .overrideConfiguration(Table.within(deadline));
                        if (!pageStart.isEmpty()) {
                          request.exclusiveStartKey(pageStart);
                        }
                      }));
      page.items().forEach(row -> Table.id(row, APP_ID).ifPresent(appIds::add));
      start = page.lastEvaluatedKey();
    } while (!start.isEmpty());
    return appIds;
  }
}
