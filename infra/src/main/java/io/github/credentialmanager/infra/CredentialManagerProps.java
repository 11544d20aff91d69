package io.github.credentialmanager.infra;

import static java.util.Objects.requireNonNull;

import java.net.URI;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.RemovalPolicy;
import software.amazon.awscdk.services.dynamodb.ITable;
import software.amazon.awscdk.services.ec2.ISecurityGroup;
import software.amazon.awscdk.services.ec2.IVpc;
import software.amazon.awscdk.services.ec2.SubnetSelection;
import software.amazon.awscdk.services.events.Schedule;
import software.amazon.awscdk.services.kms.IKey;
import software.amazon.awscdk.services.lambda.Architecture;
import software.amazon.awscdk.services.logs.RetentionDays;

/**
 * What a {@link CredentialManager} can be told. Every property has a default fit for production.
 *
 * <pre>{@code
 * CredentialManagerProps.builder()
 *     .gitHubApiUrl("https://github.example.com/api/v3")
 *     .logRetention(RetentionDays.TWO_YEARS)
 *     .build();
 * }</pre>
 *
 * <p>A value that cannot work fails at synthesis, with an {@link IllegalArgumentException}.
 */
public final class CredentialManagerProps {
  final @Nullable ITable appTable;
  final @Nullable ITable installationTable;
  final RemovalPolicy tableRemovalPolicy;
  final boolean tableDeletionProtection;
  final boolean pointInTimeRecovery;
  final @Nullable IKey tableEncryptionKey;
  final @Nullable IKey logEncryptionKey;
  final RetentionDays logRetention;
  final RemovalPolicy logRemovalPolicy;
  final Architecture architecture;
  final int memorySize;
  final Map<Operation, Integer> reservedConcurrency;
  final boolean reserveTrackerConcurrency;
  final boolean tracing;
  final String gitHubApiUrl;
  final Schedule installationTrackerSchedule;
  final Schedule rateLimitTrackerSchedule;
  final boolean rateLimitTracking;
  final List<String> rateLimitCategories;
  final @Nullable String callerPolicy;
  final List<String> callerAccounts;
  final @Nullable IVpc vpc;
  final @Nullable SubnetSelection vpcSubnets;
  final @Nullable List<ISecurityGroup> securityGroups;
  final AlarmThresholds alarmThresholds;

  private CredentialManagerProps(Builder builder) {
    this.appTable = builder.appTable;
    this.installationTable = builder.installationTable;
    this.tableRemovalPolicy = builder.tableRemovalPolicy;
    this.tableDeletionProtection = builder.tableDeletionProtection;
    this.pointInTimeRecovery = builder.pointInTimeRecovery;
    this.tableEncryptionKey = builder.tableEncryptionKey;
    this.logEncryptionKey = builder.logEncryptionKey;
    this.logRetention = builder.logRetention;
    this.logRemovalPolicy = builder.logRemovalPolicy;
    this.architecture = builder.architecture;
    this.memorySize = builder.memorySize;
    this.reservedConcurrency = Map.copyOf(builder.reservedConcurrency);
    this.reserveTrackerConcurrency = builder.reserveTrackerConcurrency;
    this.tracing = builder.tracing;
    this.gitHubApiUrl = builder.gitHubApiUrl;
    this.installationTrackerSchedule = builder.installationTrackerSchedule;
    this.rateLimitTrackerSchedule = builder.rateLimitTrackerSchedule;
    this.rateLimitTracking = builder.rateLimitTracking;
    this.rateLimitCategories = builder.rateLimitCategories;
    this.callerPolicy = builder.callerPolicy;
    this.callerAccounts = builder.callerAccounts;
    this.vpc = builder.vpc;
    this.vpcSubnets = builder.vpcSubnets;
    this.securityGroups = builder.securityGroups;
    this.alarmThresholds = builder.alarmThresholds;
  }

  public static Builder builder() {
    return new Builder();
  }

