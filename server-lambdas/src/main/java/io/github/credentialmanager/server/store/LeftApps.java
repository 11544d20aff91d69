package io.github.credentialmanager.server.store;

import io.github.credentialmanager.server.outbound.Deadline;
import java.util.List;
import java.util.Set;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;

/** The rows that Apps leave behind in the Installation table when they leave the App table. */
public interface LeftApps {
  /**
   * The numbers of the Apps that have rows in the Installation table, registered or not.
   *
   * @throws StoreException if the table does not answer
   */
  Set<Long> appsWithRows(Deadline deadline);

  /**
   * Deletes rows of an App, in transactions that fail if the App table has a row of it.
   *
   * @return how many were deleted; fewer than asked for if the App is registered
   * @throws StoreException if a table does not answer; some rows may have been deleted
   */
  int delete(long appId, List<InstallationTable.Row> rows, Deadline deadline);

  /**
   * The tables in DynamoDB.
   *
   * @param client with time-outs and retries of its own, which deadlines shorten
   */
  static LeftApps dynamoDb(
      DynamoDbClient client, String appTableName, String installationTableName) {
    return new DynamoDbLeftApps(client, appTableName, installationTableName);
  }
}
