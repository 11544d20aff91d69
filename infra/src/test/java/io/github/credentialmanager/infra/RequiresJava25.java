package io.github.credentialmanager.infra;

import java.io.IOException;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Skips tests that run the functions where there is no Java 25, which Lambda runs them on. */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(RequiresJava25.Condition.class)
@interface RequiresJava25 {

  /** Looks for Java 25: this JVM, {@code JAVA_25_HOME}, then where Linux distributions put it. */
  final class Condition implements ExecutionCondition {
    private static final Optional<Path> JAVA = find();

    static Path java() {
      return JAVA.orElseThrow();
    }

    private static Optional<Path> find() {
      Stream<Path> homes =
          Runtime.version().feature() == 25
              ? Stream.of(Path.of(System.getProperty("java.home")))
              : Stream.concat(
                  Optional.ofNullable(System.getenv("JAVA_25_HOME")).map(Path::of).stream(),
                  installed());
      Optional<Path> java =
          homes.map(home -> home.resolve("bin/java")).filter(Files::isExecutable).findFirst();
      if (java.isEmpty()) {
        System.err.println(
            "[WARNING] infra: no Java 25. The tests that run the packaged functions as Lambda does"
                + " are SKIPPED; set JAVA_25_HOME to run them.");
      }
      return java;
    }

    private static Stream<Path> installed() {
      try (Stream<Path> homes = Files.list(Path.of("/usr/lib/jvm"))) {
        return homes.filter(home -> home.getFileName().toString().contains("25")).toList().stream();
      } catch (IOException e) {
        return Stream.empty();
      }
    }

    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
      return JAVA.isPresent()
          ? ConditionEvaluationResult.enabled("Java 25 is here")
          : ConditionEvaluationResult.disabled("no Java 25");
    }
  }
}
