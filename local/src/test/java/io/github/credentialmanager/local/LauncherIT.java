package io.github.credentialmanager.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.credentialmanager.ops.PrivateKeyPem;
import io.github.credentialmanager.sdk.CredentialManagerClient;
import io.github.credentialmanager.sdk.CredentialManagerException;
import io.github.credentialmanager.sdk.Installation;
import java.io.BufferedReader;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;

/** Runs the launcher that the build has made, as a process. */
@EnabledIfSystemProperty(
    named = "launcher",
    matches = ".+",
    disabledReason = "there is no launcher before the module is packaged")
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "the launcher is a shell script")
class LauncherIT {
  private static final Pattern EXPORT = Pattern.compile("export ([A-Z_]+)=(.+)");
  private static final Pattern NODE = Pattern.compile("node ([A-Z]_\\S+) +octo-org");

  @Nested
  class WithoutOptions {
    @Test
    void runsTheDemoUntilItIsInterrupted() throws Exception {
      try (Launched launched = Launched.with("--port", "0")) {
        List<String> lines = launched.awaitReady();
        Map<String, String> exports = exports(lines);
        assertThat(exports)
            .containsKeys(
                "CREDENTIAL_MANAGER_ENDPOINT",
                "GITHUB_API_URL",
                "AWS_REGION",
                "AWS_ACCESS_KEY_ID",
                "AWS_SECRET_ACCESS_KEY",
                "AWS_SESSION_TOKEN",
                "AWS_ENDPOINT_URL_KMS",
                "AWS_ENDPOINT_URL_DYNAMODB",
                "APP_TABLE_NAME",
                "INSTALLATION_TABLE_NAME");
        assertThat(lines.get(lines.size() - 1))
            .isEqualTo("Ready: " + exports.get("CREDENTIAL_MANAGER_ENDPOINT"));
        assertThat(lines).anyMatch(line -> line.startsWith("# export AWS_ACCESS_KEY_ID="));
        List<ProcessHandle> children = launched.process.children().toList();
        assertThat(children).hasSize(1);

        try (CredentialManagerClient client = client(exports)) {
          assertThat(client.getInstallationToken(1001, node(lines))).isNotNull();

          assertThat(launched.awaitLine("[server] "))
              .contains("\"event\":\"InstallationTokenVended\"");
          launched.signal("INT");

          assertThat(launched.process.waitFor(60, TimeUnit.SECONDS)).isTrue();
          children.get(0).onExit().get(60, TimeUnit.SECONDS);
          assertThatExceptionOfType(CredentialManagerException.class)
              .isThrownBy(() -> client.getAppToken(1001));
        }
      }
    }
  }

  @Nested
  class WithADirectory {
    @Test
    void goesOnWhereItStopped(@TempDir Path data) throws Exception {
      String node;
      try (Launched first = Launched.with("--port=0", "--data=" + data)) {
        List<String> lines = first.awaitReady();
        node = node(lines);
        try (CredentialManagerClient client = client(exports(lines))) {
          client.refreshCachedData();
        }
        first.signal("TERM");
        assertThat(first.process.waitFor(60, TimeUnit.SECONDS)).isTrue();
      }
      try (Launched second = Launched.with("--port=0", "--data=" + data)) {
        List<String> lines = second.awaitReady();
        assertThat(node(lines)).isEqualTo(node);
        try (CredentialManagerClient client = client(exports(lines))) {
          assertThat(client.getInstallationData(node))
              .extracting(Installation::name)
              .containsExactly("octo-org");
          assertThat(client.getInstallationToken(1001, node)).isNotNull();
        }
      }
    }
  }

  @Nested
  class WithARealAppOrAws {
    @Test
    void vendsForTheApp(@TempDir Path directory) throws Exception {
      byte[] pem = AppKey.generatePem();
      Path file = Files.write(directory.resolve("app.pem"), pem);
      try (GitHubDouble gitHub = GitHubDouble.start(InstantSource.system());
          PrivateKeyPem key = PrivateKeyPem.parse(pem)) {
        GitHubDouble.Installation there =
            gitHub.registerApp(77, key.publicKey()).install(gitHub.organization("octo-org"));
        try (Launched launched =
            Launched.with(
                "--port=0",
                "--app-id=77",
                "--private-key=" + file,
                "--github-url=" + gitHub.apiUrl())) {
          List<String> lines = launched.awaitReady();
          assertThat(lines)
              .contains("# App 77 is installed on node " + there.nodeId() + "  octo-org");
          Map<String, String> exports = exports(lines);
          assertThat(exports).containsEntry("GITHUB_API_URL", gitHub.apiUrl().toString());
          try (CredentialManagerClient client = client(exports)) {
            assertThat(client.getInstallationToken(77, there.nodeId())).isNotNull();
          }

          // Another launcher over the AWS of the first.
          try (Launched second = Launched.in(exports, "--port=0", "--aws=environment")) {
            Map<String, String> again = exports(second.awaitReady());
            assertThat(again).doesNotContainKey("AWS_ENDPOINT_URL_KMS");
            try (CredentialManagerClient client = client(again)) {
              assertThat(client.getInstallationToken(77, there.nodeId())).isNotNull();
            }
            assertThat(second.process.children()).isEmpty();
          }
        }
        assertThat(file).hasBinaryContent(pem);
      }
    }
  }

