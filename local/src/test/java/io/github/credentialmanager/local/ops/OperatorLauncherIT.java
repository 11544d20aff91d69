package io.github.credentialmanager.local.ops;

import static io.github.credentialmanager.local.ops.OperatorBench.id;
import static io.github.credentialmanager.local.ops.OperatorBench.newKey;
import static io.github.credentialmanager.local.ops.OperatorBench.pem;
import static io.github.credentialmanager.local.ops.OperatorBench.write;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.credentialmanager.local.ops.OperatorBench.Run;
import io.github.credentialmanager.ops.ImportStep;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The operator's tool as it is packaged, started from a shell, in a process of its own. */
@EnabledIfSystemProperty(
    named = "operator.launcher",
    matches = ".+",
    disabledReason = "there is no launcher before ops-tool is packaged")
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "the launcher is a shell script")
class OperatorLauncherIT {
  private static final KeyPair KEY = newKey();
  private static final KeyPair NEXT = newKey();

  @TempDir static Path directory;
  private static OperatorBench bench;
  private static long app;

  /**
   * @param environment what differs from a good environment; an empty value removes the variable
   */
  record Mistake(
      String name, int exitCode, String says, Map<String, String> environment, String... command) {
    @Override
    public String toString() {
      return name;
    }
  }

  @BeforeAll
  static void start() throws IOException {
    bench = new OperatorBench(InstantSource.system());
    app = bench.newApp(KEY);
    write(directory.resolve("good.pem"), KEY);
    write(directory.resolve("ec.pem"), newKey("EC", 256));
    write(directory.resolve("1024.pem"), newKey("RSA", 1024));
    write(directory.resolve("4096.pem"), newKey("RSA", 4096));
    write(directory.resolve("other.pem"), newKey());
    Files.createSymbolicLink(directory.resolve("link.pem"), directory.resolve("good.pem"));
    Files.writeString(
        directory.resolve("encrypted.pem"), pem(KEY).replace("PRIVATE", "ENCRYPTED PRIVATE"));
    Files.writeString(directory.resolve("trailing.pem"), pem(KEY) + "something else\n");
    Files.writeString(directory.resolve("empty.pem"), "");
  }

  @AfterAll
  static void stop() {
    bench.close();
  }

  /**
   * What it says to an operator who got something wrong: one line that names it and the way out,
   * the exit code as documented, no stack trace, and no key left behind without tags.
   */
  @Nested
  class AMistake {
    static Stream<Mistake> mistakes() {
      return Stream.of(
          file("no file", "none.pem", "There is no file"),
          file("a directory", ".", "no regular file"),
          file("a symbolic link", "link.pem", "symbolic link"),
          file("an encrypted key", "encrypted.pem", "encrypted: decrypt it first"),
          file("an EC key", "ec.pem", "no RSA key"),
          file("1024 bits", "1024.pem", "1024 bits"),
          file("4096 bits", "4096.pem", "4096 bits"),
          file("something after the key", "trailing.pem", "follows the PEM block"),
          file("an empty file", "empty.pem", "does not start with a PEM block"),
          appId("an empty App id", ""),
          appId("a hexadecimal App id", "0x10"),
          appId("an exponent", "1e3"),
          appId("a negative App id", "-5"),
          new Mistake(
              "another App's key",
              6,
              "compare App id and fingerprint",
              Map.of(),
              "import-private-key",
              "other.pem",
              "APP",
              "TABLE"),
          new Mistake(
              "an App that GitHub does not know",
              6,
              "compare App id and fingerprint",
              Map.of(),
              "import-private-key",
              "good.pem",
              "999999",
              "TABLE"),
          new Mistake(
              "an unknown table",
              4,
              "`credential-manager get-table-name` lists",
              Map.of(),
              "import-private-key",
              "good.pem",
              "APP",
              "NoSuchTable"),
          new Mistake(
              "the other table",
              4,
              "is not an App table",
              Map.of(),
              "import-private-key",
              "good.pem",
              "APP",
              "INSTALLATIONS"),
          new Mistake(
              "no credentials",
              4,
              "No AWS credentials found: sign in",
              Map.of("AWS_ACCESS_KEY_ID", "", "AWS_SECRET_ACCESS_KEY", "", "AWS_SESSION_TOKEN", ""),
              "import-private-key",
              "good.pem",
              "APP",
              "TABLE"),
          new Mistake(
              "an unknown profile",
              4,
              "give the right --profile",
              Map.of(),
              "get-table-name",
              "--profile",
              "nobody"),
          new Mistake(
              "no region",
              4,
              "No AWS region: give --region",
              Map.of("AWS_REGION", ""),
              "import-private-key",
              "good.pem",
              "APP",
              "TABLE"),
          new Mistake(
              "a GitHub URL without https",
              4,
              "is no API root",
              Map.of(),
              "import-private-key",
              "good.pem",
              "APP",
              "TABLE",
              "--github-url",
              "http://github.example.com"),
          new Mistake(
              "a GitHub that is not there",
              9,
              "check the network and --github-url",
              Map.of("GITHUB_API_URL", "http://127.0.0.1:1"),
              "import-private-key",
              "good.pem",
              "APP",
              "TABLE"),
          new Mistake(
              "a missing argument", 2, "--help", Map.of(), "import-private-key", "good.pem", "APP"),
          new Mistake("an unknown option", 2, "--help", Map.of(), "list-keys", "--al"),
          new Mistake("an unknown command", 2, "--help", Map.of(), "delete-everything"),
          new Mistake(
              "nobody to confirm",
              7,
              "give --yes",
              Map.of(),
              "retire-key",
              "WITHPREVIOUS",
              "TABLE",
              "--force"));
    }

