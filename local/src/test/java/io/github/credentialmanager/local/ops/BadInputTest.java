package io.github.credentialmanager.local.ops;

import static io.github.credentialmanager.local.ops.OperatorBench.newKey;
import static io.github.credentialmanager.local.ops.OperatorBench.pem;
import static io.github.credentialmanager.local.ops.OperatorBench.write;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.credentialmanager.local.ops.OperatorBench.Run;
import io.github.credentialmanager.ops.CredentialManagerTool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What the program says to an operator who got something wrong: one line that names it and the way
 * out, the exit code as documented, no stack trace, and no key left behind without tags.
 */
class BadInputTest {
  private static final KeyPair KEY = newKey();

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
    bench = new OperatorBench();
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
    Run run = runProcess(mistake);

    assertThat(run.exitCode()).as(run.err()).isEqualTo(mistake.exitCode());
    List<String> said =
        run.err()
            .lines()
            .filter(line -> !line.startsWith("[") && !line.startsWith("To be"))
            .toList();
    assertThat(said).as(run.err()).hasSize(1);
    assertThat(said.get(0)).startsWith("error: ").contains(mistake.says());
    assertThat(run.out()).isEmpty();
    assertThat(bench.keys()).allSatisfy(key -> assertThat(bench.tag(key, "AppId")).isNotEmpty());
    assertThat(directory.resolve("good.pem")).exists();
  }

  @ParameterizedTest
  @MethodSource("denied")
  void aDeniedPermissionIsNamed(String operation) throws Exception {
    bench.kms.fail(operation, 1, "AccessDeniedException");
    Run run =
        runProcess(
            new Mistake(
                operation, 5, "", Map.of(), "import-private-key", "good.pem", "APP", "TABLE"));
    assertThat(run.exitCode()).isEqualTo(5);
    assertThat(run.err().lines().filter(line -> line.startsWith("error: ")))
        .singleElement()
        .satisfies(line -> assertThat(line).contains("AWS denies kms:" + operation));
    assertThat(run.err()).doesNotContain("\tat ");
    assertThat(bench.keys())
        .filteredOn(key -> bench.tag(key, "AppId").equals(OperatorBench.id(app)))
        .allSatisfy(key -> assertThat(bench.tag(key, "Status")).isEqualTo("Failed"));
  }

  static Stream<String> denied() {
    return Stream.of("CreateKey", "ImportKeyMaterial");
  }

  /** The program as it is started from a shell, in a process of its own. */
  private static Run runProcess(Mistake mistake) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp"));
    command.add(System.getProperty("java.class.path"));
    command.add(CredentialManagerTool.class.getName());
    for (String argument : mistake.command()) {
      command.add(
          switch (argument) {
            case "APP" -> OperatorBench.id(app);
            case "TABLE" -> bench.table;
            case "INSTALLATIONS" -> bench.environment().get("INSTALLATION_TABLE_NAME");
            case "WITHPREVIOUS" -> rotated();
            default ->
                argument.equals(".") || argument.endsWith(".pem")
                    ? directory.resolve(argument).toString()
                    : argument;
          });
    }
    Path out = directory.resolve("out");
    Path err = directory.resolve("err");
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
    Map<String, String> environment = builder.environment();
    environment.keySet().removeIf(name -> name.startsWith("AWS_"));
    environment.putAll(bench.environment());
    environment.put("AWS_EC2_METADATA_DISABLED", "true");
    environment.put("AWS_CONFIG_FILE", directory.resolve("no-config").toString());
    environment.put("AWS_SHARED_CREDENTIALS_FILE", directory.resolve("no-credentials").toString());
    mistake
        .environment()
        .forEach(
            (name, value) -> {
              if (value.isEmpty()) {
                environment.remove(name);
              } else {
                environment.put(name, value);
              }
            });
    Process process = builder.start();
    process.getOutputStream().close();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    // A second SLF4J on this class path, which the runnable jar does not have.
    String errors =
        Files.readString(err, UTF_8)
            .lines()
            .filter(line -> !line.startsWith("SLF4J"))
            .reduce("", (text, line) -> text + line + "\n");
    return new Run(process.exitValue(), Files.readString(out, UTF_8), errors);
  }

  private static String rotated() {
    KeyPair next = newKey();
    long id = bench.newApp(KEY, next);
    bench.imported(directory, id, KEY);
    bench.imported(directory, id, next);
    return OperatorBench.id(id);
  }
}
