package io.github.credentialmanager.ops;

import io.github.credentialmanager.ops.KeyManagerException.Reason;
import java.net.URI;
import java.util.Collection;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.http.SdkHttpClient;

/** One run of one command: its options, and what it works with. */
final class Session implements AutoCloseable {
  private final RootCommand options;
  private final CredentialManagerTool tool;
  private final Terminal terminal;
  private final SdkHttpClient http;
  private @Nullable AwsClients aws;

  Session(RootCommand options) {
    this.options = options;
    this.tool = options.tool();
    this.terminal = options.terminal();
    this.http = tool.newAwsHttpClient();
  }

  CredentialManagerTool tool() {
    return tool;
  }

  Terminal terminal() {
    return terminal;
  }

  boolean isDryRun() {
    return options.dryRun;
  }

  /** The value of an environment variable, unless blank. */
  Optional<String> variable(String name) {
    return Optional.ofNullable(tool.environment().get(name)).filter(value -> !value.isBlank());
  }

  AwsClients aws() {
    AwsClients clients = aws;
    if (clients == null) {
      clients =
          new AwsClients(
              tool.environment(),
              http,
              options.region,
              options.profile,
              tool.credentials(),
              terminal::call);
      aws = clients;
    }
    return clients;
  }

  URI gitHubUrl() {
    URI given = options.gitHubUrl;
    if (given != null) {
      return given;
    }
    return variable("GITHUB_API_URL")
        .map(
            url -> {
              try {
                return URI.create(url);
              } catch (IllegalArgumentException e) {
                throw new KeyManagerException(
                    Reason.BAD_CONFIGURATION, "GITHUB_API_URL is no URL: correct it");
              }
            })
        .orElse(GitHubApi.GITHUB_COM);
  }

  GitHubApi gitHub() {
    return new GitHubApi(gitHubUrl(), tool.clock(), tool.pause(), terminal::call);
  }

  KmsKeys keys() {
    return new KmsKeys(aws().kms(), tool.pause());
  }

  AppTable table(String name) {
    return new AppTable(aws().dynamoDb(), name);
  }

  /** All keys, by what the tables that are tagged as App tables and these say of them. */
  KeyInventory inventory(Collection<String> tables) {
    Set<String> all = new TreeSet<>(taggedResources().appTables());
    all.addAll(tables);
    return new KeyInventory(keys(), taggedResources(), this::table, all);
  }

  KeyManager keyManager() {
    return KeyManager.builder()
        .kms(aws().kms())
        .dynamoDb(aws().dynamoDb())
        .gitHubApiUrl(gitHubUrl())
        .clock(tool.clock())
        .pause(tool.pause())
        .progress(terminal)
        .build();
  }

  TaggedResources taggedResources() {
    return new TaggedResources(
        aws().signedHttp(),
        aws().endpoint("tagging", "RESOURCE_GROUPS_TAGGING_API"),
        aws().endpoint("lambda", "LAMBDA"),
        tool.pause());
  }

  /** Whether a change needs the operator's yes. */
  boolean mustAsk() {
    return !options.yes;
  }

  /**
   * Returns if the operator agrees.
   *
   * @throws KeyManagerException with {@link Reason#UNSAFE} if not, or if there is nobody to ask
   */
  void confirm(String question) {
    if (!mustAsk()) {
      return;
    }
    if (!tool.isInteractive()) {
      throw new KeyManagerException(
          Reason.UNSAFE, "Nobody is there to confirm this: give --yes if it is meant");
    }
    if (!tool.askYes(question)) {
      throw new KeyManagerException(Reason.UNSAFE, "Not confirmed: nothing was changed");
    }
  }

  @Override
  public void close() {
    if (aws != null) {
      aws.close();
    }
    tool.release(http);
  }
}