    private static Mistake file(String name, String file, String says) {
      return new Mistake(name, 3, says, Map.of(), "import-private-key", file, "APP", "TABLE");
    }

    private static Mistake appId(String name, String appId) {
      return new Mistake(
          name, 2, "is no App id", Map.of(), "import-private-key", "good.pem", appId, "TABLE");
    }

    @ParameterizedTest
    @MethodSource("mistakes")
    void isToldInOneLine(Mistake mistake) throws Exception {
      Run run = run(mistake.environment(), resolved(mistake.command()));

      assertThat(run.exitCode()).as(run.err()).isEqualTo(mistake.exitCode());
      assertThat(run.err().lines().filter(line -> !line.startsWith("[")))
          .as(run.err())
          .singleElement()
          .satisfies(line -> assertThat(line).startsWith("error: ").contains(mistake.says()));
      assertThat(run.out()).isEmpty();
      assertThat(bench.keys()).allSatisfy(key -> assertThat(bench.tag(key, "AppId")).isNotEmpty());
      assertThat(directory.resolve("good.pem")).exists();
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "CreateKey",
          "GetParametersForImport",
          "ImportKeyMaterial",
          "GetPublicKey",
          "Sign"
        })
    void ofPermissionsNamesTheOneThatLacks(String operation) throws Exception {
      bench.kms.fail(operation, 1, "AccessDeniedException");
      Run run = run(Map.of(), resolved("import-private-key", "good.pem", "APP", "TABLE"));
      assertThat(run.exitCode()).as(run.err()).isEqualTo(5);
      assertThat(run.err().lines().filter(line -> line.startsWith("error: ")))
          .singleElement()
          .satisfies(line -> assertThat(line).contains("AWS denies kms:" + operation));
      assertThat(run.err()).doesNotContain("\tat ");
      assertThat(bench.keys())
          .filteredOn(key -> bench.tag(key, "AppId").equals(id(app)))
          .allSatisfy(key -> assertThat(bench.tag(key, "Status")).isEqualTo("Failed"));
    }

    private static String[] resolved(String... arguments) {
      return Stream.of(arguments)
          .map(
              argument ->
                  switch (argument) {
                    case "APP" -> id(app);
                    case "TABLE" -> bench.table;
                    case "INSTALLATIONS" -> bench.environment().get("INSTALLATION_TABLE_NAME");
                    case "WITHPREVIOUS" -> rotated();
                    default ->
                        argument.equals(".") || argument.endsWith(".pem")
                            ? directory.resolve(argument).toString()
                            : argument;
                  })
          .toArray(String[]::new);
    }

