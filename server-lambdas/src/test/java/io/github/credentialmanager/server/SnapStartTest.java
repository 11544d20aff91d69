package io.github.credentialmanager.server;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.credentialmanager.server.apptoken.GetAppTokenHandler;
import io.github.credentialmanager.server.installations.GetInstallationDataHandler;
import io.github.credentialmanager.server.installations.GetInstallationsHandler;
import io.github.credentialmanager.server.installationtoken.GetInstallationTokenHandler;
import io.github.credentialmanager.server.ratelimit.RateLimitTrackerHandler;
import io.github.credentialmanager.server.refresh.InstallationTrackerHandler;
import io.github.credentialmanager.server.refresh.RefreshCachedDataHandler;
import io.github.credentialmanager.server.snapstart.Core;
import io.github.credentialmanager.server.snapstart.Function;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.auth.credentials.AwsCredentials;

/** Each function in a process of its own, made by the constructor that Lambda calls. */
class SnapStartTest {
  private static final String REQUEST = "{\"appId\":1001,\"nodeId\":\"O_1\"}";

  private final World world = new World();
  @TempDir private Path directory;

  @BeforeEach
  void setUp() {
    world.app(1001).installation(1001, "O_1", 7001);
    GitHubStubs.knowsTheApp(world);
    GitHubStubs.vends(world, 7001);
    GitHubStubs.lists(world, GitHubStubs.entry(7001, "O_1"));
  }

  @AfterEach
  void close() {
    world.close();
  }

  @ParameterizedTest
  @ValueSource(
      classes = {
        GetAppTokenHandler.class,
        GetInstallationTokenHandler.class,
        RefreshCachedDataHandler.class,
        GetInstallationDataHandler.class,
        GetInstallationsHandler.class,
        InstallationTrackerHandler.class,
        RateLimitTrackerHandler.class
      })
  void everyHandlerIsToldOfTheSnapshotAndAnswersAfterIt(Class<?> handler) throws Exception {
    List<String> said = invoke(handler, true);
    assertThat(said).contains("REGISTERED 1");
    assertThat(said).noneMatch(line -> line.contains("PrimingFailed"));
    JsonNode response =
        said.stream()
            .filter(line -> line.startsWith("RESPONSE "))
            .map(line -> World.read(line.substring(9)))
            .findFirst()
            .orElseThrow();
    assertThat(response.path("statusCode").asInt(response.path("apps").asInt() * 200))
        .as("%s", said)
        .isEqualTo(200);
  }

  @ParameterizedTest
  @ValueSource(classes = {GetAppTokenHandler.class, GetInstallationTokenHandler.class})
  void aFirstVendLoadsHardlyAClass(Class<?> handler) throws Exception {
    List<String> unprimed = classesOfTheFirstRequest(handler, false);
    List<String> primed = classesOfTheFirstRequest(handler, true);
    System.out.println(
        handler.getSimpleName()
            + ": a first request loads "
            + unprimed.size()
            + " classes, after a snapshot "
            + primed.size());
    assertThat(primed).hasSizeLessThan(unprimed.size() / 5);
    assertThat(primed).noneMatch(name -> name.startsWith("io.github.credentialmanager."));
  }

  @Test
  void theSnapshotHoldsTheClassesOfTls() throws Exception {
    invoke(GetInstallationTokenHandler.class, true);
    assertThat(loaded()).anyMatch(name -> name.equals("sun.security.ssl.ClientHello"));
    assertThat(loaded()).anyMatch(name -> name.endsWith("https.HttpsURLConnectionImpl"));
  }

  private List<String> classesOfTheFirstRequest(Class<?> handler, boolean snapshot)
      throws Exception {
    invoke(handler, snapshot);
    List<String> loaded = loaded();
    int restored = loaded.indexOf(Function.class.getName() + "$Restored");
    int answered = loaded.indexOf(Function.class.getName() + "$Answered");
    assertThat(restored).isPositive().isLessThan(answered);
    return loaded.subList(restored + 1, answered).stream()
        // Made while running, one for each place that needs one.
        .filter(name -> !name.contains("$$Lambda") && !name.contains("LambdaForm"))
        .toList();
  }

  private List<String> loaded() throws Exception {
    try (Stream<String> lines = Files.lines(directory.resolve("classes"))) {
      return lines
          .map(line -> line.replaceFirst("^\\[.*?] ?(\\[.*?] ?)*", "").split(" ", 2)[0])
          .toList();
    }
  }

  /** What the function prints. */
  private List<String> invoke(Class<?> handler, boolean snapshot) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Dorg.crac.Core.Compat=" + Core.class.getPackageName());
    command.add("-Xlog:class+load:file=" + directory.resolve("classes"));
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(Function.class.getName());
    command.add(handler.getName());
    command.add(Boolean.toString(snapshot));
    ProcessBuilder function = new ProcessBuilder(command).redirectErrorStream(true);
    AwsCredentials credentials = DynamoDbLocal.credentials().resolveCredentials();
    function
        .environment()
        .putAll(
            Map.of(
                "APP_TABLE_NAME", world.appTable,
                "INSTALLATION_TABLE_NAME", world.installationTable,
                "AWS_REGION", "us-east-1",
                "AWS_ACCESS_KEY_ID", credentials.accessKeyId(),
                "AWS_SECRET_ACCESS_KEY", credentials.secretAccessKey(),
                "GITHUB_API_URL", world.gitHub.baseUrl(),
                "AWS_ENDPOINT_URL_KMS", world.kms.endpoint().toString(),
                "AWS_ENDPOINT_URL_DYNAMODB", DynamoDbLocal.endpoint().toString()));
    Process process = function.start();
    try (OutputStream event = process.getOutputStream()) {
      event.write(
          World.event("POST", path(handler), Map.of("content-type", "application/json"), REQUEST)
              .toString()
              .getBytes(UTF_8));
    }
    List<String> said = new String(process.getInputStream().readAllBytes(), UTF_8).lines().toList();
    assertThat(process.waitFor()).as("%s", said).isZero();
    return said;
  }

  private static String path(Class<?> handler) {
    return Map.of(
            "GetAppTokenHandler", "/tokens/app",
            "GetInstallationTokenHandler", "/tokens/installation",
            "RefreshCachedDataHandler", "/installations/refresh",
            "GetInstallationDataHandler", "/installations/info",
            "GetInstallationsHandler", "/installations")
        .getOrDefault(handler.getSimpleName(), "/");
  }
}
