package io.github.credentialmanager.local.ops;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import io.github.credentialmanager.local.GitHubDouble;
import io.github.credentialmanager.local.LocalCredentialManager;
import io.github.credentialmanager.local.ops.OperatorBench.Run;
import io.github.credentialmanager.ops.CredentialManagerTool;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetSocketAddress;
import java.security.KeyFactory;
import java.security.spec.X509EncodedKeySpec;
import java.time.Instant;
import java.time.InstantSource;
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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.services.kms.KmsClient;

/** The tool against a whole stack that verifies signatures and asks IAM. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DeployedStackTest {
  private static final long APP = 42;

  private LocalCredentialManager stack;
  private GitHubDouble.Installation installation;
  private Map<String, String> environment;
  private InstantSource clock;
  private KmsClient kms;

  @BeforeAll
  void start() {
    stack = LocalCredentialManager.start();
    kms =
        KmsClient.builder()
            .endpointOverride(stack.kms().endpoint())
            .region(stack.region())
            .credentialsProvider(stack.credentialsProvider())
            .httpClientBuilder(UrlConnectionHttpClient.builder())
            .build();
    installation = stack.registerApp(APP).install(stack.gitHub().organization("acme"));
    stack.gitHub().app(APP).orElseThrow().install(stack.gitHub().user("octocat"));
  }

  @AfterAll
  void stop() {
    kms.close();
    stack.close();
  }

  @BeforeEach
  void configure() {
    environment = new HashMap<>(stack.environment());
    clock = InstantSource.system();
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
            .clock(clock)
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
      Run run = run(args);
      assertThat(run.json().path("checks"))
          .filteredOn(check -> check.path("outcome").asText().matches("FAILED|WARNING"))
          .allSatisfy(check -> assertThat(check.path("fix").asText("")).isNotBlank());
      return run;
    }

    /** That a check failed, and with which fix. */
    private static void assertFailed(Run run, String name, String detail, String fix) {
      assertThat(run.exitCode()).as(run.out()).isEqualTo(8);
      JsonNode check = check(run, name);
      assertThat(check.path("outcome").asText()).isEqualTo("FAILED");
      assertThat(check.path("detail").asText()).contains(detail);
      assertThat(check.path("fix").asText()).contains(fix);
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
    void seesThatThereIsNoUrlForAnOperation() {
      environment.remove("CREDENTIAL_MANAGER_ENDPOINT");
      environment.put("CREDENTIAL_MANAGER_REFRESH_ENDPOINT", stack.endpoint().toString());
      Run run = doctor();
      assertThat(outcomes(run)).containsEntry("RefreshCachedData", "OK");
      assertFailed(run, "GetAppToken", "no URL known", "set CREDENTIAL_MANAGER_APP_TOKEN_ENDPOINT");
    }

    @ParameterizedTest
    @CsvSource({
      "403, InvalidSignatureException, FAILED, the signature is refused, renew the credentials",
      "403, AccessDeniedException, FAILED, may not invoke it, allow lambda:InvokeFunctionUrl",
      "429, TooManyRequestsException, WARNING, throttled, reserved concurrency",
      "404, '', FAILED, not found at, correct CREDENTIAL_MANAGER_APP_TOKEN_ENDPOINT",
      "502, '', FAILED, answers 502, look into the function's log",
    })
    void saysOfEachAnswerOfAnEndpointWhatToDo(
        int status, String error, String outcome, String detail, String fix) throws IOException {
      HttpServer endpoint = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
      endpoint.createContext(
          "/",
          exchange -> {
            exchange.getRequestBody().readAllBytes();
            exchange.getResponseHeaders().set("x-amzn-errortype", error);
            exchange.sendResponseHeaders(status, -1);
            exchange.close();
          });
      endpoint.start();
      try {
        environment.put(
            "CREDENTIAL_MANAGER_APP_TOKEN_ENDPOINT",
            "http://127.0.0.1:" + endpoint.getAddress().getPort());
        JsonNode check = check(doctor(), "GetAppToken");
        assertThat(check.path("outcome").asText()).isEqualTo(outcome);
        assertThat(check.path("detail").asText()).contains(detail);
        assertThat(check.path("fix").asText()).contains(fix);
      } finally {
        endpoint.stop(0);
      }
    }

    @Test
    void seesThatTheClockIsOff() {
      clock = () -> Instant.now().plusSeconds(120);
      Run run = doctor("--app-id", "42");
      assertFailed(run, "clock", "s off", "set this machine's clock");
      assertThat(outcomes(run)).containsEntry("endpoints", "SKIPPED");
      assertFailed(run, "GitHub", "s ahead of GitHub's", "set the clock");
      assertThat(outcomes(run)).containsEntry("installation", "SKIPPED");
    }

    @Test
    void looksAtTheRestWhereGitHubIsNotThere() {
      environment.put("GITHUB_API_URL", "http://127.0.0.1:1");
      Run run = doctor("--app-id", "42");
      assertFailed(run, "GitHub", "No answer from GitHub", "check the network");
      assertThat(outcomes(run))
          .containsEntry("clock", "OK") // as AWS has it
          .containsEntry("GetAppToken", "OK")
          .containsEntry("signature", "OK")
          .containsEntry("installation", "SKIPPED");
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://github.example", "https://github.example?x=y"})
    void looksAtTheRestWhereTheUrlIsNotGitHubs(String url) {
      environment.put("GITHUB_API_URL", url);
      Run run = doctor("--app-id", "42");
      assertFailed(run, "GitHub", "is no API root", "give one like https://api.github.com");
      assertThat(outcomes(run))
          .containsEntry("GetAppToken", "OK")
          .doesNotContainKey("installation acme");
    }

    @Test
    void namesATableThatIsNotThere() {
      assertFailed(
          doctor("--app-id", "42", "--table", "None"),
          "App table",
          "There is no table None",
          "get-table-name");
    }

    @Test
    void seesThatTheAppIsInstalledNowhere() {
      stack.registerApp(43);
      assertFailed(
          doctor("--app-id", "43"), "installation", "not installed anywhere", "install it");
    }

    @Test
    void seesThatTheKeyMayNotSign() {
      String key = liveKey();
      tagStatus(key, "Failed");
      try {
        assertFailed(
            doctor("--app-id", "42"),
            "key tags",
            "Status=Failed",
            "aws kms tag-resource --key-id " + key);
      } finally {
        tagStatus(key, "Active");
      }
    }

    @Test
    void seesThatTheKeyIsNotUsable() {
      String key = liveKey();
      kms.disableKey(b -> b.keyId(key));
      try {
        Run run = doctor("--app-id", "42");
        assertFailed(run, "key state", "is Disabled", "aws kms enable-key --key-id " + key);
        assertThat(outcomes(run)).containsEntry("installation", "SKIPPED");
      } finally {
        kms.enableKey(b -> b.keyId(key));
      }
    }

    @Test
    void seesThatTheOperatorMayNotUseTheKey() {
      stack.kms().fail("Sign", 1, "AccessDeniedException");
      assertFailed(doctor("--app-id", "42"), "KMS", "AWS denies kms:Sign", "allow it");
    }

    @Test
    void seesThatGitHubRefusesTheAppsJwt() throws Exception {
      long id = 44;
      GitHubDouble.App app = stack.registerApp(id);
      app.removeKey(
          KeyFactory.getInstance("RSA")
              .generatePublic(
                  new X509EncodedKeySpec(
                      kms.getPublicKey(b -> b.keyId(liveKey(id))).publicKey().asByteArray())));
      Run run = doctor("--app-id", "44");
      assertFailed(run, "GitHub", "refuses the key SHA256:", "App's settings page");
    }

    private String liveKey() {
      return liveKey(APP);
    }

    private String liveKey(long app) {
      return run("list-keys", "--app-id", Long.toString(app), "--output", "json")
          .json()
          .at("/keys/0/keyArn")
          .asText();
    }

    private void tagStatus(String key, String status) {
      kms.tagResource(b -> b.keyId(key).tags(tag -> tag.tagKey("Status").tagValue(status)));
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