  /** Collects the properties of a {@link CredentialManager}. */
  public static final class Builder {
    private static final Pattern ACCOUNT = Pattern.compile("\\d{12}");
    private static final Pattern RATE = Pattern.compile("rate\\((\\d+) (minute|hour|day)s?\\)");
    private static final Pattern CATEGORY = Pattern.compile("[a-z_]+");

    private @Nullable ITable appTable;
    private @Nullable ITable installationTable;
    private RemovalPolicy tableRemovalPolicy = RemovalPolicy.RETAIN;
    private boolean tableDeletionProtection = true;
    private boolean pointInTimeRecovery = true;
    private @Nullable IKey tableEncryptionKey;
    private @Nullable IKey logEncryptionKey;
    private RetentionDays logRetention = RetentionDays.ONE_YEAR;
    private RemovalPolicy logRemovalPolicy = RemovalPolicy.RETAIN;
    private Architecture architecture = Architecture.ARM_64;
    private int memorySize = 1024;
    private final Map<Operation, Integer> reservedConcurrency = new EnumMap<>(Operation.class);
    private boolean reserveTrackerConcurrency = true;
    private boolean tracing;
    private String gitHubApiUrl = "https://api.github.com";
    private Schedule installationTrackerSchedule = Schedule.rate(Duration.minutes(30));
    private Schedule rateLimitTrackerSchedule = Schedule.rate(Duration.minutes(10));
    private boolean rateLimitTracking = true;
    private List<String> rateLimitCategories = List.of("core", "graphql", "search");
    private @Nullable String callerPolicy;
    private List<String> callerAccounts = List.of();
    private @Nullable IVpc vpc;
    private @Nullable SubnetSelection vpcSubnets;
    private @Nullable List<ISecurityGroup> securityGroups;
    private AlarmThresholds alarmThresholds = AlarmThresholds.builder().build();

    private Builder() {}

    /**
     * A table of Apps to adopt, instead of a new one: partition key {@code AppId} (number).
     *
     * <p>If a customer managed key encrypts it, import it with that key.
     */
    public Builder appTable(ITable appTable) {
      this.appTable = requireNonNull(appTable, "appTable");
      return this;
    }

    /**
     * A table of installations to adopt, instead of a new one: partition key {@code AppId}
     * (number), sort key {@code NodeId} (string), indexes {@code NodeID} and {@code
     * InstallationID}.
     *
     * <p>If a customer managed key encrypts it, import it with that key.
     */
    public Builder installationTable(ITable installationTable) {
      this.installationTable = requireNonNull(installationTable, "installationTable");
      return this;
    }

    /** What becomes of new tables when the stack is deleted; kept unless set. */
    public Builder tableRemovalPolicy(RemovalPolicy tableRemovalPolicy) {
      this.tableRemovalPolicy = requireNonNull(tableRemovalPolicy, "tableRemovalPolicy");
      return this;
    }

    /** Whether DynamoDB refuses to delete new tables; it does unless set to false. */
    public Builder tableDeletionProtection(boolean tableDeletionProtection) {
      this.tableDeletionProtection = tableDeletionProtection;
      return this;
    }

    /** Whether new tables can be restored to any second of the last 35 days; yes unless set. */
    public Builder pointInTimeRecovery(boolean pointInTimeRecovery) {
      this.pointInTimeRecovery = pointInTimeRecovery;
      return this;
    }

    /** Encrypts new tables; the AWS managed key {@code aws/dynamodb} unless set. */
    public Builder tableEncryptionKey(IKey tableEncryptionKey) {
      this.tableEncryptionKey = requireNonNull(tableEncryptionKey, "tableEncryptionKey");
      return this;
    }

    /**
     * Encrypts the logs; CloudWatch's own key unless set.
     *
     * <p>CloudWatch Logs must be let in by the key's policy. A key of the same app gets the
     * statement here; an imported key needs it from its owner.
     */
    public Builder logEncryptionKey(IKey logEncryptionKey) {
      this.logEncryptionKey = requireNonNull(logEncryptionKey, "logEncryptionKey");
      return this;
    }

