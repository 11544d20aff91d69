package io.github.credentialmanager.server;

import static java.util.Objects.requireNonNull;

import io.github.credentialmanager.server.callerpolicy.CallerPolicy;
import io.github.credentialmanager.server.ratelimit.RateLimitTracker;
import java.net.URI;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.regions.Region;

/**
 * What one environment of the service is told: tables, endpoints, credentials, clock.
 *
 * <p>Immutable, and free of secrets: credentials are asked of their provider when a call is made.
 */
public final class ServerConfiguration {
  private static final Duration LONGEST_REQUEST = Duration.ofSeconds(10);
  private static final Pattern LOOPBACK =
      Pattern.compile("localhost|127(\\.[0-9]{1,3}){3}|\\[::1]");
  private static final int MOST_AT_A_TIME = 100; // GitHub's secondary rate limit.

  private final String appTableName;
  private final String installationTableName;
  private final URI gitHubApiUrl;
  private final Region region;
  private final AwsCredentialsProvider credentialsProvider;
  private final @Nullable URI kmsEndpoint;
  private final @Nullable URI dynamoDbEndpoint;
  private final Set<String> allowedCallerAccounts;
  private final Set<String> allowedDomainNames;
  private final CallerPolicy callerPolicy;
  private final Duration requestTimeout;
  private final int gitHubConcurrency;
  private final int gitHubPointsPerMinute;
  private final List<String> rateLimitCategories;
  private final InstantSource clock;
  private final Consumer<String> auditLog;

  private ServerConfiguration(Builder builder) {
    List<String> missing = new ArrayList<>();
    if (builder.appTableName == null) {
      missing.add("APP_TABLE_NAME (appTableName)");
    }
    if (builder.installationTableName == null) {
      missing.add("INSTALLATION_TABLE_NAME (installationTableName)");
    }
    if (builder.region == null) {
      missing.add("AWS_REGION (region)");
    }
    if (builder.appTableName == null
        || builder.installationTableName == null
        || builder.region == null) {
      throw new IllegalArgumentException(
          "The server's configuration is incomplete. Set " + String.join(", ", missing) + ".");
    }
    this.appTableName = builder.appTableName;
    this.installationTableName = builder.installationTableName;
    this.gitHubApiUrl = builder.gitHubApiUrl;
    this.region = builder.region;
    this.credentialsProvider =
        builder.credentialsProvider != null
            ? builder.credentialsProvider
            : DefaultCredentialsProvider.builder().build();
    this.kmsEndpoint = builder.kmsEndpoint;
    this.dynamoDbEndpoint = builder.dynamoDbEndpoint;
    this.allowedCallerAccounts = builder.allowedCallerAccounts;
    this.allowedDomainNames = builder.allowedDomainNames;
    this.callerPolicy = builder.callerPolicy;
    this.requestTimeout = builder.requestTimeout;
    this.gitHubConcurrency = builder.gitHubConcurrency;
    this.gitHubPointsPerMinute = builder.gitHubPointsPerMinute;
    this.rateLimitCategories = builder.rateLimitCategories;
    this.clock = builder.clock;
    this.auditLog = builder.auditLog;
  }

  public static Builder builder() {
    return new Builder();
  }

  /**
   * The configuration that a Lambda environment spells in variables.
   *
   * <p>Read are {@code APP_TABLE_NAME}, {@code INSTALLATION_TABLE_NAME}, {@code AWS_REGION} (all
   * required), {@code GITHUB_API_URL}, {@code AWS_ENDPOINT_URL_KMS}, {@code
   * AWS_ENDPOINT_URL_DYNAMODB}, {@code AWS_ENDPOINT_URL}, {@code CALLER_POLICY}, {@code
   * ALLOWED_CALLER_ACCOUNTS} and {@code ALLOWED_DOMAIN_NAMES} (both separated by commas); for the
   * trackers {@code GITHUB_CONCURRENCY}, {@code GITHUB_POINTS_PER_MINUTE} and {@code
   * RATE_LIMIT_CATEGORIES} (separated by commas). AWS credentials come from the SDK's default
   * chain.
   *
   * @throws IllegalArgumentException naming every variable that is missing or wrong
   */
  public static ServerConfiguration fromEnvironment(Map<String, String> environment) {
    Builder builder = builder();
    value(environment, "APP_TABLE_NAME").ifPresent(builder::appTableName);
    value(environment, "INSTALLATION_TABLE_NAME").ifPresent(builder::installationTableName);
    value(environment, "AWS_REGION").map(Region::of).ifPresent(builder::region);
    value(environment, "GITHUB_API_URL").map(URI::create).ifPresent(builder::gitHubApiUrl);
    value(environment, "AWS_ENDPOINT_URL_KMS")
        .or(() -> value(environment, "AWS_ENDPOINT_URL"))
        .map(URI::create)
        .ifPresent(builder::kmsEndpoint);
    value(environment, "AWS_ENDPOINT_URL_DYNAMODB")
        .or(() -> value(environment, "AWS_ENDPOINT_URL"))
        .map(URI::create)
        .ifPresent(builder::dynamoDbEndpoint);
    value(environment, "ALLOWED_CALLER_ACCOUNTS")
        .map(ServerConfiguration::list)
        .ifPresent(builder::allowedCallerAccounts);
    value(environment, "ALLOWED_DOMAIN_NAMES")
        .map(ServerConfiguration::list)
        .ifPresent(builder::allowedDomainNames);
    value(environment, "CALLER_POLICY").ifPresent(builder::callerPolicy);
    integer(environment, "GITHUB_CONCURRENCY").ifPresent(builder::gitHubConcurrency);
    integer(environment, "GITHUB_POINTS_PER_MINUTE").ifPresent(builder::gitHubPointsPerMinute);
    value(environment, "RATE_LIMIT_CATEGORIES")
        .map(ServerConfiguration::list)
        .ifPresent(builder::rateLimitCategories);
    return builder.build();
  }

