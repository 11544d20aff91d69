package io.github.credentialmanager.local;

import java.util.Map;
import java.util.Optional;
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

/**
 * The two tables by name, with the attributes of the existing TypeScript Credential Manager's.
 *
 * <p>Several stacks may keep theirs in one DynamoDB.
 */
record Tables(String app, String installation) {
  /**
   * @param suffix of both names; may be empty
   */
  static Tables named(String suffix) {
    return new Tables(
        "CredentialManager-AppTable" + suffix, "CredentialManager-InstallationTable" + suffix);
  }

  /** Makes both, each unless it is there. */
  void create(DynamoDbClient dynamoDb) {
    unlessThere(
        () ->
            dynamoDb.createTable(
                table ->
                    table
                        .tableName(app)
                        .billingMode(BillingMode.PAY_PER_REQUEST)
                        .attributeDefinitions(number("AppId"))
                        .keySchema(key("AppId", KeyType.HASH))));
    unlessThere(
        () ->
            dynamoDb.createTable(
                table ->
                    table
                        .tableName(installation)
                        .billingMode(BillingMode.PAY_PER_REQUEST)
                        .attributeDefinitions(
                            number("AppId"), string("NodeId"), number("InstallationId"))
                        .keySchema(key("AppId", KeyType.HASH), key("NodeId", KeyType.RANGE))
                        .globalSecondaryIndexes(
                            index("NodeID", "NodeId"), index("InstallationID", "InstallationId"))));
  }

  /** The ARN of the key an App signs with; empty if it has none. */
  Optional<String> keyArn(DynamoDbClient dynamoDb, long appId) {
    return Optional.ofNullable(
            dynamoDb
                .getItem(
                    get ->
                        get.tableName(app)
                            .key(Map.of("AppId", AttributeValue.fromN(Long.toString(appId))))
                            .consistentRead(true))
                .item()
                .get("KmsKeyArn"))
        .map(AttributeValue::s);
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
