package io.github.credentialmanager.server.store;

import io.github.credentialmanager.server.outbound.Deadline;
import java.util.List;
import java.util.Optional;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;

/** The table that knows which KMS key an App signs with. */
public interface AppTable {
  /**
   * The row of that App as it is now, or empty.
   *
   * @throws StoreException if the table does not answer or the row is damaged
   */
  Optional<AppRow> find(long appId, Deadline deadline);

  /**
   * The numbers of all Apps, in no order. A row without a usable number is left out.
   *
   * @throws StoreException if the table does not answer
   */
  List<Long> appIds(Deadline deadline);

  /**
   * The table in DynamoDB.
   *
   * @param client with time-outs and retries of its own, which deadlines shorten
   */
  static AppTable dynamoDb(DynamoDbClient client, String tableName) {
    return new DynamoDbAppTable(client, tableName);
  }
}