  private static Optional<Integer> integer(Map<String, String> environment, String name) {
    try {
      return value(environment, name).map(Integer::valueOf);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(name + " must be a whole number.", e);
    }
  }

  private static Optional<String> value(Map<String, String> environment, String name) {
    return Optional.ofNullable(environment.get(name))
        .map(String::strip)
        .filter(value -> !value.isEmpty());
  }

  private static Set<String> list(String commaSeparated) {
    return Arrays.stream(commaSeparated.split(",", -1))
        .map(String::strip)
        .filter(item -> !item.isEmpty())
        .collect(Collectors.toUnmodifiableSet());
  }

  String appTableName() {
    return appTableName;
  }

  String installationTableName() {
    return installationTableName;
  }

  URI gitHubApiUrl() {
    return gitHubApiUrl;
  }

  Region region() {
    return region;
  }

  AwsCredentialsProvider credentialsProvider() {
    return credentialsProvider;
  }

  @Nullable URI kmsEndpoint() {
    return kmsEndpoint;
  }

  @Nullable URI dynamoDbEndpoint() {
    return dynamoDbEndpoint;
  }

  Set<String> allowedCallerAccounts() {
    return allowedCallerAccounts;
  }

  Set<String> allowedDomainNames() {
    return allowedDomainNames;
  }

  CallerPolicy callerPolicy() {
    return callerPolicy;
  }

  Duration requestTimeout() {
    return requestTimeout;
  }

  int gitHubConcurrency() {
    return gitHubConcurrency;
  }

  int gitHubPointsPerMinute() {
    return gitHubPointsPerMinute;
  }

  List<String> rateLimitCategories() {
    return rateLimitCategories;
  }

  InstantSource clock() {
    return clock;
  }

  Consumer<String> auditLog() {
    return auditLog;
  }

  /** Collects the settings of a {@link ServerConfiguration}. */
  public static final class Builder {
    private @Nullable String appTableName;
    private @Nullable String installationTableName;
    private URI gitHubApiUrl = URI.create("https://api.github.com");
    private @Nullable Region region;
    private @Nullable AwsCredentialsProvider credentialsProvider;
    private @Nullable URI kmsEndpoint;
    private @Nullable URI dynamoDbEndpoint;
    private Set<String> allowedCallerAccounts = Set.of();
    private Set<String> allowedDomainNames = Set.of();
    private CallerPolicy callerPolicy = CallerPolicy.none();
    private Duration requestTimeout = LONGEST_REQUEST;
    private int gitHubConcurrency = 20;
    private int gitHubPointsPerMinute = 900;
    private List<String> rateLimitCategories = List.of("core", "graphql", "search");
    private InstantSource clock = InstantSource.system();
    private Consumer<String> auditLog = System.out::println;

    private Builder() {}

    /** The table that maps an App to its KMS key. Required. */
    public Builder appTableName(String appTableName) {
      this.appTableName = requireNonNull(appTableName, "appTableName");
      return this;
    }

    /** The table of installations. Required. */
    public Builder installationTableName(String installationTableName) {
      this.installationTableName = requireNonNull(installationTableName, "installationTableName");
      return this;
    }

    /**
     * The root of GitHub's REST API; {@code https://api.github.com} unless set.
     *
     * <p>{@code https://HOST/api/v3} for GitHub Enterprise Server, {@code https://api.SUB.ghe.com}
     * for data residency. Plain {@code http} is taken for loopback addresses only, because App JWTs
     * travel in a header.
     */
    public Builder gitHubApiUrl(URI gitHubApiUrl) {
      this.gitHubApiUrl = requireApiRoot(requireNonNull(gitHubApiUrl, "gitHubApiUrl"));
      return this;
    }

    private static URI requireApiRoot(URI url) {
      String host = url.getHost();
      boolean loopback = host != null && LOOPBACK.matcher(host).matches();
      boolean secure = "https".equals(url.getScheme());
      if (host == null || !(secure || (loopback && "http".equals(url.getScheme())))) {
        throw new IllegalArgumentException(
            "GITHUB_API_URL must be an https URL (http only for loopback): " + url);
      }
      if (url.getRawUserInfo() != null
          || url.getRawQuery() != null
          || url.getRawFragment() != null) {
        throw new IllegalArgumentException(
            "GITHUB_API_URL takes a scheme, host, port and path, nothing more.");
      }
      return url;
    }

