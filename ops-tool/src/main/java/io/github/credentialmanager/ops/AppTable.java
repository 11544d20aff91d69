package io.github.credentialmanager.ops;

import static java.util.Objects.requireNonNull;

import io.github.credentialmanager.ops.KeyManagerException.Reason;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.ConditionalCheckFailedException;
import software.amazon.awssdk.services.dynamodb.model.ResourceNotFoundException;
import software.amazon.awssdk.services.dynamodb.model.ReturnValuesOnConditionCheckFailure;
import software.amazon.awssdk.services.dynamodb.model.UpdateItemRequest;

/**
 * The App table: which KMS key signs for which App.
 *
 * <p>Rows written by the TypeScript Credential Manager have {@code AppId} and {@code KmsKeyArn}
 * alone; the other attributes are optional, and attributes not named here are left as they are.
 * Every write is conditional on the row being as it was read.
 */
final class AppTable {
  private static final String APP_ID = "AppId";
  private static final String LIVE = "KmsKeyArn";
  private static final String PREVIOUS = "PreviousKmsKeyArn";
  private static final String RETIRING = "RetiringKmsKeyArn";
  private static final String SWITCHED_ON = "KmsKeySwitchedOn";

  private final DynamoDbClient dynamoDb;
  private final String tableName;

  /**
   * One App's row.
   *
   * @param live the key that signs
   * @param previous the key before it, for the server to fall back on
   * @param retiring a former previous key whose retirement has begun and may not be finished
   * @param switchedOn when {@code live} became live, where this tool did it
   */
  record Row(
      long appId,
      @Nullable String live,
      @Nullable String previous,
      @Nullable String retiring,
      @Nullable Instant switchedOn) {}

  AppTable(DynamoDbClient dynamoDb, String tableName) {
    this.dynamoDb = dynamoDb;
    this.tableName = tableName;
  }

  /** The row as last written, or empty. Also proves that the table is there and is an App table. */
  Optional<Row> row(long appId) {
    try {
      Map<String, AttributeValue> item =
          dynamoDb.getItem(b -> b.tableName(tableName).key(key(appId)).consistentRead(true)).item();
      return item.isEmpty() ? Optional.empty() : rowOf(item);
    } catch (ResourceNotFoundException e) {
      throw noSuchTable(e);
    } catch (SdkException e) {
      if (e instanceof AwsServiceException service
          && service.awsErrorDetails() != null
          && "ValidationException".equals(service.awsErrorDetails().errorCode())) {
        throw new KeyManagerException(
            Reason.BAD_CONFIGURATION,
            "%s is not an App table: `credential-manager get-table-name` lists the App tables"
                .formatted(tableName),
            e);
      }
      throw AwsFailures.explain("dynamodb:GetItem on " + tableName, e);
    }
  }

  /**
   * Makes {@code keyArn} the App's key and the one until now its previous key, in one write.
   *
   * @param before the row as read, or null where there was none
   * @throws SwitchException if the write was not confirmed
   */
  void switchTo(String keyArn, long appId, @Nullable Row before, Instant now) {
    String live = before == null ? null : before.live();
    Map<String, AttributeValue> values = new HashMap<>();
    values.put(":new", AttributeValue.fromS(keyArn));
    values.put(":now", AttributeValue.fromS(Timestamps.format(now)));
    UpdateItemRequest.Builder update =
        UpdateItemRequest.builder()
            .tableName(tableName)
            .key(key(appId))
            .returnValuesOnConditionCheckFailure(ReturnValuesOnConditionCheckFailure.ALL_OLD);
    if (live == null) {
      update
          .updateExpression("SET KmsKeyArn = :new, KmsKeySwitchedOn = :now")
          .conditionExpression("attribute_not_exists(KmsKeyArn)");
    } else {
      values.put(":old", AttributeValue.fromS(live));
      update
          .updateExpression(
              "SET KmsKeyArn = :new, PreviousKmsKeyArn = :old, KmsKeySwitchedOn = :now")
          .conditionExpression("KmsKeyArn = :old");
    }
    try {
      dynamoDb.updateItem(update.expressionAttributeValues(values).build());
    } catch (ConditionalCheckFailedException e) {
      if (e.hasItem() && keyArn.equals(text(e.item(), LIVE))) {
        return; // the SDK had sent the write twice
      }
      throw new SwitchException(
          true,
          new KeyManagerException(
              Reason.UNSAFE,
              "Another import changed App %d in %s meanwhile; its key stays. Run the same command again if this key is to replace it"
                  .formatted(appId, tableName),
              e));
    } catch (SdkException e) {
      boolean certain =
          e instanceof AwsServiceException service
              && service.statusCode() < 500
              && e.numAttempts() != null
              && e.numAttempts() == 1;
      if (!certain && isLive(keyArn, appId)) {
        return;
      }
      throw new SwitchException(
          certain, AwsFailures.explain("dynamodb:UpdateItem on " + tableName, e));
    }
  }

