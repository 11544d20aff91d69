package io.github.credentialmanager.server.store;

import io.github.credentialmanager.server.outbound.Deadline;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.TransactWriteItem;

/** Deletes with the proof, in the same transaction, that nobody needs the rows. */
final class DynamoDbLeftApps implements LeftApps {
  private static final String NODE_ID = "NodeId";
  private static final int MAX_DELETES = InstallationTable.MAX_CHANGES - 1;

  private final String appTableName;
  private final Table installations;
  private final Transactions transactions;

  DynamoDbLeftApps(DynamoDbClient client, String appTableName, String installationTableName) {
    this.appTableName = appTableName;
    this.installations = new Table(client, installationTableName);
    this.transactions = new Transactions(installations);
  }

  @Override
  public Set<Long> appsWithRows(Deadline deadline) {
    return installations.appIds(false, deadline);
  }

  @Override
  public int delete(long appId, List<InstallationTable.Row> rows, Deadline deadline) {
    for (int from = 0; from < rows.size(); from += MAX_DELETES) {
      List<InstallationTable.Row> batch =
          rows.subList(from, Math.min(from + MAX_DELETES, rows.size()));
      List<TransactWriteItem> writes = new ArrayList<>();
      writes.add(isNotRegistered(appId));
      batch.forEach(row -> writes.add(delete(row)));
      if (!transactions.run(writes, deadline).isEmpty()) {
        return from;
      }
    }
    return rows.size();
  }

  private TransactWriteItem isNotRegistered(long appId) {
    return TransactWriteItem.builder()
        .conditionCheck(
            check ->
                check
                    .tableName(appTableName)
                    .key(Map.of(Table.APP_ID, Table.number(appId)))
                    .conditionExpression("attribute_not_exists(AppId)"))
        .build();
  }

  private TransactWriteItem delete(InstallationTable.Row row) {
    return TransactWriteItem.builder()
        .delete(
            delete ->
                delete
                    .tableName(installations.name())
                    .key(
                        Map.of(
                            Table.APP_ID,
                            Table.number(row.appId()),
                            NODE_ID,
                            Table.string(row.nodeId()))))
        .build();
  }
}