    /** The region of the tables and keys, and of the Function URLs. Required. */
    public Builder region(Region region) {
      this.region = requireNonNull(region, "region");
      return this;
    }

    /** Where AWS credentials come from; the SDK's default chain unless set. */
    public Builder credentialsProvider(AwsCredentialsProvider credentialsProvider) {
      this.credentialsProvider = requireNonNull(credentialsProvider, "credentialsProvider");
      return this;
    }

    /** Where KMS answers; the region's endpoint unless set. */
    public Builder kmsEndpoint(URI kmsEndpoint) {
      this.kmsEndpoint = requireNonNull(kmsEndpoint, "kmsEndpoint");
      return this;
    }

    /** Where DynamoDB answers; the region's endpoint unless set. */
    public Builder dynamoDbEndpoint(URI dynamoDbEndpoint) {
      this.dynamoDbEndpoint = requireNonNull(dynamoDbEndpoint, "dynamoDbEndpoint");
      return this;
    }

    /**
     * The accounts whose callers are let in besides the account that owns the function.
     *
     * <p>IAM has decided before the event arrives. This is the second lock, for a resource policy
     * that grants more than was meant.
     */
    public Builder allowedCallerAccounts(Set<String> allowedCallerAccounts) {
      this.allowedCallerAccounts = Set.copyOf(allowedCallerAccounts);
      return this;
    }

    /**
     * The host names events may come from; any {@code *.lambda-url.REGION.on.aws} of the configured
     * region unless set.
     */
    public Builder allowedDomainNames(Set<String> allowedDomainNames) {
      this.allowedDomainNames = Set.copyOf(allowedDomainNames);
      return this;
    }

    /**
     * Which callers may have which tokens, as JSON; whoever IAM lets in, unless set.
     *
     * @throws IllegalArgumentException saying where the policy is wrong
     */
    public Builder callerPolicy(String json) {
      this.callerPolicy = CallerPolicy.parse(requireNonNull(json, "json"));
      return this;
    }

    /** How long one request may take, at most (and by default) 10 seconds. */
    public Builder requestTimeout(Duration requestTimeout) {
      if (requestTimeout.isNegative()
          || requestTimeout.isZero()
          || requestTimeout.compareTo(LONGEST_REQUEST) > 0) {
        throw new IllegalArgumentException(
            "requestTimeout must be positive and at most " + LONGEST_REQUEST);
      }
      this.requestTimeout = requestTimeout;
      return this;
    }

    /** How many calls of GitHub the trackers make at a time, 1 to 100; 20 unless set. */
    public Builder gitHubConcurrency(int gitHubConcurrency) {
      if (gitHubConcurrency < 1 || gitHubConcurrency > MOST_AT_A_TIME) {
        throw new IllegalArgumentException(
            "GITHUB_CONCURRENCY (gitHubConcurrency) must be 1 to " + MOST_AT_A_TIME + ".");
      }
      this.gitHubConcurrency = gitHubConcurrency;
      return this;
    }

    /**
     * How many points of GitHub's secondary rate limit the trackers use up for each App within any
     * minute, at least 11, which is what measuring one installation takes; 900 unless set, which is
     * what GitHub allows. The tokens that callers ask for come on top.
     */
    public Builder gitHubPointsPerMinute(int gitHubPointsPerMinute) {
      if (gitHubPointsPerMinute < RateLimitTracker.POINTS) {
        throw new IllegalArgumentException(
            "GITHUB_POINTS_PER_MINUTE (gitHubPointsPerMinute) must be at least "
                + RateLimitTracker.POINTS
                + ".");
      }
      this.gitHubPointsPerMinute = gitHubPointsPerMinute;
      return this;
    }

    /**
     * The categories of GitHub's {@code GET /rate_limit} that become metrics; {@code core}, {@code
     * graphql} and {@code search} unless set. Each costs five custom metrics an installation.
     */
    public Builder rateLimitCategories(Collection<String> rateLimitCategories) {
      this.rateLimitCategories = rateLimitCategories.stream().distinct().sorted().toList();
      return this;
    }

    /** The wall clock. */
    public Builder clock(InstantSource clock) {
      this.clock = requireNonNull(clock, "clock");
      return this;
    }

    /**
     * Where log lines go, one JSON object each, audit lines among them; standard output unless set.
     *
     * <p>Called by several threads. A vend fails if the sink throws: no token without its line.
     */
    public Builder auditLog(Consumer<String> auditLog) {
      this.auditLog = requireNonNull(auditLog, "auditLog");
      return this;
    }

    /**
     * @throws IllegalArgumentException naming every required setting that is missing
     */
    public ServerConfiguration build() {
      return new ServerConfiguration(this);
    }
  }
}
