package io.github.credentialmanager.ops;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.credentialmanager.ops.Check.Outcome;
import java.util.ArrayList;
import java.util.List;

/** Findings in order, and the exit code they amount to. */
final class Checklist {
  private final List<Check> checks = new ArrayList<>();

  void add(Check check) {
    checks.add(check);
  }

  void addAll(List<Check> more) {
    checks.addAll(more);
  }

  boolean hasFailed() {
    return checks.stream().anyMatch(Check::isFailed);
  }

  Result result(Terminal terminal) {
    List<String> lines = new ArrayList<>();
    ObjectNode json = ToolCommand.json().put("ok", !hasFailed());
    ArrayNode array = json.putArray("checks");
    for (Check check : checks) {
      lines.add(
          "%s %s: %s".formatted(labelOf(check.outcome(), terminal), check.name(), check.detail()));
      if (!check.fix().isEmpty()) {
        lines.add("        fix: " + check.fix());
      }
      array
          .addObject()
          .put("check", check.name())
          .put("outcome", check.outcome().name())
          .put("detail", check.detail())
          .put("fix", check.fix().isEmpty() ? null : check.fix());
    }
    return new Result(hasFailed() ? ExitCode.CHECK_FAILED : ExitCode.OK, json, lines);
  }

  private static String labelOf(Outcome outcome, Terminal terminal) {
    return switch (outcome) {
      case OK -> terminal.styled("green", "ok     ");
      case WARNING -> terminal.styled("yellow", "warning");
      case FAILED -> terminal.styled("bold,red", "FAILED ");
      case SKIPPED -> "skipped";
    };
  }
}
