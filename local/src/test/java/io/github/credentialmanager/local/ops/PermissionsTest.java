package io.github.credentialmanager.local.ops;

import static io.github.credentialmanager.local.ops.OperatorBench.id;
import static io.github.credentialmanager.local.ops.OperatorBench.newKey;
import static io.github.credentialmanager.local.ops.OperatorBench.write;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.credentialmanager.local.ops.OperatorBench.Run;
import io.github.credentialmanager.local.ops.WatchedHttpClient.Watch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.util.HashSet;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The operator's tool's README tells each command's permissions; these are all, and are needed. */
class PermissionsTest {
  private static final KeyPair OLD = newKey();
  private static final KeyPair NEW = newKey();

  private static OperatorBench bench;

  @TempDir Path directory;
  private long app;
  private String live;

  @BeforeAll
  static void start() {
    bench = new OperatorBench();
  }

  @AfterAll
  static void stop() {
    bench.close();
  }

  @BeforeEach
  void importAKey() {
    app = bench.newApp(OLD, NEW);
    live = bench.imported(directory, app, OLD);
  }

  /** Those that need no Lambda function. */
  static Stream<String> commands() {
    return Stream.of(
        "get-table-name",
        "import-private-key",
        "rotate-key",
        "verify-key",
        "list-keys",
        "retire-key",
        "cleanup");
  }

  @ParameterizedTest
  @MethodSource("commands")
  void areAllThatACommandUses(String command) throws Exception {
    Set<String> used = new HashSet<>();
    Run run =
        bench.run(
            new Watch() {
              @Override
              public void after(int call, String operation) {
                used.add(operation);
              }
            },
            commandLine(command));
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(needed(command)).extracting(PermissionsTest::operation).containsAll(used);
  }

  static Stream<Arguments> needs() throws IOException {
    Stream.Builder<Arguments> needs = Stream.builder();
    for (String command : commands().toList()) {
      needed(command).forEach(action -> needs.add(Arguments.of(command, action)));
    }
    return needs.build();
  }

  @ParameterizedTest(name = "{0}: {1}")
  @MethodSource("needs")
  void thatLackAreNamedAndTheAppSignsOn(String command, String action) {
    String[] line = commandLine(command);

    Run run = bench.run(Watch.deny(operation(action)), line);

    assertThat(run.out() + run.err()).contains("AWS denies " + action).doesNotContain("\tat ");
    if (command.matches("import-private-key|rotate-key") && action.equals("kms:TagResource")) {
      assertThat(run.exitCode()).as("the App has been switched").isZero();
      assertThat(run.err()).contains("warning: The previous key", "could not be tagged");
    } else {
      // 7: retire-key cannot prove the live key; 8: verify-key says what it found.
      assertThat(run.exitCode()).as(run.err()).isIn(5, 7, 8);
    }
    assertThat(bench.tag(bench.row(app, "KmsKeyArn"), "Status")).isEqualTo("Active");
    assertThat(bench.tag(live, "Status")).isEqualTo("Active");
    bench.vendCold(app);
  }

  /** A run of the command that has something to do. */
  private String[] commandLine(String command) {
    return switch (command) {
      case "get-table-name" -> new String[] {command};
      case "import-private-key", "rotate-key" ->
          new String[] {command, newPem().toString(), id(app), bench.table};
      case "verify-key" -> new String[] {command, id(app), bench.table};
      case "list-keys" -> new String[] {command, "--app-id", id(app)};
      case "retire-key" -> {
        live = bench.imported(directory, app, NEW);
        yield new String[] {command, id(app), bench.table, "--yes", "--force"};
      }
      case "cleanup" -> {
        bench.kms.fail("ImportKeyMaterial", 1, "AccessDeniedException");
        bench.run("rotate-key", newPem().toString(), id(app), bench.table);
        yield new String[] {command, "--yes"};
      }
      default -> throw new IllegalArgumentException(command);
    };
  }

  private Path newPem() {
    return write(directory.resolve("new.pem"), NEW);
  }

  /** What the README says that a command needs. */
  private static Set<String> needed(String command) throws IOException {
    String row =
        Files.readString(Path.of("..", "ops-tool", "README.md"))
            .lines()
            .dropWhile(line -> !line.equals("## Permissions"))
            .filter(line -> line.split("\\|").length > 2)
            .filter(line -> line.split("\\|")[1].contains("`" + command + "`"))
            .findFirst()
            .orElseThrow()
            .split("\\|")[2];
    Set<String> actions = new TreeSet<>();
    if (row.contains("what `list-keys` needs")) {
      actions.addAll(needed("list-keys"));
    }
    Pattern.compile("`([a-z]+:[A-Za-z]+)`")
        .matcher(row)
        .results()
        .map(match -> match.group(1))
        .forEach(actions::add);
    return actions;
  }

  private static String operation(String action) {
    return action.substring(action.indexOf(':') + 1);
  }
}
