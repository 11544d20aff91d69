package io.github.credentialmanager.ops;

import io.github.credentialmanager.ops.KeyManagerException.Reason;
import java.time.Instant;
import java.util.HashMap;
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
  private static final String SWITCHED_ON = "KmsKeySwitchedOn";

  private final DynamoDbClient dynamoDb;
  private final String tableName;

  /** One App's row. */
  record Row(@Nullable String live, @Nullable String previous, @Nullable Instant switchedOn) {
    boolean names(String keyArn) {
      return keyArn.equals(live) || keyArn.equals(previous);
    }
  }

  AppTable(DynamoDbClient dynamoDb, String tableName) {
    this.dynamoDb = dynamoDb;
    this.tableName = tableName;
  }

  /** The row as last written, or empty. Also proves that the table is there and is an App table. */
  Optional<Row> row(long appId) {
    try {
      Map<String, AttributeValue> item =
          dynamoDb.getItem(b -> b.tableName(tableName).key(key(appId)).consistentRead(true)).item();
      return item.isEmpty() ? Optional.empty() : Optional.of(rowOf(item));
    } catch (ResourceNotFoundException e) {
      throw new KeyManagerException(
          Reason.BAD_CONFIGURATION,
          "There is no table %s in this account and region: `credential-manager get-table-name` lists the App tables"
              .formatted(tableName),
          e);
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
    values.put(":now", AttributeValue.fromS(now.toString()));
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
      if (e.hasItem() && keyArn.equals(rowOf(e.item()).live())) {
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

  private boolean isLive(String keyArn, long appId) {
    try {
      return row(appId).filter(row -> keyArn.equals(row.live())).isPresent();
    } catch (KeyManagerException e) {
      return false;
    }
  }

  private Row rowOf(Map<String, AttributeValue> item) {
    String switchedOn = text(item, SWITCHED_ON);
    return new Row(
        text(item, LIVE),
        text(item, PREVIOUS),
        switchedOn == null ? null : Timestamps.parse(switchedOn).orElse(null));
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
