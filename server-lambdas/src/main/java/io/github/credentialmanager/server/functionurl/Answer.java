package io.github.credentialmanager.server.functionurl;

import java.util.Map;
import java.util.Optional;

/**
 * What an operation answers.
 *
 * <p>No record, for a record prints its fields and the output may hold a token.
 *
 * <p>Immutable.
 */
public final class Answer {
  private final Map<String, Object> output;
  private final Optional<Vend> vend;

  private Answer(Map<String, Object> output, Optional<Vend> vend) {
    this.output = Map.copyOf(output);
    this.vend = vend;
  }

  /** An answer that hands out nothing secret. */
  public static Answer of(Map<String, Object> output) {
    return new Answer(output, Optional.empty());
  }

  /**
   * An answer that hands out a token: there is an audit line before it.
   *
   * @param event what the audit line is called
   * @param audit what it says, besides who asked
   */
  public static Answer vending(
      Map<String, Object> output, String event, Map<String, Object> audit) {
    return new Answer(output, Optional.of(new Vend(event, Map.copyOf(audit))));
  }

  Map<String, Object> output() {
    return output;
  }

  Optional<Vend> vend() {
    return vend;
  }

  @Override
  public String toString() {
    return "Answer" + output.keySet();
  }

  record Vend(String event, Map<String, Object> audit) {}
}
