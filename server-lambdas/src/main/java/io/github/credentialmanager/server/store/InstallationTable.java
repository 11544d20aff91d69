package io.github.credentialmanager.server.store;

import io.github.credentialmanager.server.outbound.Deadline;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;

/**
 * The table that knows which App is installed where.
 *
 * <p>A row that lacks what it must have is not an installation: it is left out, and never an error.
 */
public interface InstallationTable {
  /**
   * The installation of that App on that account, or empty.
   *
   * @throws StoreException if the table does not answer
   */
  Optional<Installation> find(long appId, String nodeId, Deadline deadline);

  /**
   * All installations on that account, in the order of their Apps. A row written within the last
   * second may be missing.
   *
   * @throws StoreException if the table does not answer
   */
  List<Installation> onAccount(String nodeId, Deadline deadline);

  /**
   * The installations that follow one, in an order that is the table's own.
   *
   * @param after where to go on; empty for the beginning
   * @param limit the most to return, at least 1
   * @throws StoreException if the table does not answer
   */
  Page list(Optional<Key> after, int limit, Deadline deadline);

  /**
   * All installations of that App, as they are now.
   *
   * @throws StoreException if the table does not answer
   */
  List<Installation> ofApp(long appId, Deadline deadline);

  /**
   * Writes an installation, unless the row holds a newer one of the same App and account by now:
   * GitHub numbers installations upwards.
   *
   * @return whether it was written
   * @throws StoreException if the table does not answer
   */
  boolean write(Installation installation, Instant refreshedAt, Deadline deadline);

  /**
   * Writes installations whose rows were missing a moment ago.
   *
   * @throws StoreException if the table does not answer, or goes on asking for fewer requests
   */
  void writeNew(List<Installation> installations, Instant refreshedAt, Deadline deadline);

  /**
   * Deletes the row of an installation, unless it holds another one of the same App and account by
   * now.
   *
   * @return whether it was deleted
   * @throws StoreException if the table does not answer
   */
  boolean delete(Installation installation, Deadline deadline);

  /** What a row is found by. */
  record Key(long appId, String nodeId) {}

  /**
   * Some installations.
   *
   * @param next where the next page goes on; empty if there is none
   */
  record Page(List<Installation> installations, Optional<Key> next) {
    public Page {
      installations = List.copyOf(installations);
    }
  }

  /**
   * The table in DynamoDB.
   *
   * @param client with time-outs and retries of its own, which deadlines shorten
   */
  static InstallationTable dynamoDb(DynamoDbClient client, String tableName) {
    return new DynamoDbInstallationTable(client, tableName);
  }
}
