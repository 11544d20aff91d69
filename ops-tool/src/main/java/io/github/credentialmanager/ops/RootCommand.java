package io.github.credentialmanager.ops;

import static java.util.Objects.requireNonNull;

import java.net.URI;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

@Command(
    name = "credential-manager",
    description =
        "Imports, rotates, checks and retires the private keys of GitHub Apps in AWS KMS.",
    scope = ScopeType.INHERIT,
    mixinStandardHelpOptions = true,
    versionProvider = RootCommand.Version.class,
    synopsisSubcommandLabel = "COMMAND",
    usageHelpAutoWidth = true,
    optionListHeading = "%nOptions:%n",
    parameterListHeading = "%nArguments:%n",
    commandListHeading = "%nCommands:%n",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:done, or nothing to do",
      "1:unexpected: report it, with --verbose",
      "2:wrong usage",
      "3:the PEM is not an App's private key, or cannot be read",
      "4:credentials, region, table or another setting is missing or wrong",
      "5:AWS denies a call to this identity",
      "6:GitHub refuses the key or the App id",
      "7:refused, because it could take the App down or was not confirmed",
      "8:a check of verify-key or doctor failed, or a KMS key did not prove itself",
      "9:AWS or GitHub did not answer: the same command may work later"
    },
    subcommands = {
      GetTableNameCommand.class,
      ImportPrivateKeyCommand.class,
      RotateKeyCommand.class,
      RetireKeyCommand.class,
      ListKeysCommand.class,
      VerifyKeyCommand.class,
      CleanupCommand.class,
      EndpointsCommand.class,
      DoctorCommand.class,
      AutoComplete.GenerateCompletion.class,
      HelpCommand.class
    })
final class RootCommand implements Callable<Integer> {
  enum Format {
    TEXT,
    JSON;

    /** As operators write it, in messages and completions. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private final CredentialManagerTool tool;

  @Spec
  @SuppressWarnings("NullAway.Init")
  private CommandSpec spec;

  @Option(
      names = "--region",
      scope = ScopeType.INHERIT,
      paramLabel = "REGION",
      description = "AWS region; by default AWS_REGION or the profile's.")
  @Nullable String region;

  @Option(
      names = "--profile",
      scope = ScopeType.INHERIT,
      paramLabel = "NAME",
      description = "AWS profile; by default the SDK's credential chain.")
  @Nullable String profile;

  @Option(
      names = "--github-url",
      scope = ScopeType.INHERIT,
      paramLabel = "URL",
      description =
          "GitHub's API root, https://HOST/api/v3 for GitHub Enterprise Server; by default"
              + " GITHUB_API_URL or https://api.github.com.")
  @Nullable URI gitHubUrl;

  @Option(
      names = "--output",
      scope = ScopeType.INHERIT,
      defaultValue = "text",
      paramLabel = "json|text",
      description = "How results are printed; by default text.")
  Format output = Format.TEXT;

  @Option(
      names = "--dry-run",
      scope = ScopeType.INHERIT,
      description = "Check everything that can be checked without a change, and change nothing.")
  boolean dryRun;

  @Option(names = "--yes", scope = ScopeType.INHERIT, description = "Do not ask.")
  boolean yes;

  @Option(
      names = "--verbose",
      scope = ScopeType.INHERIT,
      description = "Name each call to AWS and GitHub, and print stack traces. Shows no secrets.")
  boolean verbose;

  private @Nullable Terminal terminal;

  RootCommand(CredentialManagerTool tool) {
    this.tool = tool;
  }

  /** Without a command there is only help to give. */
  @Override
  public Integer call() {
    spec.commandLine().usage(spec.commandLine().getErr());
    return ExitCode.USAGE;
  }

  CredentialManagerTool tool() {
    return tool;
  }

  /** Known once the options are. */
  Terminal terminal() {
    Terminal known = terminal;
    if (known == null) {
      known = tool.terminal(output == Format.JSON, verbose);
      terminal = known;
    }
    return requireNonNull(known);
  }

  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = RootCommand.class.getPackage().getImplementationVersion();
      return new String[] {"credential-manager " + (version == null ? "development" : version)};
    }
  }
}
