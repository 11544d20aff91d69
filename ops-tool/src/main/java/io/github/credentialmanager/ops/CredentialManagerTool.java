package io.github.credentialmanager.ops;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;

/**
 * The command {@code credential-manager}.
 *
 * <p>{@link #main} runs it as a program; {@link #run} runs it inside another one, which may give it
 * another environment, clock and output. {@code credential-manager --help} lists commands, options
 * and exit codes.
 *
 * <p>Safe for use by multiple threads as far as the streams given are.
 */
public final class CredentialManagerTool {
  private final Map<String, String> environment;
  private final InputStream in;
  private final boolean interactive;
  private final PrintWriter out;
  private final PrintWriter err;
  private final InstantSource clock;
  private final Consumer<Duration> pause;
  private final @Nullable AwsCredentialsProvider credentials;
  private final @Nullable SdkHttpClient awsHttpClient;

  private CredentialManagerTool(Builder builder) {
    this.environment = builder.environment;
    this.in = builder.in == null ? System.in : builder.in;
    this.interactive = builder.in != null || System.console() != null;
    this.out = builder.out;
    this.err = builder.err;
    this.clock = builder.clock;
    this.pause = builder.pause;
    this.credentials = builder.credentials;
    this.awsHttpClient = builder.awsHttpClient;
  }

  public static void main(String[] args) {
    System.exit(builder().build().run(args));
  }

  public static Builder builder() {
    return new Builder();
  }

  /** Runs one command to its end and returns its exit code. */
  public int run(String... args) {
    RootCommand root = new RootCommand(this);
    return new CommandLine(root)
        .setOut(out)
        .setErr(err)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setExecutionExceptionHandler((e, command, parsed) -> failed(e, root))
        .setParameterExceptionHandler(this::misused)
        .execute(args);
  }

  Map<String, String> environment() {
    return environment;
  }

  InstantSource clock() {
    return clock;
  }

  Consumer<Duration> pause() {
    return pause;
  }

  InputStream in() {
    return in;
  }

  @Nullable AwsCredentialsProvider credentials() {
    return credentials;
  }

  SdkHttpClient newAwsHttpClient() {
    return awsHttpClient == null
        ? UrlConnectionHttpClient.builder()
            .connectionTimeout(Duration.ofSeconds(5))
            .socketTimeout(Duration.ofSeconds(10))
            .build()
        : awsHttpClient;
  }

  /** Closes what {@link #newAwsHttpClient} made. */
  void release(SdkHttpClient client) {
    if (client != awsHttpClient) {
      client.close();
    }
  }

  Terminal terminal(boolean json, boolean verbose) {
    return new Terminal(out, err, Ansi.AUTO, json, verbose);
  }

  /** Whether there is somebody to ask. */
  boolean isInteractive() {
    return interactive;
  }

  /** Whether the operator answers yes. */
  boolean askYes(String question) {
    err.print(question + " [y/N] ");
    err.flush();
    try {
      String answer = new BufferedReader(new InputStreamReader(in, UTF_8)).readLine();
      return answer != null && answer.strip().toLowerCase(Locale.ROOT).matches("y|yes");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static int failed(Exception e, RootCommand root) {
    Terminal terminal = root.terminal();
    if (e instanceof KeyManagerException expected) {
      int code = ExitCode.of(expected.reason());
      terminal.error(expected.reason().name(), code, String.valueOf(e.getMessage()));
      terminal.stackTrace(e);
      return code;
    }
    terminal.error(
        "UNEXPECTED",
        ExitCode.UNEXPECTED,
        "Unexpected %s: run the same command with --verbose and report it"
            .formatted(e.getClass().getSimpleName()));
    terminal.stackTrace(e);
    return ExitCode.UNEXPECTED;
  }

  private int misused(ParameterException e, String[] given) {
    String meant =
        e instanceof UnmatchedArgumentException unmatched
            ? unmatched.getSuggestions().stream()
                .findFirst()
                .map("did you mean %s? "::formatted)
                .orElse("")
            : "";
    // The options may not have been read this far.
    boolean json =
        String.join(" ", given).toLowerCase(Locale.ROOT).matches(".*--output[ =]json\\b.*");
    terminal(json, false)
        .error(
            "USAGE",
            ExitCode.USAGE,
            "%s: %ssee `%s --help`"
                .formatted(
                    String.valueOf(e.getMessage()).lines().findFirst().orElse(""),
                    meant,
                    e.getCommandLine().getCommandSpec().qualifiedName()));
    return ExitCode.USAGE;
  }

  /** Builds a {@link CredentialManagerTool}. Everything has the program's own as its default. */
  public static final class Builder {
    private Map<String, String> environment = System.getenv();
    private @Nullable InputStream in;
    private PrintWriter out = new PrintWriter(System.out, true, UTF_8);
    private PrintWriter err = new PrintWriter(System.err, true, UTF_8);
    private InstantSource clock = InstantSource.system();
    private Consumer<Duration> pause = Pauses::sleep;
    private @Nullable AwsCredentialsProvider credentials;
    private @Nullable SdkHttpClient awsHttpClient;

    private Builder() {}

    /**
     * Read are {@code AWS_REGION}, {@code AWS_ENDPOINT_URL} and {@code AWS_ENDPOINT_URL_*}, {@code
     * GITHUB_API_URL} and {@code CREDENTIAL_MANAGER_*}. What the AWS SDK reads by itself, profiles
     * and credentials for example, it reads from the process.
     */
    public Builder environment(Map<String, String> environment) {
      this.environment = Map.copyOf(environment);
      return this;
    }

    /** Where a PEM named {@code -} and answers to questions are read from. */
    public Builder in(InputStream in) {
      this.in = requireNonNull(in, "in");
      return this;
    }

    public Builder out(PrintWriter out) {
      this.out = requireNonNull(out, "out");
      return this;
    }

    public Builder err(PrintWriter err) {
      this.err = requireNonNull(err, "err");
      return this;
    }

    public Builder clock(InstantSource clock) {
      this.clock = requireNonNull(clock, "clock");
      return this;
    }

    /** How to wait between two attempts; by default the thread sleeps. */
    public Builder pause(Consumer<Duration> pause) {
      this.pause = requireNonNull(pause, "pause");
      return this;
    }

    /** By default those of {@code --profile}, or the AWS SDK's chain. */
    public Builder credentials(AwsCredentialsProvider credentials) {
      this.credentials = requireNonNull(credentials, "credentials");
      return this;
    }

    /** What requests to AWS are sent with. It is closed by whoever made it. */
    public Builder awsHttpClient(SdkHttpClient awsHttpClient) {
      this.awsHttpClient = requireNonNull(awsHttpClient, "awsHttpClient");
      return this;
    }

    public CredentialManagerTool build() {
      return new CredentialManagerTool(this);
    }
  }
}
