package io.github.credentialmanager.server.callerpolicy;

import io.github.credentialmanager.server.functionurl.Caller;
import io.github.credentialmanager.server.functionurl.CallerNotAllowedException;
import io.github.credentialmanager.server.github.TokenScope;
import io.github.credentialmanager.server.json.JsonException;
import io.github.credentialmanager.server.json.JsonObject;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Which callers may have which tokens, for whoever wants more than IAM's yes or no.
 *
 * <p>A request is allowed if one statement allows all of it. Nothing is narrowed on the quiet: who
 * may have less than he asks for is refused.
 *
 * <p>Immutable.
 */
public final class CallerPolicy {
  private final Optional<List<Statement>> statements;

  private CallerPolicy(Optional<List<Statement>> statements) {
    this.statements = statements;
  }

  /** The policy that leaves it to IAM. */
  public static CallerPolicy none() {
    return new CallerPolicy(Optional.empty());
  }

  /**
   * Reads a policy: an object with the one member {@code statements}.
   *
   * @throws IllegalArgumentException saying where it is wrong; unknown members, empty lists and
   *     {@code null} are
   */
  public static CallerPolicy parse(String json) {
    try {
      JsonObject policy = JsonObject.parse(json);
      if (!policy.names().equals(Set.of("statements"))) {
        throw new JsonException("/ must have the member statements and no other");
      }
      List<Statement> statements = new ArrayList<>();
      int index = 0;
      for (JsonObject statement : policy.objects("statements").orElseGet(List::of)) {
        String path = "/statements/" + index++;
        if (statement == null) {
          throw new JsonException(path + " is null");
        }
        statements.add(Statement.read(path, statement));
      }
      if (statements.isEmpty()) {
        throw new JsonException("/statements is empty, which would refuse everyone");
      }
      return new CallerPolicy(Optional.of(List.copyOf(statements)));
    } catch (JsonException e) {
      throw new IllegalArgumentException("CALLER_POLICY is wrong: " + e.getMessage(), e);
    }
  }

  /**
   * An App's JWT makes tokens for all its installations: it takes a statement that limits neither
   * accounts nor repositories nor permissions.
   *
   * @throws CallerNotAllowedException if the caller may not have it
   */
  public void requireAppToken(Caller caller, long appId) {
    require(caller, principal -> statement -> statement.refusalOfAppToken(principal, appId));
  }

  /**
   * @throws CallerNotAllowedException if the caller may not have a token for that account with all
   *     of that scope
   */
  public void requireInstallationToken(Caller caller, long appId, String nodeId, TokenScope scope) {
    require(
        caller,
        principal ->
            statement -> statement.refusalOfInstallationToken(principal, appId, nodeId, scope));
  }

  private void require(Caller caller, Check check) {
    if (statements.isEmpty()) {
      return;
    }
    Principal principal =
        Principal.of(caller).orElseThrow(() -> new CallerNotAllowedException(Limit.CALLER.name()));
    List<Optional<Limit>> refusals =
        statements.get().stream().map(check.by(principal)::refusal).toList();
    if (refusals.stream().allMatch(Optional::isPresent)) {
      Limit nearest =
          refusals.stream().flatMap(Optional::stream).max(Comparator.naturalOrder()).orElseThrow();
      throw new CallerNotAllowedException(nearest.name());
    }
  }

  private interface Check {
    ByStatement by(Principal principal);
  }

  private interface ByStatement {
    Optional<Limit> refusal(Statement statement);
  }
}
