package io.github.credentialmanager.local;

import io.github.credentialmanager.ops.KeyManagerException;
import io.github.credentialmanager.sdk.CredentialManagerClient;
import io.github.credentialmanager.sdk.CredentialManagerException;
import io.github.credentialmanager.sdk.Installation;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Runs the local stack until it is interrupted. */
@Command(
    name = "credential-manager-local",
    description = "Runs the whole Credential Manager on this machine, until Ctrl-C.",
    sortOptions = false,
    usageHelpAutoWidth = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  credential-manager-local",
      "      a demo App on two accounts of a GitHub that is a double",
      "  credential-manager-local --seed apps.json --data ./state",
      "      your own accounts and Apps; tables and keys are kept for the next start",
      "  credential-manager-local --app-id 123456 --private-key app.pem",
      "      a real GitHub App, at the real GitHub; the key stays on this machine",
      "",
      "Exit codes: 1 it could not start or a part of it ended, 2 wrong options or seed;",
      "stopped by a signal: 128 and its number (Ctrl-C: 130)."
    })
final class LocalCommand implements Callable<Integer> {
  private static final int FAILED = 1;
  private static final int MOST_LISTED = 20;

  /** Which AWS is behind the front. */
  enum Aws {
    /** One of our own. */
    EMBEDDED,
    /** Whatever {@code AWS_*} names. */
    ENVIRONMENT;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this and exit.")
  private boolean help;

  @Option(
      names = "--port",
      paramLabel = "N",
      defaultValue = "8787",
      description =
          "Serve the five operations here; 0 for any free port (default: ${DEFAULT-VALUE}).")
  private int port;

  @Option(
      names = "--seed",
      paramLabel = "FILE",
      description = "Accounts, repositories and Apps of the GitHub double, as JSON.")
  private @Nullable Path seed;

  @Option(
      names = "--app-id",
      paramLabel = "N",
      description = "Run a real GitHub App; needs --private-key.")
  private @Nullable Long appId;

  @Option(
      names = "--private-key",
      paramLabel = "FILE",
      description = "The real App's private key, a PEM file. It is read, not changed.")
  private @Nullable Path privateKey;

  @Option(
      names = "--github-url",
      paramLabel = "URL",
      description =
          "Root of the API of the real GitHub, https://HOST/api/v3 for Enterprise Server (default:"
              + " https://api.github.com).")
  private @Nullable URI gitHubUrl;

  @Option(
      names = "--aws",
      paramLabel = "KIND",
      defaultValue = "embedded",
      description =
          "embedded, or environment: the tables APP_TABLE_NAME and INSTALLATION_TABLE_NAME and the"
              + " keys of whatever AWS_* says (default: ${DEFAULT-VALUE}).")
  private Aws aws = Aws.EMBEDDED;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "Keep tables and keys here (default: in memory).")
  private @Nullable Path data;

  private final Map<String, String> environment;
  private final CompletableFuture<Integer> ended = new CompletableFuture<>();

  LocalCommand(Map<String, String> environment) {
    this.environment = environment;
  }

  public static void main(String[] arguments) {
    System.exit(commandLine(new LocalCommand(System.getenv())).execute(arguments));
  }

  static CommandLine commandLine(LocalCommand command) {
    return new CommandLine(command)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setParameterExceptionHandler(
            (e, arguments) -> {
              e.getCommandLine().getErr().println(e.getMessage());
              e.getCommandLine().getErr().println("Options: --help");
              return CommandLine.ExitCode.USAGE;
            });
  }

  @Override
  public Integer call() {
    LocalCredentialManager stack;
    try {
      stack = builder().start();
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
    } catch (UncheckedIOException e) {
      return fail(
          e.getCause() instanceof BindException
              ? "Port " + port + " is taken: choose another with --port, or 0 for any free one."
              : e.getMessage() + " " + e.getCause());
    } catch (IllegalStateException | KeyManagerException e) {
      return fail(e.getMessage());
    }
    Thread hook = new Thread(() -> stop(stack), "stop");
    Runtime.getRuntime().addShutdownHook(hook);
    try {
      if (appId != null && privateKey != null) {
        importPrivateKey(stack, appId, privateKey);
      }
      introduce(stack);
      return ended.join();
    } catch (UncheckedIOException | KeyManagerException | CredentialManagerException e) {
      return fail(e.getMessage());
    } finally {
      stop(stack);
    }
  }