    /** How long logs, the audit lines among them, are kept; one year unless set. */
    public Builder logRetention(RetentionDays logRetention) {
      this.logRetention = requireNonNull(logRetention, "logRetention");
      return this;
    }

    /** What becomes of the logs when the stack is deleted; kept unless set. */
    public Builder logRemovalPolicy(RemovalPolicy logRemovalPolicy) {
      this.logRemovalPolicy = requireNonNull(logRemovalPolicy, "logRemovalPolicy");
      return this;
    }

    /** The functions' processor; arm64 unless set. */
    public Builder architecture(Architecture architecture) {
      this.architecture = requireNonNull(architecture, "architecture");
      return this;
    }

    /** The functions' memory in MiB, and with it their share of a processor; 1024 unless set. */
    public Builder memorySize(int memorySize) {
      if (memorySize < 256 || memorySize > 10_240) {
        throw new IllegalArgumentException(
            "memorySize must be between 256 and 10240 MiB: " + memorySize);
      }
      this.memorySize = memorySize;
      return this;
    }

    /**
     * The most copies of an operation's function that run at once; unlimited unless set.
     *
     * <p>A Function URL takes ten times as many requests a second. Zero switches the operation off.
     */
    public Builder reservedConcurrency(Operation operation, int concurrency) {
      if (concurrency < 0) {
        throw new IllegalArgumentException(
            "reservedConcurrency must not be negative: " + concurrency);
      }
      this.reservedConcurrency.put(requireNonNull(operation, "operation"), concurrency);
      return this;
    }

    /**
     * Whether each tracker is held to one copy at a time; it is unless set to false.
     *
     * <p>Reserving needs unreserved concurrency to be left: an account with the lowest limit, 10,
     * has none to give, and deploys only with {@code false}.
     */
    public Builder reserveTrackerConcurrency(boolean reserveTrackerConcurrency) {
      this.reserveTrackerConcurrency = reserveTrackerConcurrency;
      return this;
    }

    /** Whether X-Ray traces the functions; it does not unless set. */
    public Builder tracing(boolean tracing) {
      this.tracing = tracing;
      return this;
    }

    /**
     * The root of GitHub's REST API; {@code https://api.github.com} unless set.
     *
     * <p>{@code https://HOST/api/v3} for GitHub Enterprise Server, {@code https://api.SUB.ghe.com}
     * for data residency. Only {@code https}: App JWTs travel in a header.
     */
    public Builder gitHubApiUrl(String gitHubApiUrl) {
      URI url = URI.create(requireNonNull(gitHubApiUrl, "gitHubApiUrl"));
      if (!"https".equals(url.getScheme())
          || url.getHost() == null
          || url.getRawUserInfo() != null
          || url.getRawQuery() != null
          || url.getRawFragment() != null) {
        throw new IllegalArgumentException(
            "gitHubApiUrl must be https, with a host and at most a port and a path");
      }
      this.gitHubApiUrl = gitHubApiUrl;
      return this;
    }

    /** When the table of installations is brought up to date; every 30 minutes unless set. */
    public Builder installationTrackerSchedule(Schedule installationTrackerSchedule) {
      this.installationTrackerSchedule =
          requireNonNull(installationTrackerSchedule, "installationTrackerSchedule");
      return this;
    }

    /** When GitHub's rate limits are measured; every 10 minutes unless set. */
    public Builder rateLimitTrackerSchedule(Schedule rateLimitTrackerSchedule) {
      this.rateLimitTrackerSchedule =
          requireNonNull(rateLimitTrackerSchedule, "rateLimitTrackerSchedule");
      return this;
    }

    /**
     * Whether GitHub's rate limits are measured at all; they are unless set to false.
     *
     * <p>The metrics are most of the cost where there are many installations.
     */
    public Builder rateLimitTracking(boolean rateLimitTracking) {
      this.rateLimitTracking = rateLimitTracking;
      return this;
    }