  /**
   * Moves the previous key out of use; {@link Row#retiring()} remembers it until {@link
   * #finishRetiring}, so that a retirement that was cut off can be finished.
   */
  void startRetiring(Row row) {
    retire(
        row,
        "SET RetiringKmsKeyArn = :key REMOVE PreviousKmsKeyArn",
        "PreviousKmsKeyArn = :key AND KmsKeyArn = :live",
        requireNonNull(row.previous(), "previous"));
  }

  void finishRetiring(Row row) {
    retire(
        row,
        "REMOVE RetiringKmsKeyArn",
        "RetiringKmsKeyArn = :key AND KmsKeyArn = :live",
        requireNonNull(row.retiring(), "retiring"));
  }

  private void retire(Row row, String update, String condition, String keyArn) {
    try {
      dynamoDb.updateItem(
          b ->
              b.tableName(tableName)
                  .key(key(row.appId()))
                  .updateExpression(update)
                  .conditionExpression(condition)
                  .expressionAttributeValues(
                      Map.of(
                          ":key", AttributeValue.fromS(keyArn),
                          ":live", AttributeValue.fromS(requireNonNull(row.live(), "live")))));
    } catch (ConditionalCheckFailedException e) {
      throw new KeyManagerException(
          Reason.UNSAFE,
          "The row of App %d in %s was changed meanwhile: run the same command again"
              .formatted(row.appId(), tableName),
          e);
    } catch (SdkException e) {
      throw AwsFailures.explain("dynamodb:UpdateItem on " + tableName, e);
    }
  }

  /** Every row of the table. */
  List<Row> rows() {
    try {
      return dynamoDb
          .scanPaginator(b -> b.tableName(tableName).consistentRead(true))
          .items()
          .stream()
          .map(AppTable::rowOf)
          .flatMap(Optional::stream)
          .toList();
    } catch (ResourceNotFoundException e) {
      throw noSuchTable(e);
    } catch (SdkException e) {
      throw AwsFailures.explain("dynamodb:Scan on " + tableName, e);
    }
  }

  private KeyManagerException noSuchTable(ResourceNotFoundException e) {
    return new KeyManagerException(
        Reason.BAD_CONFIGURATION,
        "There is no table %s in this account and region: `credential-manager get-table-name` lists the App tables"
            .formatted(tableName),
        e);
  }

  private boolean isLive(String keyArn, long appId) {
    try {
      return row(appId).filter(row -> keyArn.equals(row.live())).isPresent();
    } catch (KeyManagerException e) {
      return false;
    }
  }

  /** Empty for an item that is no App's: another table's. */
  private static Optional<Row> rowOf(Map<String, AttributeValue> item) {
    AttributeValue appId = item.get(APP_ID);
    if (appId == null || appId.n() == null || !appId.n().matches("[0-9]{1,18}")) {
      return Optional.empty();
    }
    String switchedOn = text(item, SWITCHED_ON);
    return Optional.of(
        new Row(
            Long.parseLong(appId.n()),
            text(item, LIVE),
            text(item, PREVIOUS),
            text(item, RETIRING),
            switchedOn == null ? null : Timestamps.parse(switchedOn).orElse(null)));
  }

  private static @Nullable String text(Map<String, AttributeValue> item, String name) {
    AttributeValue value = item.get(name);
    return value == null || value.s() == null || value.s().isBlank() ? null : value.s();
  }

  private static Map<String, AttributeValue> key(long appId) {
    return Map.of(APP_ID, AttributeValue.fromN(Long.toString(appId)));
  }

  /** The switch was not confirmed. */
  static final class SwitchException extends RuntimeException {
    /** Whether the row certainly does not name the new key, now or later. */
    final boolean certainlyNotSwitched;

    final KeyManagerException failure;

    SwitchException(boolean certainlyNotSwitched, KeyManagerException failure) {
      super(failure.getMessage(), failure);
      this.certainlyNotSwitched = certainlyNotSwitched;
      this.failure = failure;
    }
  }
}