  private LocalCredentialManager.Builder builder() {
    LocalCredentialManager.Builder builder =
        LocalCredentialManager.builder()
            .port(port)
            .log(line -> say("[server] " + line))
            .onFailure(failure -> ended.complete(fail(failure)));
    boolean real = appId != null || privateKey != null;
    if (real && (appId == null || privateKey == null)) {
      throw wrong("--app-id and --private-key go together.");
    }
    if (real && seed != null) {
      throw wrong("--seed is for the double of GitHub, --app-id for a real one: take one.");
    }
    if (aws == Aws.ENVIRONMENT) {
      if (real || seed != null || data != null) {
        throw wrong(
            "With --aws=environment, Apps, keys and tables are those that are there:"
                + " --app-id, --private-key, --seed and --data do not apply.");
      }
      builder.aws(environment);
    } else if (gitHubUrl != null && !real) {
      throw wrong("--github-url goes with --app-id or --aws=environment.");
    }
    if (data != null) {
      builder.dataDirectory(data);
    }
    if (gitHubUrl != null || real) {
      builder.gitHubApiUrl(gitHubUrl != null ? gitHubUrl : URI.create("https://api.github.com"));
    } else if (seed != null) {
      builder.seed(seed);
    } else if (aws == Aws.EMBEDDED) {
      builder.demo();
    }
    return builder;
  }

  private ParameterException wrong(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  private static void importPrivateKey(LocalCredentialManager stack, long appId, Path file) {
    byte[] pem;
    try {
      pem = Files.readAllBytes(file);
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read the private key " + file + ".", e);
    }
    try {
      stack.importPrivateKey(appId, pem);
    } finally {
      Arrays.fill(pem, (byte) 0);
    }
  }

  private void introduce(LocalCredentialManager stack) {
    say("# For clients, and for the operator's tool:");
    stack.environment().forEach((name, value) -> say("export " + name + "=" + value));
    say("");
    say("# Another caller, whom IAM refuses:");
    stack.strangersEnvironment().forEach((name, value) -> say("# export " + name + "=" + value));
    say("");
    listApps(stack);
    say("");
    say("Ready: " + stack.endpoint());
  }

  private void listApps(LocalCredentialManager stack) {
    Optional<GitHubDouble> gitHub = stack.gitHubDouble();
    if (gitHub.isEmpty()) {
      listInstallations(stack);
      return;
    }
    for (GitHubDouble.App app : gitHub.get().apps()) {
      say("# App " + app.id() + " is installed on");
      for (GitHubDouble.Installation installation : app.installations()) {
        say("#   node " + installation.nodeId() + "  " + installation.login());
      }
    }
  }

  /** Asks the server, which asks GitHub. */
  private void listInstallations(LocalCredentialManager stack) {
    try (CredentialManagerClient client = stack.newClient()) {
      client.refreshCachedData();
      List<Installation> installations =
          client.paginateInstallations().limit(MOST_LISTED + 1L).toList();
      for (Installation it :
          installations.subList(0, Math.min(MOST_LISTED, installations.size()))) {
        say("# App " + it.appId() + " is installed on node " + it.nodeId() + "  " + it.name());
      }
      if (installations.size() > MOST_LISTED) {
        say("# and on more: POST " + stack.endpoint() + "/installations");
      } else if (installations.isEmpty()) {
        say("# No App here is installed anywhere yet.");
      }
    }
  }

  private synchronized void say(String line) {
    PrintWriter out = spec.commandLine().getOut();
    out.println(line);
    out.flush();
  }

  private int fail(@Nullable String message) {
    PrintWriter err = spec.commandLine().getErr();
    err.println(message);
    err.flush();
    return FAILED;
  }

  private void stop(LocalCredentialManager stack) {
    if (ended.complete(0)) {
      say("Stopping.");
    }
    stack.close();
  }
}
