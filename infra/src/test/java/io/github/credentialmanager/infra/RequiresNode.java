package io.github.credentialmanager.infra;

import java.io.IOException;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Skips tests that synthesise templates where there is no Node.js, which the AWS CDK runs on. */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(RequiresNode.Condition.class)
@interface RequiresNode {

  /** Looks for {@code node} once, and says once on the console if there is none. */
  final class Condition implements ExecutionCondition {
    private static final boolean PRESENT = present();

    static boolean isPresent() {
      return PRESENT;
    }

    private static boolean present() {
      try {
        Process node = new ProcessBuilder("node", "--version").redirectErrorStream(true).start();
        node.getInputStream().readAllBytes();
        return node.waitFor() == 0;
      } catch (IOException e) {
        System.err.println(
            "[WARNING] infra: no Node.js on the PATH. The tests that synthesise templates are"
                + " SKIPPED; install Node.js 20 or later to run them.");
        return false;
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }

    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
      return PRESENT
          ? ConditionEvaluationResult.enabled("Node.js is here")
          : ConditionEvaluationResult.disabled("no Node.js on the PATH");
    }
  }
}