    /**
     * The categories of GitHub's {@code GET /rate_limit} that become metrics; core, graphql and
     * search unless set. Each costs five custom metrics an installation.
     */
    public Builder rateLimitCategories(List<String> rateLimitCategories) {
      for (String category : rateLimitCategories) {
        if (!CATEGORY.matcher(category).matches()) {
          throw new IllegalArgumentException(
              "rateLimitCategories takes names like core or code_search: " + category);
        }
      }
      this.rateLimitCategories = List.copyOf(rateLimitCategories);
      return this;
    }

    /**
     * Restricts which caller may vend which App, accounts, repositories and permissions; whoever
     * IAM lets in unless set.
     *
     * <pre>{@code
     * {"statements": [
     *   {"account": "111122223333", "role": "Builder", "appIds": [1001], "nodeIds": ["O_kgDOA"],
     *    "repositoryNames": ["app", "site"], "permissions": {"contents": "read"}}]}
     * }</pre>
     *
     * <p>The server's README says what each member means. All of a function's environment is 4 KB:
     * a policy that does not fit fails at synthesis.
     *
     * @throws IllegalArgumentException saying where it is not as the server reads it
     */
    public Builder callerPolicy(String callerPolicy) {
      this.callerPolicy = CallerPolicy.compact(requireNonNull(callerPolicy, "callerPolicy"));
      return this;
    }

    /**
     * The accounts whose callers are let in besides this one.
     *
     * <p>A grant to an account, or to a role of one, adds that account by itself. Name here those
     * that cannot be told from the grantee, an organization's for example.
     */
    public Builder callerAccounts(List<String> callerAccounts) {
      for (String account : callerAccounts) {
        if (!ACCOUNT.matcher(account).matches()) {
          throw new IllegalArgumentException("callerAccounts takes 12-digit ids: " + account);
        }
      }
      this.callerAccounts = List.copyOf(callerAccounts);
      return this;
    }

    /** The network the functions run in; none unless set. It must lead to GitHub and to AWS. */
    public Builder vpc(IVpc vpc) {
      this.vpc = requireNonNull(vpc, "vpc");
      return this;
    }

    /** The subnets of {@link #vpc}; its private ones unless set. */
    public Builder vpcSubnets(SubnetSelection vpcSubnets) {
      this.vpcSubnets = requireNonNull(vpcSubnets, "vpcSubnets");
      return this;
    }

    /** The security groups in {@link #vpc}; a new one for each function unless set. */
    public Builder securityGroups(List<? extends ISecurityGroup> securityGroups) {
      this.securityGroups = List.copyOf(securityGroups);
      return this;
    }

    /** When alarms go off. */
    public Builder alarmThresholds(AlarmThresholds alarmThresholds) {
      this.alarmThresholds = requireNonNull(alarmThresholds, "alarmThresholds");
      return this;
    }

    /**
     * @throws IllegalArgumentException if subnets or security groups are given without a network,
     *     or if an alarm would take a schedule's interval for silence
     */
    public CredentialManagerProps build() {
      if (vpc == null && (vpcSubnets != null || securityGroups != null)) {
        throw new IllegalArgumentException("vpcSubnets and securityGroups need a vpc");
      }
      requireLonger(
          alarmThresholds.installationTrackerSilence,
          installationTrackerSchedule,
          "installationTrackerSilence");
      if (rateLimitTracking) {
        requireLonger(
            alarmThresholds.rateLimitTrackerSilence,
            rateLimitTrackerSchedule,
            "rateLimitTrackerSilence");
      }
      return new CredentialManagerProps(this);
    }

    private static void requireLonger(Duration silence, Schedule schedule, String name) {
      Matcher rate = RATE.matcher(schedule.getExpressionString());
      if (!rate.matches()) {
        return; // A cron expression: the longest gap cannot be read off it.
      }
      int minutes =
          Integer.parseInt(rate.group(1))
              * switch (rate.group(2)) {
                case "hour" -> 60;
                case "day" -> 24 * 60;
                default -> 1;
              };
      if (silence.toMinutes().intValue() <= minutes) {
        throw new IllegalArgumentException(
            "alarmThresholds: " + name + " must be longer than " + rate.group());
      }
    }
  }
}
