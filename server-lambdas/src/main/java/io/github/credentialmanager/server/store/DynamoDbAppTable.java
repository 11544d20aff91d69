package io.github.credentialmanager.server.store;

import io.github.credentialmanager.server.outbound.Deadline;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

/** Rows as the TypeScript Credential Manager wrote them, so that its table can be taken over. */
final class DynamoDbAppTable implements AppTable {
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
                            .key(Map.of(Table.APP_ID, Table.number(appId)))
                            .consistentRead(true)
                            .overrideConfiguration(Table.within(deadline)))
                .item());
  }

  @Override
  public List<Long> appIds(Deadline deadline) {
    return List.copyOf(table.appIds(true, deadline));
  }
}
