package io.github.credentialmanager.infra;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The app of {@code cdk.json}, run as the CDK's command line runs it. */
@RequiresNode
class CredentialManagerAppTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private static Path directory;
  private static Path assembly;

  @BeforeAll
  static void synthesise() throws Exception {
    assembly = synthesise("first", Map.of("alarmEmail", "ops@example.com"));
  }

  @Test
  void putsOutWhatCallersAndToolsNeed() throws IOException {
    assertThat(JSON.readTree(template("CredentialManager").toFile()).path("Outputs").fieldNames())
        .toIterable()
        .containsExactlyInAnyOrder(
            "AlarmTopicArn",
            "AppTableName",
            "AppTokenEndpoint",
            "AppTokenLambdaArn",
            "InstallationAccessLambdaArn",
            "InstallationAccessTokenEndpoint",
            "InstallationRecordEndpoint",
            "InstallationRecordLambdaArn",
            "InstallationTableName",
            "InstallationsEndpoint",
            "InstallationsLambdaArn",
            "RefreshCachedDataEndpoint",
            "RefreshCachedDataLambdaArn");
  }

  @Test
  void sendsAlarmsByMail() throws IOException {
    JsonNode template = JSON.readTree(template("CredentialManager").toFile());
    assertThat(template.path("Resources"))
        .anySatisfy(
            resource -> {
              assertThat(resource.path("Type").asText()).isEqualTo("AWS::SNS::Subscription");
              assertThat(resource.at("/Properties/Endpoint").asText()).isEqualTo("ops@example.com");
            });
  }

  /** A template that differs from run to run would make updates that change nothing. */
  @Test
  void synthesisesTheSameEachTime() throws Exception {
    Path again = synthesise("second", Map.of("alarmEmail", "ops@example.com"));
    assertThat(templates(again)).isEqualTo(templates(assembly));
  }

  /** The table of costs in OPERATIONS.md names all that is deployed. */
  @Test
  void deploysWhatTheGuideCounts() throws IOException {
    Map<String, Integer> deployed = new TreeMap<>();
    for (String template : templates(assembly).values()) {
      for (JsonNode resource : JSON.readTree(template).path("Resources")) {
        deployed.merge(resource.path("Type").asText(), 1, Integer::sum);
      }
    }
    assertThat(OperationsGuide.counts()).isEqualTo(deployed);
  }

  private static Path template(String stack) {
    return assembly.resolve(stack + ".template.json");
  }

  private static Map<String, String> templates(Path assembly) throws IOException {
    Map<String, String> templates = new TreeMap<>();
    try (Stream<Path> files = Files.list(assembly)) {
      for (Path file : files.filter(path -> path.toString().endsWith("template.json")).toList()) {
        templates.put(file.getFileName().toString(), Files.readString(file));
      }
    }
    return templates;
  }

  private static Path synthesise(String name, Map<String, String> context) throws Exception {
    Path assembly = directory.resolve(name);
    ProcessBuilder app =
        new ProcessBuilder(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                CredentialManagerApp.class.getName()));
    app.environment().put("CDK_OUTDIR", assembly.toString());
    app.environment().put("CDK_CONTEXT_JSON", JSON.writeValueAsString(context));
    Process process = app.redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes());
    assertThat(process.waitFor()).as(output).isZero();
    return assembly;
  }
}
