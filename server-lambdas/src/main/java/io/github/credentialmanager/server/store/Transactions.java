package io.github.credentialmanager.server.store;

import io.github.credentialmanager.server.outbound.Deadline;
import io.github.credentialmanager.server.outbound.Retry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import software.amazon.awssdk.services.dynamodb.model.CancellationReason;
import software.amazon.awssdk.services.dynamodb.model.TransactWriteItem;
import software.amazon.awssdk.services.dynamodb.model.TransactionCanceledException;

/**
 * Batches of changes that each have a condition.
 *
 * <p>{@code BatchWriteItem} knows no conditions; {@code TransactWriteItems} does, at twice the
 * write units, and the SDK sends a token with it by which DynamoDB knows an attempt that is
 * repeated because its answer was lost. A transaction is all or nothing, so those whose conditions
 * fail are taken out and the rest is written again.
 */
final class Transactions {
  private static final String CONDITION_FAILED = "ConditionalCheckFailed";
  private static final String NOTHING_WRONG = "None";

  private final Table table;
  private final Retry retry = Retry.threeAttempts();

  Transactions(Table table) {
    this.table = table;
  }

  /**
   * @param items of different rows, at most {@link InstallationTable#MAX_CHANGES}
   * @return how many met their conditions and are written
   * @throws StoreException if DynamoDB does not answer, or goes on asking for fewer requests
   */
  <T> int run(List<T> items, Function<T, TransactWriteItem> write, Deadline deadline) {
    List<T> open = items;
    while (!open.isEmpty()) {
      List<T> attempted = open;
      List<TransactWriteItem> writes = attempted.stream().map(write).toList();
      List<CancellationReason> reasons = run(writes, deadline);
      if (reasons.isEmpty()) {
        return attempted.size();
      }
      open = new ArrayList<>();
      for (int i = 0; i < attempted.size(); i++) {
        if (!hasFailed(reasons.get(i))) {
          open.add(attempted.get(i));
        }
      }
    }
    return 0;
  }

  /**
   * Makes all of the writes or none.
   *
   * @return empty if they are made, else the reasons, at least one of which is a failed condition
   * @throws StoreException if DynamoDB does not answer, or goes on asking for fewer requests
   */
  List<CancellationReason> run(List<TransactWriteItem> writes, Deadline deadline) {
    return retry.call(
        deadline,
        () -> attempt(writes, deadline),
        e ->
            e instanceof StoreException failure
                    && failure.reason() == StoreException.Cause.THROTTLED
                ? Optional.of(Duration.ZERO)
                : Optional.empty());
  }

  private List<CancellationReason> attempt(List<TransactWriteItem> writes, Deadline deadline) {
    return table.call(
        client -> {
          try {
            client.transactWriteItems(
                request ->
                    request.transactItems(writes).overrideConfiguration(Table.within(deadline)));
            return List.of();
          } catch (TransactionCanceledException e) {
            return reasons(e);
          }
        });
  }

  /** Conflicts with other transactions and throttling pass; a request that is wrong does not. */
  private static List<CancellationReason> reasons(TransactionCanceledException e) {
    List<CancellationReason> reasons = e.cancellationReasons();
    if (reasons.stream().anyMatch(Transactions::hasFailed)) {
      return reasons;
    }
    boolean wrong = reasons.stream().anyMatch(reason -> "ValidationError".equals(reason.code()));
    throw new StoreException(
        wrong ? StoreException.Cause.UNAVAILABLE : StoreException.Cause.THROTTLED,
        "DynamoDB cancelled a transaction: "
            + reasons.stream()
                .map(CancellationReason::code)
                .filter(code -> !NOTHING_WRONG.equals(code))
                .distinct()
                .toList(),
        e);
  }

  static boolean hasFailed(CancellationReason reason) {
    return CONDITION_FAILED.equals(reason.code());
  }
}
