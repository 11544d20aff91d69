package io.github.credentialmanager.local;

import java.util.Map;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeDefinition;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.BillingMode;
import software.amazon.awssdk.services.dynamodb.model.GlobalSecondaryIndex;
import software.amazon.awssdk.services.dynamodb.model.KeySchemaElement;
import software.amazon.awssdk.services.dynamodb.model.KeyType;
import software.amazon.awssdk.services.dynamodb.model.ProjectionType;
import software.amazon.awssdk.services.dynamodb.model.ResourceInUseException;
import software.amazon.awssdk.services.dynamodb.model.ScalarAttributeType;

/** The two tables, with the names and types of the existing TypeScript Credential Manager. */
final class Tables {
  static final String APP = "CredentialManager-AppTable";
  static final String INSTALLATION = "CredentialManager-InstallationTable";

  private Tables() {}

  /** Makes both, each unless it is there. */
  static void create(DynamoDbClient dynamoDb) {
    unlessThere(
        () ->
            dynamoDb.createTable(
                table ->
                    table
                        .tableName(APP)
                        .billingMode(BillingMode.PAY_PER_REQUEST)
                        .attributeDefinitions(number("AppId"))
                        .keySchema(key("AppId", KeyType.HASH))));
    unlessThere(
        () ->
            dynamoDb.createTable(
                table ->
                    table
                        .tableName(INSTALLATION)
                        .billingMode(BillingMode.PAY_PER_REQUEST)
                        .attributeDefinitions(
                            number("AppId"), string("NodeId"), number("InstallationId"))
                        .keySchema(key("AppId", KeyType.HASH), key("NodeId", KeyType.RANGE))
                        .globalSecondaryIndexes(
                            index("NodeID", "NodeId"), index("InstallationID", "InstallationId"))));
  }

  /** Points an App at its key, as an import does. */
  static void putApp(DynamoDbClient dynamoDb, long appId, String keyArn) {
    dynamoDb.putItem(
        put ->
            put.tableName(APP)
                .item(
                    Map.of(
                        "AppId", AttributeValue.fromN(Long.toString(appId)),
                        "KmsKeyArn", AttributeValue.fromS(keyArn))));
  }

  private static void unlessThere(Runnable create) {
    try {
      create.run();
    } catch (ResourceInUseException e) {
      // Kept from an earlier start.
    }
  }

  private static GlobalSecondaryIndex index(String name, String hashKey) {
    return GlobalSecondaryIndex.builder()
        .indexName(name)
        .keySchema(key(hashKey, KeyType.HASH), key("AppId", KeyType.RANGE))
        .projection(projection -> projection.projectionType(ProjectionType.ALL))
        .build();
  }

  private static KeySchemaElement key(String attribute, KeyType type) {
    return KeySchemaElement.builder().attributeName(attribute).keyType(type).build();
  }

  private static AttributeDefinition number(String name) {
    return attribute(name, ScalarAttributeType.N);
  }

  private static AttributeDefinition string(String name) {
    return attribute(name, ScalarAttributeType.S);
  }

  private static AttributeDefinition attribute(String name, ScalarAttributeType type) {
    return AttributeDefinition.builder().attributeName(name).attributeType(type).build();
  }
}
