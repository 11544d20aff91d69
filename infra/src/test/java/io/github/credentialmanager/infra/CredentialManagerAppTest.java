package io.github.credentialmanager.infra;

import static java.nio.charset.StandardCharsets.UTF_8;
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
import software.amazon.awscdk.App;
import software.amazon.awscdk.AppProps;

/** The app of {@code cdk.json}. */
@RequiresNode
class CredentialManagerAppTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  private static final Map<String, Object> CONTEXT = Map.of("alarmEmail", "ops@example.com");

  @TempDir private static Path directory;
  private static Path assembly;

  @BeforeAll
  static void synthesise() {
    assembly = directory.resolve("here");
    App app = new App(AppProps.builder().outdir(assembly.toString()).context(CONTEXT).build());
    CredentialManagerApp.addStack(app);
    app.synth();
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
  void synthesisesTheSameInEachJvm() throws Exception {
    Path again = directory.resolve("elsewhere");
    ProcessBuilder app =
        new ProcessBuilder(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                CredentialManagerApp.class.getName()));
    app.environment().put("CDK_OUTDIR", again.toString());
    app.environment().put("CDK_CONTEXT_JSON", JSON.writeValueAsString(CONTEXT));
    Process process = app.redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
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
}