  @Nested
  class WhenItCannotStart {
    @Test
    void saysWhereASeedIsWrong(@TempDir Path directory) throws Exception {
      Path seed =
          Files.writeString(
              directory.resolve("seed.json"),
              "{\"apps\":[{\"id\":1,\"installations\":[{\"account\":\"nobody\"}]}]}");
      try (Launched launched = Launched.with("--seed", seed.toString())) {
        assertThat(launched.process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(launched.process.exitValue()).isEqualTo(2);
        assertThat(launched.awaitLine(seed.toString()))
            .isEqualTo(
                seed
                    + ": /apps/0/installations/0/account: there is no account \"nobody\" under"
                    + " /accounts");
      }
    }

    @Test
    void saysThatItsPortIsTaken() throws Exception {
      try (GitHubDouble other = GitHubDouble.start(InstantSource.system())) {
        int port = other.apiUrl().getPort();
        try (Launched launched = Launched.with("--port", Integer.toString(port))) {
          assertThat(launched.awaitLine("Port "))
              .isEqualTo(
                  "Port " + port + " is taken: choose another with --port, or 0 for any free one.");
          assertThat(launched.process.waitFor(60, TimeUnit.SECONDS)).isTrue();
          assertThat(launched.process.exitValue()).isEqualTo(1);
        }
      }
    }
  }

  private static Map<String, String> exports(List<String> lines) {
    Map<String, String> exports = new HashMap<>();
    for (String line : lines) {
      Matcher export = EXPORT.matcher(line);
      if (export.matches()) {
        exports.put(export.group(1), export.group(2));
      }
    }
    return exports;
  }

  private static String node(List<String> lines) {
    return lines.stream()
        .map(NODE::matcher)
        .filter(Matcher::find)
        .map(matcher -> matcher.group(1))
        .findFirst()
        .orElseThrow();
  }

  private static CredentialManagerClient client(Map<String, String> exports) {
    return CredentialManagerClient.builder()
        .endpoint(URI.create(value(exports, "CREDENTIAL_MANAGER_ENDPOINT")))
        .region(Region.of(value(exports, "AWS_REGION")))
        .credentialsProvider(
            StaticCredentialsProvider.create(
                AwsSessionCredentials.create(
                    value(exports, "AWS_ACCESS_KEY_ID"),
                    value(exports, "AWS_SECRET_ACCESS_KEY"),
                    value(exports, "AWS_SESSION_TOKEN"))))
        .build();
  }

  private static String value(Map<String, String> exports, String name) {
    String value = exports.get(name);
    if (value == null) {
      throw new AssertionError("no export of " + name);
    }
    return value;
  }

  /** A launcher's process and what it prints. */
  private static final class Launched implements AutoCloseable {
    private static final String END = "\u0000";
    final Process process;
    private final BlockingQueue<String> output = new LinkedBlockingQueue<>();

    private Launched(Process process) {
      this.process = process;
      Thread reader =
          new Thread(
              () -> {
                try (BufferedReader lines = process.inputReader()) {
                  lines.lines().forEach(output::add);
                } catch (Exception e) {
                  // The process is gone.
                }
                output.add(END);
              });
      reader.setDaemon(true);
      reader.start();
    }

    static Launched with(String... options) throws Exception {
      return in(Map.of(), options);
    }

    static Launched in(Map<String, String> environment, String... options) throws Exception {
      List<String> command = new ArrayList<>(List.of(System.getProperty("launcher")));
      command.addAll(Arrays.asList(options));
      ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
      builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
      builder.environment().putAll(environment);
      return new Launched(builder.start());
    }

    /** All lines up to the one that says it is ready. */
    List<String> awaitReady() throws Exception {
      List<String> lines = new ArrayList<>();
      String line;
      do {
        line = next();
        lines.add(line);
      } while (!line.startsWith("Ready: "));
      return lines;
    }

    String awaitLine(String start) throws Exception {
      String line;
      do {
        line = next();
      } while (!line.startsWith(start));
      return line;
    }

    private String next() throws Exception {
      String line = output.poll(120, TimeUnit.SECONDS);
      if (line == null || line.equals(END)) {
        throw new AssertionError("the launcher says no more");
      }
      return line;
    }

    void signal(String name) throws Exception {
      new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start().waitFor();
    }

    @Override
    public void close() throws Exception {
      process.destroy();
      if (!process.waitFor(60, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    }
  }
}
