package io.github.credentialmanager.server.store;

import static java.util.Objects.requireNonNull;

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
   * How many changes can be made at a time. DynamoDB takes a hundred in one transaction; a quarter
   * of that is done well within the time of an attempt, and is soon done again if it was not.
   */
  int MAX_CHANGES = 25;

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
   * All rows of that App, as they are now, damaged ones among them.
   *
   * @throws StoreException if the table does not answer
   */
  List<Row> rowsOfApp(long appId, Deadline deadline);

  /**
   * Makes changes, each unless its row has been changed by somebody else since it was read.
   *
   * @param changes of different rows, at most {@link #MAX_CHANGES}
   * @return how many were made
   * @throws StoreException if the table does not answer; some changes may have been made
   */
  int write(List<Change> changes, Instant refreshedAt, Deadline deadline);

  /**
   * Deletes rows, each unless it holds another installation of the same App and account by now.
   *
   * @param installations of different rows, at most {@link #MAX_CHANGES}
   * @return how many were deleted
   * @throws StoreException if the table does not answer; some rows may have been deleted
   */
  int delete(List<Installation> installations, Deadline deadline);

  /**
   * A row as it was read.
   *
   * @param installation empty if the row is damaged
   * @param installationId the number in the row, as the table spells it; empty if there is none
   */
  record Row(
      long appId,
      String nodeId,
      Optional<Installation> installation,
      Optional<String> installationId) {
    public Row {
      requireNonNull(nodeId, "nodeId");
      requireNonNull(installation, "installation");
      requireNonNull(installationId, "installationId");
    }
  }

  /**
   * What takes the place of a row.
   *
   * @param row as it was read; empty if there was none
   * @param installation of the same App and account
   */
  record Change(Optional<Row> row, Installation installation) {
    public Change {
      requireNonNull(row, "row");
      requireNonNull(installation, "installation");
    }
  }

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
