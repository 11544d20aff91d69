package io.github.credentialmanager.infra;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Policy rules by AWS CloudFormation Guard: AWS Control Tower's for the services used here, and
 * this project's own, which auditors can take along.
 *
 * <p>Guard and Control Tower's rules come out of an npm package, fetched into the build directory.
 */
@RequiresNode
class CfnGuardTest {
  private static final String PACKAGE = "@cdklabs/cdk-validator-cfnguard";
  private static final String VERSION = "0.0.62";
  private static final Path OWN_RULES =
      Path.of("src/test/guard/credential-manager.guard").toAbsolutePath();
  private static final Path WORK = Path.of("target/cfn-guard").toAbsolutePath();
  private static final Pattern FAILED = Pattern.compile("^(\\S+)\\s+FAIL$", Pattern.MULTILINE);

  /** Rules of Control Tower's that do not hold, with the reason. */
  private static final Map<String, String> EXPLAINED =
      Map.of(
          "ct-cloudwatch-pr-3.guard/cloudwatch_log_group_encrypted_check",
          "The key is an option; CloudWatch encrypts logs anyway, with a key of its own.",
          "ct-lambda-pr-3.guard/lambda_inside_vpc_check",
          "The network is an option; callers are told by IAM, not by where they are.",
          "ct-sqs-pr-1.guard/sqs_dlq_check",
          "The queue is a dead-letter queue; the rule knows only those of other queues.",
          "ct-sqs-pr-2.guard/sqs_queue_encrypted_check",
          "SQS encrypts it with a key of its own. EventBridge may not use aws/sqs, and a message"
              + " holds no more than a schedule's time.");

  private static Path template;

  @BeforeAll
  static void synthesise() throws Exception {
    if (!Files.isDirectory(installed())) {
      Files.createDirectories(WORK);
      run(
          "npm",
          "install",
          "--prefix",
          WORK.toString(),
          "--no-save",
          "--no-audit",
          "--no-fund",
          "--ignore-scripts",
          PACKAGE + "@" + VERSION);
    }
    template = WORK.resolve("template.json");
    Files.writeString(
        template,
        SynthesizedStack.of(CredentialManagerProps.builder().build()).template().toString());
  }

  @Test
  void holdsControlTowersRules() throws Exception {
    Set<String> failures = new TreeSet<>();
    for (String service :
        List.of(
            "cloudwatch",
            "dynamodb",
            "identityandaccessmanagement",
            "keymanagementservice",
            "lambda",
            "sqs")) {
      failures.addAll(
          failures(
              installed().resolve("rules/control-tower/cfn-guard").resolve(service), template));
    }
    assertThat(failures).isEqualTo(new TreeSet<>(EXPLAINED.keySet()));
  }

  @Test
  void holdsItsOwnRules() throws Exception {
    assertThat(failures(OWN_RULES, template)).isEmpty();
  }

  /** Shows that the rules can fail: each does for a template with the opposite. */
  @Test
  void itsOwnRulesSeeTheOpposite() throws Exception {
    List<String> names = new ArrayList<>();
    for (String line : Files.readAllLines(OWN_RULES)) {
      if (line.startsWith("rule ")) {
        names.add("credential-manager.guard/" + line.split(" ", -1)[1]);
      }
    }
    assertThat(failures(OWN_RULES, OWN_RULES.resolveSibling("opposite.json")))
        .containsExactlyInAnyOrderElementsOf(names);
  }

  private static Set<String> failures(Path rules, Path data) throws Exception {
    String report =
        run(
            installed().resolve("bin").resolve(platform()).resolve("cfn-guard").toString(),
            "validate",
            "--data",
            data.toString(),
            "--rules",
            rules.toString(),
            "--show-summary",
            "fail");
    Set<String> failed = new TreeSet<>();
    FAILED.matcher(report).results().forEach(result -> failed.add(result.group(1)));
    assertThat(report.contains("Status = FAIL")).as(report).isEqualTo(!failed.isEmpty());
    return failed;
  }

  private static Path installed() {
    return WORK.resolve("node_modules").resolve(PACKAGE);
  }

  private static String platform() {
    String system = System.getProperty("os.name").startsWith("Mac") ? "macos" : "ubuntu";
    String processor = System.getProperty("os.arch").equals("aarch64") ? "aarch64" : "x86_64";
    return system + "/" + processor;
  }

  private static String run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    // Guard ends with 19 if a rule fails; the caller reads which.
    assertThat(process.waitFor()).as(output).isIn(0, 19);
    return output;
  }
}
