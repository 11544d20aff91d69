package io.github.credentialmanager.server.store;

import io.github.credentialmanager.server.outbound.Deadline;
import io.github.credentialmanager.server.outbound.DeadlineExceededException;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Function;
import software.amazon.awssdk.awscore.AwsRequestOverrideConfiguration;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.ScanResponse;

/** What both tables do alike: call within a deadline, translate failures, read numbers strictly. */
final class Table {
  static final String APP_ID = "AppId";

  private static final Duration CALL_TIMEOUT = Duration.ofSeconds(3);

  private final DynamoDbClient client;
  private final String name;

  Table(DynamoDbClient client, String name) {
    this.client = client;
    this.name = name;
  }

  String name() {
    return name;
  }

  /**
   * @throws StoreException if DynamoDB throws
   */
  <T> T call(Function<DynamoDbClient, T> call) {
    try {
      return call.apply(client);
    } catch (SdkException e) {
      StoreException.Cause cause =
          e instanceof AwsServiceException service && service.isThrottlingException()
              ? StoreException.Cause.THROTTLED
              : StoreException.Cause.UNAVAILABLE;
      throw new StoreException(cause, "DynamoDB does not answer for table " + name, e);
    }
  }

  /**
   * @throws DeadlineExceededException if it has passed, for the SDK takes no time-out of zero
   */
  static AwsRequestOverrideConfiguration within(Deadline deadline) {
    Duration timeout = deadline.atMost(CALL_TIMEOUT);
    if (timeout.isZero()) {
      throw new DeadlineExceededException();
    }
    return AwsRequestOverrideConfiguration.builder().apiCallTimeout(timeout).build();
  }

  /** The Apps that have a row, in the order of the scan; a row whose id is none is passed over. */
  Set<Long> appIds(boolean consistentRead, Deadline deadline) {
    Set<Long> appIds = new LinkedHashSet<>();
    Map<String, AttributeValue> start = Map.of();
    do {
      Map<String, AttributeValue> pageStart = start;
      ScanResponse page =
          call(
              client ->
                  client.scan(
                      request -> {
                        request
                            .tableName(name)
                            .projectionExpression(APP_ID)
                            .consistentRead(consistentRead)
                            .overrideConfiguration(within(deadline));
                        if (!pageStart.isEmpty()) {
                          request.exclusiveStartKey(pageStart);
                        }
                      }));
      page.items().forEach(row -> id(row, APP_ID).ifPresent(appIds::add));
      start = page.lastEvaluatedKey();
    } while (!start.isEmpty());
    return appIds;
  }

  static AttributeValue number(long value) {
    return AttributeValue.fromN(Long.toString(value));
  }

  static AttributeValue string(String value) {
    return AttributeValue.fromS(value);
  }

  /** The non-empty string of that name. */
  static Optional<String> string(Map<String, AttributeValue> row, String name) {
    return Optional.ofNullable(row.get(name))
        .map(AttributeValue::s)
        .filter(value -> !value.isEmpty());
  }

  /** The positive integer of that name; DynamoDB's numbers may be fractions and have 38 digits. */
  static OptionalLong id(Map<String, AttributeValue> row, String name) {
    AttributeValue value = row.get(name);
    if (value == null || value.n() == null) {
      return OptionalLong.empty();
    }
    try {
      long id = Long.parseLong(value.n());
      return id > 0 ? OptionalLong.of(id) : OptionalLong.empty();
    } catch (NumberFormatException e) {
      return OptionalLong.empty();
    }
  }
}