    private static String rotated() {
      long id = bench.newApp(KEY, NEXT);
      bench.imported(directory, id, KEY);
      bench.imported(directory, id, NEXT);
      return OperatorBench.id(id);
    }
  }

  @Test
  void takesRegionAndCredentialsFromAProfile() throws Exception {
    Path config =
        Files.writeString(
            directory.resolve("config"),
            """
            [profile ops]
            region = %s
            aws_access_key_id = %s
            aws_secret_access_key = %s
            aws_session_token = %s
            """
                .formatted(
                    bench.environment().get("AWS_REGION"),
                    bench.environment().get("AWS_ACCESS_KEY_ID"),
                    bench.environment().get("AWS_SECRET_ACCESS_KEY"),
                    bench.environment().get("AWS_SESSION_TOKEN")));
    Map<String, String> noOthers =
        Map.of(
            "AWS_CONFIG_FILE", config.toString(),
            "AWS_REGION", "",
            "AWS_ACCESS_KEY_ID", "",
            "AWS_SECRET_ACCESS_KEY", "",
            "AWS_SESSION_TOKEN", "");

    Run run = run(noOthers, "get-table-name", "--profile", "ops");

    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.out().strip()).isEqualTo(bench.table);
  }

  /** As {@link KillPointTest}, but by the operating system, which runs no handler and no hook. */
  @Nested
  class Killed {
    /** Longer than a test takes: no tag that is changed here reaches authorisation. */
    @BeforeEach
    void delayTags() {
      bench.kms.delayTags(Duration.ofSeconds(300));
    }

    @AfterEach
    void delayTagsNoMore() {
      bench.kms.delayTags(Duration.ZERO);
    }

    @ParameterizedTest
    @EnumSource(ImportStep.class)
    void afterAnyStepLeavesTheAppSigningAndTheSameCommandFinishes(ImportStep step)
        throws Exception {
      long rotated = bench.newApp(KEY, NEXT);
      String old = bench.imported(directory, rotated, KEY);
      Path pem = write(directory.resolve("rotation.pem"), NEXT);
      String[] command = {"rotate-key", pem.toString(), id(rotated), bench.table};

      Process process = builder(Map.of(), command(command)).start();
      try (BufferedReader said = process.errorReader(UTF_8)) {
        String line;
        do {
          line = said.readLine();
          assertThat(line).as("what is said of " + step).isNotNull();
        } while (!line.startsWith("[%d/".formatted(step.ordinal() + 1)));
        process.destroyForcibly();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
      }

      bench.vendCold(rotated);
      assertThat(bench.tag(bench.row(rotated, "KmsKeyArn"), "Status")).isEqualTo("Active");
      if (Files.exists(pem)) {
        Run again = run(Map.of(), command);
        assertThat(again.exitCode()).as(again.err()).isZero();
      }
      assertThat(pem).doesNotExist();
      String live = bench.row(rotated, "KmsKeyArn");
      assertThat(bench.kmsClient.getPublicKey(b -> b.keyId(live)).publicKey().asByteArray())
          .isEqualTo(NEXT.getPublic().getEncoded());
      assertThat(bench.row(rotated, "PreviousKmsKeyArn")).isEqualTo(old);
      assertThat(bench.tag(live, "Status")).isEqualTo("Active");
      assertThat(bench.tag(old, "Status")).isEqualTo("Active");
      bench.vendCold(rotated);
    }
  }

  @Nested
  @EnabledOnOs(value = OS.LINUX, disabledReason = "script takes other options elsewhere")
  class OnATerminal {
    private static final String ESCAPE = "\u001b[";

    @Test
    void hasColours() throws Exception {
      assertThat(typed("", Map.of())).contains("error: ", ESCAPE);
    }

    @Test
    void hasNoneIfNobodyWantsOrShowsThem() throws Exception {
      assertThat(typed("", Map.of("NO_COLOR", "1"))).contains("error: ").doesNotContain(ESCAPE);
      assertThat(typed("", Map.of("TERM", "dumb"))).contains("error: ").doesNotContain(ESCAPE);
    }

    @Test
    void hasNoneInAFileThatErrorsGoTo() throws Exception {
      Path errors = directory.resolve("errors");
      typed(" 2>" + errors, Map.of());
      assertThat(errors).content().startsWith("error: ").doesNotContain(ESCAPE);
    }

    private static String typed(String redirection, Map<String, String> differing)
        throws Exception {
      String line = String.join(" ", command("verify-key", "999999", bench.table)) + redirection;
      Map<String, String> environment = new HashMap<>(Map.of("TERM", "xterm", "NO_COLOR", ""));
      environment.putAll(differing);
      Process script;
      try {
        script = builder(environment, List.of("script", "-qec", line, "/dev/null")).start();
      } catch (IOException e) {
        assumeTrue(false, "script is not installed here");
        throw e;
      }
      script.getOutputStream().close();
      String screen = new String(script.getInputStream().readAllBytes(), UTF_8);
      assertThat(script.waitFor()).as(screen).isEqualTo(4);
      return screen;
    }
  }

  /** Runs the program to its end. */
  private static Run run(Map<String, String> differing, String... arguments) throws Exception {
    Path out = directory.resolve("out");
    Path err = directory.resolve("err");
    Process process =
        builder(differing, command(arguments))
            .redirectOutput(out.toFile())
            .redirectError(err.toFile())
            .start();
    process.getOutputStream().close();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return new Run(process.exitValue(), Files.readString(out, UTF_8), Files.readString(err, UTF_8));
  }

  private static List<String> command(String... arguments) {
    return Stream.concat(Stream.of(System.getProperty("operator.launcher")), Stream.of(arguments))
        .toList();
  }

  /**
   * @param differing what differs from a good environment; an empty value removes the variable
   */
  private static ProcessBuilder builder(Map<String, String> differing, List<String> command) {
    ProcessBuilder builder = new ProcessBuilder(command);
    Map<String, String> environment = builder.environment();
    environment.keySet().removeIf(name -> name.startsWith("AWS_"));
    environment.putAll(bench.environment());
    environment.put("JAVA_HOME", System.getProperty("java.home"));
    environment.put("AWS_EC2_METADATA_DISABLED", "true");
    environment.put("AWS_CONFIG_FILE", directory.resolve("no-config").toString());
    environment.put("AWS_SHARED_CREDENTIALS_FILE", directory.resolve("no-credentials").toString());
    environment.putAll(differing);
    environment.values().removeIf(String::isEmpty);
    return builder;
  }
}
