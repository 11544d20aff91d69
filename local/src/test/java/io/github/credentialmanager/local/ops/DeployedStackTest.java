package io.github.credentialmanager.local.ops;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.credentialmanager.local.GitHubDouble;
import io.github.credentialmanager.local.LocalCredentialManager;
import io.github.credentialmanager.local.ops.OperatorBench.Run;
import io.github.credentialmanager.ops.CredentialManagerTool;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;

/** The tool against a whole stack that verifies signatures and asks IAM. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DeployedStackTest {
  private static final long APP = 42;

  private LocalCredentialManager stack;
  private GitHubDouble.Installation installation;
  private Map<String, String> environment;

  @BeforeAll
  void start() {
    stack = LocalCredentialManager.start();
    installation = stack.registerApp(APP).install(stack.gitHub().organization("acme"));
    stack.gitHub().app(APP).orElseThrow().install(stack.gitHub().user("octocat"));
  }

  @AfterAll
  void stop() {
    stack.close();
  }

  @BeforeEach
  void configure() {
    environment = new HashMap<>(stack.environment());
  }

  private Run run(String... args) {
    return run(stack.credentialsProvider(), args);
  }

  private Run run(AwsCredentialsProvider as, String... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int exitCode =
        CredentialManagerTool.builder()
            .environment(environment)
            .credentials(as)
            .pause(duration -> {})
            .in(InputStream.nullInputStream())
            .out(new PrintWriter(out, true))
            .err(new PrintWriter(err, true))
            .build()
            .run(args);
    return new Run(exitCode, out.toString(), err.toString());
  }

  @Test
  void getTableNameFindsTheAppTableByItsTags() {
    Run run = run("get-table-name");
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.out().strip()).isEqualTo(environment.get("APP_TABLE_NAME"));
  }

  @Test
  void endpointsAreTheStacks() {
    Run run = run("endpoints");
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.out().lines())
        .hasSize(5)
        .contains(
            "export CREDENTIAL_MANAGER_INSTALLATION_TOKEN_ENDPOINT='%s/'"
                .formatted(stack.endpoint()));
  }

  @Test
  void listKeysFindsTablesByTheirTags() {
    Run run = run("list-keys");
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.out()).contains("LIVE", String.valueOf(APP));
  }

  @Test
  void anIdentityWithoutPermissionLearnsWhichOneItLacks() {
    Run run = run(stack.strangersCredentialsProvider(), "get-table-name");
    assertThat(run.exitCode()).isEqualTo(5);
    assertThat(run.err().lines())
        .singleElement()
        .satisfies(line -> assertThat(line).contains("AWS denies tag:GetResources"));
  }

  @Test
  void credentialsThatAwsDoesNotKnowAreNamedAsTheProblem() {
    Run run =
        run(
            StaticCredentialsProvider.create(AwsBasicCredentials.create("AKIDEXAMPLE", "wrong")),
            "get-table-name");
    assertThat(run.exitCode()).isEqualTo(4);
    assertThat(run.err()).contains("AWS does not accept the credentials");
  }

  @Nested
  class Doctor {
    private Run doctor(String... more) {
      String[] args = new String[more.length + 3];
      args[0] = "doctor";
      args[1] = "--output";
      args[2] = "json";
      System.arraycopy(more, 0, args, 3, more.length);
      return run(args);
    }

    private static Map<String, String> outcomes(Run run) {
      Map<String, String> outcomes = new HashMap<>();
      for (JsonNode check : run.json().path("checks")) {
        outcomes.put(check.path("check").asText(), check.path("outcome").asText());
      }
      return outcomes;
    }

    private static JsonNode check(Run run, String name) {
      return StreamSupport.stream(run.json().path("checks").spliterator(), false)
          .filter(check -> check.path("check").asText().equals(name))
          .findFirst()
          .orElseThrow();
    }

    @Test
    void findsNothingWrongWithAStackThatWorks() {
      Run run = doctor("--app-id", "42", "--node-id", installation.nodeId());

      assertThat(run.exitCode()).as(run.out()).isZero();
      assertThat(run.json().path("checks"))
          .extracting(check -> check.path("check").asText())
          .containsExactly(
              "identity",
              "clock",
              "GetAppToken",
              "GetInstallationToken",
              "RefreshCachedData",
              "GetInstallationData",
              "GetInstallations",
              "App table",
              "key state",
              "key tags",
              "signature",
              "GitHub",
              "installation acme");
      assertThat(outcomes(run).values()).containsOnly("OK");
      assertThat(check(run, "identity").path("detail").asText()).contains("developer");
    }

    @Test
    void invokesEndpointsWithoutTheirDoingAnything() {
      long before = done();
      environment.remove("CREDENTIAL_MANAGER_ENDPOINT");
      Run run = doctor();
      assertThat(run.exitCode()).as(run.out()).isZero();
      assertThat(done()).isEqualTo(before);
    }

    /** What the operations do: sign as an App, mint a token, list installations. */
    private long done() {
      return stack.kms().calls("Sign")
          + stack.gitHub().tokensMinted()
          + stack.gitHub().requests("GET /app/installations");
    }

    @Test
    void namesTheGrantsThatAnIdentityLacks() {
      AwsCredentialsProvider reader = stack.newCaller("reader", "/installations");
      Run run = run(reader, "doctor", "--output", "json");
      assertThat(run.exitCode()).isEqualTo(8);
      assertThat(outcomes(run))
          .containsEntry("GetInstallations", "OK")
          .containsEntry("GetAppToken", "FAILED");
      assertThat(check(run, "GetAppToken").path("fix").asText())
          .contains("lambda:InvokeFunctionUrl", "lambda:InvokedViaFunctionUrl");
    }

    @Test
    void seesThatTheAppIsSuspended() {
      installation.suspend();
      try {
        Run run = doctor("--app-id", "42");
        assertThat(run.exitCode()).isEqualTo(8);
        assertThat(check(run, "installation acme").path("detail").asText())
            .isEqualTo("is suspended");
        assertThat(outcomes(run)).containsEntry("installation octocat", "OK");
      } finally {
        installation.unsuspend();
      }
    }

    @Test
    void seesWhatTheInstallationHasNotGranted() {
      installation.grant(Map.of("metadata", "read"));
      try {
        Run run = doctor("--app-id", "42", "--node-id", installation.nodeId());
        assertThat(run.exitCode()).isZero();
        assertThat(check(run, "installation acme").path("detail").asText())
            .contains("has not granted", "contents=write");
      } finally {
        installation.grant(
            Map.of(
                "metadata", "read",
                "contents", "write",
                "issues", "write",
                "pull_requests", "write"));
      }
    }

    @Test
    void seesThatTheAppIsNotInstalledThere() {
      Run run = doctor("--app-id", "42", "--node-id", "O_nobody");
      assertThat(check(run, "installation").path("detail").asText())
          .contains("not installed on O_nobody");
    }

    @Test
    void saysHowAnAppWithoutAKeyGetsOne() {
      Run run = doctor("--app-id", "77");
      assertThat(run.exitCode()).isEqualTo(8);
      assertThat(check(run, "App table").path("fix").asText())
          .contains("import-private-key PEM 77");
    }

    @Test
    void seesAnEndpointThatNobodyListensOn() {
      environment.put("CREDENTIAL_MANAGER_APP_TOKEN_ENDPOINT", "http://127.0.0.1:1");
      Run run = doctor();
      assertThat(check(run, "GetAppToken").path("detail").asText()).contains("no answer");
      assertThat(outcomes(run)).containsEntry("GetInstallations", "OK");
    }

    @Test
    void sendsNoCredentialsToAnEndpointWithoutHttps() {
      environment.put("CREDENTIAL_MANAGER_APP_TOKEN_ENDPOINT", "http://example.com");
      assertThat(check(doctor(), "GetAppToken").path("detail").asText()).contains("Not https");
    }

    @Test
    void reportsAGitHubThatIsNotThere() {
      environment.put("GITHUB_API_URL", URI.create("http://127.0.0.1:1").toString());
      Run run = doctor();
      assertThat(run.exitCode()).isEqualTo(8);
      assertThat(outcomes(run)).containsEntry("GitHub", "FAILED");
    }

    @Test
    void withoutCredentialsLooksNoFurther() {
      Run run =
          run(
              StaticCredentialsProvider.create(AwsBasicCredentials.create("AKIDEXAMPLE", "wrong")),
              "doctor",
              "--output",
              "json");
      assertThat(run.exitCode()).isEqualTo(8);
      assertThat(outcomes(run))
          .containsEntry("identity", "FAILED")
          .containsEntry("endpoints", "SKIPPED");
      assertThat(List.copyOf(outcomes(run).keySet())).doesNotContain("GetAppToken");
    }
  }
}
