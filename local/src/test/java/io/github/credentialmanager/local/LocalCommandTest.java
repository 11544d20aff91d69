package io.github.credentialmanager.local;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class LocalCommandTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String... arguments) {
    CommandLine command = LocalCommand.commandLine(new LocalCommand(Map.of()));
    command.setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
    return command.execute(arguments);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--app-id 1 | --app-id and --private-key go together.",
        "--private-key k.pem | --app-id and --private-key go together.",
        "--app-id 1 --private-key k.pem --seed s.json | take one.",
        "--github-url https://api.github.com | --github-url goes with --app-id",
        "--aws=environment --seed s.json | do not apply.",
        "--aws=environment --data d | do not apply.",
        "--aws=environment --app-id 1 --private-key k.pem | do not apply.",
        "--aws=environment | needs APP_TABLE_NAME, INSTALLATION_TABLE_NAME",
        "--aws=azure | Invalid value for option '--aws'",
        "--port x | Invalid value for option '--port'",
        "--seed nowhere.json | nowhere.json",
      })
  void refusesOptionsThatDoNotGoTogether(String arguments, String message) {
    assertThat(run(arguments.split(" "))).isIn(1, 2);

    assertThat(err.toString()).contains(message).doesNotContain("\tat ");
    assertThat(err.toString().lines().count()).isLessThanOrEqualTo(2);
    assertThat(out.toString()).isEmpty();
  }

  @Test
  void explainsItself() {
    assertThat(run("--help")).isZero();

    assertThat(out.toString())
        .contains("--port", "--seed", "--app-id", "--private-key", "--aws", "--data")
        .contains("Examples:");
  }
}
