package io.github.credentialmanager.ops;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.credentialmanager.ops.KeyManagerException.Reason;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;

class CredentialManagerToolTest {
  private static final Instant NOW = Instant.parse("2026-11-23T10:00:00Z");

  private final StubServer server = new StubServer();
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private final Map<String, String> environment = new HashMap<>();

  @AfterEach
  void stop() {
    server.close();
  }

  private @Nullable RuntimeException failure;

  private int run(String... args) {
    environment.putIfAbsent("AWS_REGION", "us-east-1");
    environment.putIfAbsent("AWS_ENDPOINT_URL", server.uri().toString());
    environment.putIfAbsent("GITHUB_API_URL", server.uri().toString());
    return CredentialManagerTool.builder()
        .environment(environment)
        .in(new ByteArrayInputStream(new byte[0]))
        .out(new PrintWriter(out, true))
        .err(new PrintWriter(err, true))
        .clock(() -> NOW)
        .pause(duration -> {})
        .credentials(
            () -> {
              if (failure != null) {
                throw failure;
              }
              return AwsBasicCredentials.create("AKIDEXAMPLE", "secret");
            })
        .build()
        .run(args);
  }

  @Nested
  class Usage {
    @ParameterizedTest
    @ValueSource(
        strings = {"", "0", "-5", "0x10", "1e3", "1.0", "１", " 1", "99999999999999999999", "one"})
    void refusesWhatIsNoAppId(String appId) {
      assertThat(run("import-private-key", "key.pem", appId, "App")).isEqualTo(ExitCode.USAGE);
      assertThat(err.toString().lines()).hasSize(1);
      assertThat(err.toString()).contains("is no App id", "settings page", "--help");
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "get-table-name",
          "import-private-key",
          "rotate-key",
          "retire-key",
          "list-keys",
          "verify-key",
          "cleanup",
          "endpoints",
          "doctor"
        })
    void helpHasAnExampleTheExitCodesAndTheCommonOptions(String name) {
      assertThat(run(name, "--help")).isZero();
      assertThat(out.toString())
          .contains(
              "Example:",
              "Exit codes:",
              "--region",
              "--profile",
              "--github-url",
              "--output",
              "--dry-run",
              "--yes",
              "--verbose",
              "--help");
      String example = out.toString().substring(out.toString().indexOf("Example:"));
      assertThat(example).contains("credential-manager " + name);

      String help = out.toString();
      out.getBuffer().setLength(0);
      assertThat(run("help", name)).isZero();
      assertThat(out).hasToString(help);
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "--region r --profile p --output json --dry-run --yes --verbose import-private-key k.pem"
              + " 7 App",
          "import-private-key --region r --profile p --output json --dry-run --yes --verbose"
              + " k.pem 7 App",
          "import-private-key k.pem --region=r 7 --profile=p App --output=JSON --dry-run"
              + " --yes --verbose",
          "--verbose --output=json import-private-key k.pem --yes 7 --dry-run App --profile p"
              + " --region r",
        })
    void theCommonOptionsMayStandAnywhere(String line) {
      RootCommand root = new RootCommand(CredentialManagerTool.builder().build());

      new CommandLine(root).setCaseInsensitiveEnumValuesAllowed(true).parseArgs(line.split(" "));

      assertThat(root.region).isEqualTo("r");
      assertThat(root.profile).isEqualTo("p");
      assertThat(root.output).isEqualTo(RootCommand.Format.JSON);
      assertThat(List.of(root.dryRun, root.yes, root.verbose)).containsOnly(true);
    }

    @Test
    void theExitCodesAreThoseOfTheReadme() throws Exception {
      Map<String, String> readme = new TreeMap<>();
      Matcher row =
          Pattern.compile("^\\| (\\d+) \\| (.+) \\|$", Pattern.MULTILINE)
              .matcher(Files.readString(Path.of("README.md")));
      while (row.find()) {
        readme.put(row.group(1), row.group(2).replace("`", ""));
      }
      assertThat(
              new CommandLine(new RootCommand(CredentialManagerTool.builder().build()))
                  .getCommandSpec()
                  .usageMessage()
                  .exitCodeList())
          .containsExactlyInAnyOrderEntriesOf(readme);
      assertThat(readme).hasSize(10);
      assertThat(Stream.of(Reason.values()).map(ExitCode::of))
          .doesNotHaveDuplicates()
          .allSatisfy(code -> assertThat(readme).containsKey(code.toString()));
    }

    @Test
    void guessesWhatWasMeant() {
      assertThat(run("lst-keys")).isEqualTo(ExitCode.USAGE);
      assertThat(err.toString().lines())
          .containsExactly(
              "error: Unmatched argument at index 0: 'lst-keys': did you mean list-keys? see"
                  + " `credential-manager --help`");
    }

    @Test
    void withoutACommandIsHelp() {
      assertThat(run()).isEqualTo(ExitCode.USAGE);
      assertThat(err.toString()).contains("Commands:");
    }

    @ParameterizedTest
    @CsvSource({
      "import, import-private-key",
      "retire-key --pend, --pending-days",
      "rotate-key --keep, --keep-pem",
      "list-keys --output j, json",
      "doctor --git, --github-url",
      "--dry, --dry-run",
    })
    void bashCompletes(String typed, String completed, @TempDir Path directory) throws Exception {
      assertThat(run("generate-completion")).isZero();
      Path script = Files.writeString(directory.resolve("completion"), out.toString());
      String asBashDoes =
          """
          source %s
          compopt() { :; }  # which works on a command line only
          COMP_WORDS=(credential-manager %s); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
          $(complete -p credential-manager | sed 's/.*-F \\([^ ]*\\).*/\\1/')
          echo "${COMPREPLY[@]}"
          """
              .formatted(script, typed);
      Process bash;
      try {
        bash = new ProcessBuilder("bash", "--norc", "-c", asBashDoes).start();
      } catch (IOException e) {
        assumeTrue(false, "bash is not installed here");
        return;
      }
      String errors = new String(bash.getErrorStream().readAllBytes(), UTF_8);
      assertThat(errors).isEmpty();
      assertThat(new String(bash.getInputStream().readAllBytes(), UTF_8).strip())
          .isEqualTo(completed);
    }

    @ParameterizedTest
    @ValueSource(strings = {"6", "31", "-1", "x"})
    void pendingDaysAreThoseOfKms(String days) {
      assertThat(run("retire-key", "1", "App", "--pending-days", days)).isEqualTo(ExitCode.USAGE);
      assertThat(err.toString().lines()).hasSize(1);
    }
  }

  @Nested
  class Endpoints {
    private static final String FUNCTION =
        "{\"ResourceARN\":\"arn:aws:lambda:us-east-1:1:function:%1$s\",\"Tags\":["
            + "{\"Key\":\"CredentialManager\",\"Value\":\"%2$s\"},"
            + "{\"Key\":\"aws:cloudformation:stack-name\",\"Value\":\"%3$s\"}]}";

    @Test
    void areExportLinesForAShell() {
      server
          .answer(
              200,
              "{\"ResourceTagMappingList\":[%s,%s]}"
                  .formatted(
                      FUNCTION.formatted("a", "AppTokenEndpoint", "one"),
                      FUNCTION.formatted("b", "InstallationsEndpoint", "one")))
          .answer(200, url("https://a.lambda-url.us-east-1.on.aws/"))
          .answer(200, url("https://b.lambda-url.us-east-1.on.aws/"));

      assertThat(run("endpoints")).isZero();

      assertThat(out.toString().lines())
          .containsExactly(
              "export CREDENTIAL_MANAGER_APP_TOKEN_ENDPOINT='https://a.lambda-url.us-east-1.on.aws/'",
              "export CREDENTIAL_MANAGER_INSTALLATIONS_ENDPOINT='https://b.lambda-url.us-east-1.on.aws/'");
      assertThat(err.toString()).contains("warning: No URL found for GetInstallationToken");
    }

    @Test
    void ofTwoStacksAreAskedWhich() {
      server
          .answer(
              200,
              "{\"ResourceTagMappingList\":[%s,%s]}"
                  .formatted(
                      FUNCTION.formatted("a", "AppTokenEndpoint", "one"),
                      FUNCTION.formatted("b", "AppTokenEndpoint", "two")))
          .answer(200, url("https://a/"));

      assertThat(run("endpoints")).isEqualTo(ExitCode.BAD_CONFIGURATION);
      assertThat(err.toString()).contains("(one, two)", "--stack");
      assertThat(out.toString()).isEmpty();
    }

    @Test
    void thatAreNotThereAreAnError() {
      server.answer(200, "{\"ResourceTagMappingList\":[]}");
      assertThat(run("endpoints", "--stack", "none")).isEqualTo(ExitCode.BAD_CONFIGURATION);
    }

    private static String url(String url) {
      return "{\"FunctionUrlConfigs\":[{\"FunctionArn\":\"arn:aws:lambda:r:1:function:f:live\",\"FunctionUrl\":\"%s\",\"AuthType\":\"AWS_IAM\"}]}"
          .formatted(url);
    }
  }

  @Nested
  class Output {
    @Test
    void asJsonIsOneDocumentEvenForAnError() throws Exception {
      server.answer(200, "{\"ResourceTagMappingList\":[]}");

      assertThat(run("get-table-name", "--output", "json")).isEqualTo(ExitCode.BAD_CONFIGURATION);

      JsonNode document = new ObjectMapper().readTree(out.toString());
      assertThat(document.at("/error/reason").asText()).isEqualTo("BAD_CONFIGURATION");
      assertThat(document.at("/error/exitCode").asInt()).isEqualTo(4);
      assertThat(err.toString()).isEmpty();
    }

    @Test
    void asJsonIsOneDocumentEvenForAMistakeInTheCommandLine() throws Exception {
      assertThat(run("import-private-key", "k.pem", "0x10", "App", "--output=json"))
          .isEqualTo(ExitCode.USAGE);
      assertThat(new ObjectMapper().readTree(out.toString()).at("/error/exitCode").asInt())
          .isEqualTo(ExitCode.USAGE);
      assertThat(err.toString()).isEmpty();
    }

    @Test
    void namesEachCallIfAskedTo() {
      server.answer(200, "{\"ResourceTagMappingList\":[]}");
      run("get-table-name", "--verbose");
      assertThat(err.toString()).contains("tag:GetResources 200");
    }

    @Test
    void hasNoColourOffATerminal() {
      server.answer(200, "{\"ResourceTagMappingList\":[]}");
      run("get-table-name");
      assertThat(err.toString()).startsWith("error: ").doesNotContain("\u001b");
    }

    @Test
    void ofAnUnexpectedFailureHidesItsMessage() {
      failure = new UnsupportedOperationException("secret");
      assertThat(run("get-table-name")).isEqualTo(ExitCode.UNEXPECTED);
      assertThat(err.toString().lines()).hasSize(1);
      assertThat(err.toString()).contains("UnsupportedOperationException").doesNotContain("secret");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"us east", "us-east-1.example.com/", "US_EAST_1"})
  void refusesARegionThatIsNone(String region) {
    assertThat(run("get-table-name", "--region", region)).isEqualTo(ExitCode.BAD_CONFIGURATION);
    assertThat(err.toString()).contains("is no AWS region");
  }

  @Test
  void cleanupIsRefusedWhereNobodyCanTellWhatIsLive() {
    server.answer(200, "{\"ResourceTagMappingList\":[]}");
    assertThat(run("cleanup", "--yes")).isEqualTo(ExitCode.BAD_CONFIGURATION);
    assertThat(err.toString()).contains("cannot be told which keys are live");
    assertThat(server.requests())
        .allSatisfy(it -> assertThat(it.body()).contains("dynamodb:table"));
  }

  @Test
  void verifyKeySeesASignatureThatIsAnotherKeys() {
    Base64.Encoder base64 = Base64.getEncoder();
    server
        .answer(200, "{\"Item\":{\"AppId\":{\"N\":\"1\"},\"KmsKeyArn\":{\"S\":\"arn:k\"}}}")
        .answer(200, "{\"KeyMetadata\":{\"KeyId\":\"k\",\"KeyState\":\"Enabled\"}}")
        .answer(200, "{\"Tags\":[]}")
        .answer(
            200,
            "{\"PublicKey\":\"%s\"}"
                .formatted(base64.encodeToString(TestKeys.rsa(2048).getPublic().getEncoded())))
        .answer(200, "{\"Signature\":\"%s\"}".formatted(base64.encodeToString(new byte[256])))
        .answer(401, "{}");

    assertThat(run("verify-key", "1", "App")).isEqualTo(ExitCode.CHECK_FAILED);

    assertThat(out.toString())
        .containsPattern(
            "FAILED  signature: does not verify with SHA256:.*\\s+fix: import a new key")
        .containsPattern("FAILED  key tags: Status=\\(none\\).*\\s+fix: aws kms tag-resource");
  }

  @Test
  void keepsAKeyThatIsNoneToItself() {
    String secret = "MIIEowIBAAKCAQEAsecret";
    String pem =
        "-----BEGIN RSA PRIVATE KEY-----\n%s\n-----END RSA PRIVATE KEY-----\n".formatted(secret);
    int code =
        CredentialManagerTool.builder()
            .environment(Map.of("AWS_REGION", "us-east-1"))
            .in(new ByteArrayInputStream(pem.getBytes(UTF_8)))
            .out(new PrintWriter(out, true))
            .err(new PrintWriter(err, true))
            .build()
            .run("import-private-key", "-", "1", "App", "--verbose");
    assertThat(code).isEqualTo(ExitCode.BAD_PRIVATE_KEY);
    assertThat(out + "" + err).doesNotContain(secret, "MIIE");
  }
}
