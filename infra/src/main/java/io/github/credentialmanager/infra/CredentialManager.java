package io.github.credentialmanager.infra;

import static java.util.Objects.requireNonNull;

import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import software.amazon.awscdk.ArnComponents;
import software.amazon.awscdk.ArnFormat;
import software.amazon.awscdk.Aws;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.NestedStack;
import software.amazon.awscdk.NestedStackProps;
import software.amazon.awscdk.TagProps;
import software.amazon.awscdk.Tags;
import software.amazon.awscdk.Token;
import software.amazon.awscdk.services.cloudwatch.Alarm;
import software.amazon.awscdk.services.cloudwatch.Dashboard;
import software.amazon.awscdk.services.dynamodb.Attribute;
import software.amazon.awscdk.services.dynamodb.AttributeType;
import software.amazon.awscdk.services.dynamodb.BillingMode;
import software.amazon.awscdk.services.dynamodb.GlobalSecondaryIndexProps;
import software.amazon.awscdk.services.dynamodb.ITable;
import software.amazon.awscdk.services.dynamodb.PointInTimeRecoverySpecification;
import software.amazon.awscdk.services.dynamodb.Table;
import software.amazon.awscdk.services.dynamodb.TableEncryption;
import software.amazon.awscdk.services.events.Rule;
import software.amazon.awscdk.services.events.Schedule;
import software.amazon.awscdk.services.events.targets.LambdaFunction;
import software.amazon.awscdk.services.iam.Grant;
import software.amazon.awscdk.services.iam.IGrantable;
import software.amazon.awscdk.services.iam.PolicyStatement;
import software.amazon.awscdk.services.iam.ServicePrincipal;
import software.amazon.awscdk.services.lambda.CfnEventInvokeConfig;
import software.amazon.awscdk.services.lambda.CfnEventInvokeConfig.DestinationConfigProperty;
import software.amazon.awscdk.services.lambda.CfnEventInvokeConfig.OnFailureProperty;
import software.amazon.awscdk.services.lambda.Code;
import software.amazon.awscdk.services.lambda.Function;
import software.amazon.awscdk.services.lambda.FunctionUrl;
import software.amazon.awscdk.services.lambda.FunctionUrlAuthType;
import software.amazon.awscdk.services.lambda.FunctionUrlOptions;
import software.amazon.awscdk.services.sns.ITopic;
import software.amazon.awscdk.services.sqs.Queue;
import software.constructs.Construct;

/**
 * The GitHub App Credential Manager as a nested stack: two tables, five operations behind Function
 * URLs that IAM guards, and two schedules.
 *
 * <pre>{@code
 * CredentialManager credentials = new CredentialManager(this, "CredentialManager");
 * credentials.environmentFor(myFunction);
 * credentials.addAlarms(myTopic);
 * }</pre>
 *
 * <p>Nothing may call an operation until it is granted. A grant covers the operation's Function URL
 * and not Lambda's Invoke API, because the caller's identity that the server trusts is put into the
 * event by the Function URL.
 *
 * <p>No resource has a fixed name, so an account and region can hold several.
 */
public final class CredentialManager extends NestedStack {
  /** The tag that marks what belongs to a Credential Manager; KMS keys carry it as "true". */
  static final String MANAGED_TAG = "FrameworkForGitHubAppOnAwsManaged";

  /** The tag that tells tables and endpoints apart. */
  private static final String KIND_TAG = "CredentialManager";

  private static final Pattern ACCOUNT_OF_ARN =
      Pattern.compile("(?:^|:(?:iam|sts)::)(\\d{12})(?::|$)");

  private final CredentialManagerProps props;
  private final ITable appTable;
  private final ITable installationTable;
  private final Map<Operation, Endpoint> endpoints = new EnumMap<>(Operation.class);
  private final ServerFunction installationTracker;
  private final ServerFunction rateLimitTracker;
  private final Queue failedRuns;
  private final Monitoring monitoring;

  private record Endpoint(ServerFunction function, FunctionUrl url, Set<String> callerAccounts) {}

  public CredentialManager(Construct scope, String id) {
    this(scope, id, CredentialManagerProps.builder().build());
  }

  public CredentialManager(Construct scope, String id, CredentialManagerProps props) {
    super(
        scope, id, NestedStackProps.builder().description("GitHub App Credential Manager").build());
    this.props = requireNonNull(props, "props");
    Tags.of(this).add(MANAGED_TAG, "CredentialManager");
    letLogsUseKey();
    appTable = props.appTable != null ? props.appTable : newAppTable();
    installationTable =
        props.installationTable != null ? props.installationTable : newInstallationTable();

    Code code = FunctionCode.stage();
    for (Operation operation : Operation.values()) {
      endpoints.put(operation, newEndpoint(operation, code));
    }
    failedRuns = newQueueOfFailedRuns();
    installationTracker =
        newTracker(
            "InstallationTracker",
            "refresh.InstallationTrackerHandler",
            "Brings the table of GitHub App installations up to date",
            props.installationTrackerSchedule,
            true,
            Map.of(),
            code);
    rateLimitTracker =
        newTracker(
            "RateLimitTracker",
            "ratelimit.RateLimitTrackerHandler",
            "Measures GitHub's rate limits",
            props.rateLimitTrackerSchedule,
            props.rateLimitTracking,
            Map.of("RATE_LIMIT_CATEGORIES", String.join(",", props.rateLimitCategories)),
            code);
    Map<Operation, ServerFunction> functions = new EnumMap<>(Operation.class);
    endpoints.forEach((operation, endpoint) -> functions.put(operation, endpoint.function()));
    new FunctionPermissions(this, appTable, installationTable)
        .allow(functions, installationTracker, rateLimitTracker);
    monitoring =
        new Monitoring(
            this, props, functions, installationTracker, rateLimitTracker, failedRuns, appTable);
  }

  // ---- What callers use

  /** Lets a principal vend App tokens. */
  public Grant grantGetAppToken(IGrantable grantee) {
    return grant(Operation.GET_APP_TOKEN, grantee);
  }

  /** Lets a principal vend installation tokens. */
  public Grant grantGetInstallationAccessToken(IGrantable grantee) {
    return grant(Operation.GET_INSTALLATION_TOKEN, grantee);
  }

  /** Lets a principal bring the table of installations up to date. */
  public Grant grantRefreshCachedData(IGrantable grantee) {
    return grant(Operation.REFRESH_CACHED_DATA, grantee);
  }

  /** Lets a principal read the installations of an account. */
  public Grant grantGetInstallationRecord(IGrantable grantee) {
    return grant(Operation.GET_INSTALLATION_DATA, grantee);
  }

  /** Lets a principal read all installations. */
  public Grant grantGetInstallations(IGrantable grantee) {
    return grant(Operation.GET_INSTALLATIONS, grantee);
  }

  /**
   * Lets a function use operations, and tells the SDK inside it where they are.
   *
   * <p>The function may be of another stack of the same account and region. To one of elsewhere the
   * AWS CDK cannot hand the addresses: grant its role by ARN and set the variables there.
   *
   * @param function gets the grants and, in its environment, the endpoints' addresses
   * @param operations what it may use; vending installation tokens if none is named
   * @return the variables that were set
   */
  public Map<String, String> environmentFor(Function function, Operation... operations) {
    requireNonNull(function, "function");
    List<Operation> granted =
        operations.length == 0 ? List.of(Operation.GET_INSTALLATION_TOKEN) : List.of(operations);
    Map<String, String> environment = new LinkedHashMap<>();
    for (Operation operation : granted) {
      grant(operation, function);
      environment.put(operation.environmentVariable(), endpoint(operation));
    }
    environment.put("GITHUB_API_URL", props.gitHubApiUrl);
    environment.forEach(function::addEnvironment);
    return Map.copyOf(environment);
  }

  /**
   * Adds the alarms, which tell a topic when they go off and when all is well again.
   *
   * <p>CloudWatch is let in to the topic. A topic that was imported, or is encrypted, needs that
   * from its owner.
   */
  public List<Alarm> addAlarms(ITopic topic) {
    topic.addToResourcePolicy(
        PolicyStatement.Builder.create()
            .sid("AlarmsOf" + getNode().getAddr())
            .principals(List.of(new ServicePrincipal("cloudwatch.amazonaws.com")))
            .actions(List.of("sns:Publish"))
            .resources(List.of(topic.getTopicArn()))
            .conditions(Map.of("StringEquals", Map.of("aws:SourceAccount", getAccount())))
            .build());
    return monitoring.addAlarms(topic);
  }

  /**
   * Adds a dashboard: vends, latency, refusals and errors, cache hits, the schedules, and GitHub's
   * rate limits for each installation.
   */
  public Dashboard addDashboard() {
    return monitoring.addDashboard();
  }

  /**
   * Adds a dashboard of GitHub's rate limits with an alarm of its own, which tells nobody.
   *
   * @param limit the percentage left at which the alarm goes off
   */
  public Dashboard rateLimitDashboard(int limit) {
    if (limit < 0 || limit > 100) {
      throw new IllegalArgumentException("limit must be a percentage: " + limit);
    }
    return monitoring.addRateLimitDashboard(limit);
  }

  /** The table of Apps: which KMS key signs for which App. */
  public ITable getAppTable() {
    return appTable;
  }

  /** The table of installations. */
  public ITable getInstallationTable() {
    return installationTable;
  }

  /** Where App tokens are vended: an https address that ends with a slash. */
  public String getAppTokenEndpoint() {
    return endpoint(Operation.GET_APP_TOKEN);
  }

  /** The ARN, alias included, that a policy has to name for {@link #getAppTokenEndpoint}. */
  public String getAppTokenLambdaArn() {
    return functionArn(Operation.GET_APP_TOKEN);
  }

  /** Where installation tokens are vended: an https address that ends with a slash. */
  public String getInstallationAccessTokenEndpoint() {
    return endpoint(Operation.GET_INSTALLATION_TOKEN);
  }

  /** The ARN, alias included, for {@link #getInstallationAccessTokenEndpoint}. */
  public String getInstallationAccessLambdaArn() {
    return functionArn(Operation.GET_INSTALLATION_TOKEN);
  }

  /** Where the table of installations is refreshed: an https address that ends with a slash. */
  public String getRefreshCachedDataEndpoint() {
    return endpoint(Operation.REFRESH_CACHED_DATA);
  }

  /** The ARN, alias included, for {@link #getRefreshCachedDataEndpoint}. */
  public String getRefreshCachedDataLambdaArn() {
    return functionArn(Operation.REFRESH_CACHED_DATA);
  }

  /** Where an account's installations are read: an https address that ends with a slash. */
  public String getInstallationRecordEndpoint() {
    return endpoint(Operation.GET_INSTALLATION_DATA);
  }

  /** The ARN, alias included, for {@link #getInstallationRecordEndpoint}. */
  public String getInstallationRecordLambdaArn() {
    return functionArn(Operation.GET_INSTALLATION_DATA);
  }

  /** Where all installations are read: an https address that ends with a slash. */
  public String getInstallationsEndpoint() {
    return endpoint(Operation.GET_INSTALLATIONS);
  }

  /** The ARN, alias included, for {@link #getInstallationsEndpoint}. */
  public String getInstallationsLambdaArn() {
    return functionArn(Operation.GET_INSTALLATIONS);
  }

  private String endpoint(Operation operation) {
    return of(operation).url().getUrl();
  }

  private String functionArn(Operation operation) {
    return of(operation).function().alias.getFunctionArn();
  }

  private Endpoint of(Operation operation) {
    return requireNonNull(endpoints.get(operation));
  }

  /**
   * Adds the two statements that a Function URL asks for (AWS Lambda, "Control access to Lambda
   * function URLs"), on the alias; for a foreign account in the alias's own policy as well.
   */
  private Grant grant(Operation operation, IGrantable grantee) {
    letIn(accountsOf(grantee), of(operation));
    return of(operation).url().grantInvokeUrl(grantee);
  }

  private static Set<String> accountsOf(IGrantable grantee) {
    Set<String> accounts = new TreeSet<>();
    // A principal that is an account says so here; its ARN is a token until the synthesis.
    String account = grantee.getGrantPrincipal().getPrincipalAccount();
    if (account != null && !Token.isUnresolved(account)) {
      accounts.add(account);
    }
    grantee.getGrantPrincipal().getPolicyFragment().getPrincipalJson().values().stream()
        .flatMap(List::stream)
        .map(ACCOUNT_OF_ARN::matcher)
        .filter(Matcher::find)
        .forEach(matcher -> accounts.add(matcher.group(1)));
    return accounts;
  }

  /** The server lets in foreign callers only from the accounts it is told. */
  private static void letIn(Set<String> accounts, Endpoint endpoint) {
    if (endpoint.callerAccounts().addAll(accounts)) {
      endpoint
          .function()
          .addEnvironment("ALLOWED_CALLER_ACCOUNTS", String.join(",", endpoint.callerAccounts()));
    }
  }

  // ---- Tables

  private Table newAppTable() {
    // The identifiers of tables and indexes are those of the TypeScript construct, so that its
    // stacks can be updated to this one with their tables in place.
    Table table =
        newTable("AppTable").partitionKey(attribute("AppId", AttributeType.NUMBER)).build();
    Tags.of(table).add(KIND_TAG, "AppTable");
    return table;
  }

  private Table newInstallationTable() {
    Table table =
        newTable("AppInstallationTable")
            .partitionKey(attribute("AppId", AttributeType.NUMBER))
            .sortKey(attribute("NodeId", AttributeType.STRING))
            .build();
    table.addGlobalSecondaryIndex(
        GlobalSecondaryIndexProps.builder()
            .indexName("NodeID")
            .partitionKey(attribute("NodeId", AttributeType.STRING))
            .sortKey(attribute("AppId", AttributeType.NUMBER))
            .build());
    table.addGlobalSecondaryIndex(
        GlobalSecondaryIndexProps.builder()
            .indexName("InstallationID")
            .partitionKey(attribute("InstallationId", AttributeType.NUMBER))
            .sortKey(attribute("AppId", AttributeType.NUMBER))
            .build());
    Tags.of(table).add(KIND_TAG, "AppInstallationTable");
    return table;
  }

  private Table.Builder newTable(String id) {
    return Table.Builder.create(this, id)
        .billingMode(BillingMode.PAY_PER_REQUEST)
        .encryption(
            props.tableEncryptionKey == null
                ? TableEncryption.AWS_MANAGED
                : TableEncryption.CUSTOMER_MANAGED)
        .encryptionKey(props.tableEncryptionKey)
        .pointInTimeRecoverySpecification(
            PointInTimeRecoverySpecification.builder()
                .pointInTimeRecoveryEnabled(props.pointInTimeRecovery)
                .build())
        .deletionProtection(props.tableDeletionProtection)
        .removalPolicy(props.tableRemovalPolicy);
  }

  private static Attribute attribute(String name, AttributeType type) {
    return Attribute.builder().name(name).type(type).build();
  }

  // ---- Functions

  private Endpoint newEndpoint(Operation operation, Code code) {
    Map<String, String> environment = new LinkedHashMap<>(tables());
    if (operation.asksGitHub()) {
      environment.putAll(gitHub());
    }
    if (operation.vends() && props.callerPolicy != null) {
      environment.put("CALLER_POLICY", props.callerPolicy);
    }
    ServerFunction function =
        new ServerFunction(
            this,
            operation.constructId(),
            operation.handler(),
            "GitHub App Credential Manager: " + operation.constructId(),
            // The server answers within 10 seconds; the rest is for starting without a snapshot.
            Duration.seconds(20),
            props.reservedConcurrency.get(operation),
            environment,
            code,
            props);
    Tags.of(function.function)
        .add(
            KIND_TAG,
            operation.endpointTag(),
            TagProps.builder().includeResourceTypes(List.of("AWS::Lambda::Function")).build());
    FunctionUrl url =
        function.alias.addFunctionUrl(
            FunctionUrlOptions.builder().authType(FunctionUrlAuthType.AWS_IAM).build());
    Endpoint endpoint = new Endpoint(function, url, new TreeSet<>());
    letIn(Set.copyOf(props.callerAccounts), endpoint);
    return endpoint;
  }

  private ServerFunction newTracker(
      String id,
      String handler,
      String description,
      Schedule schedule,
      boolean enabled,
      Map<String, String> ownEnvironment,
      Code code) {
    Map<String, String> environment = new LinkedHashMap<>(tables());
    environment.putAll(gitHub());
    environment.putAll(ownEnvironment);
    ServerFunction tracker =
        new ServerFunction(
            this,
            id,
            handler,
            "GitHub App Credential Manager: " + description,
            Duration.minutes(5),
            props.reserveTrackerConcurrency ? 1 : null,
            environment,
            code,
            props);
    // EventBridge invokes asynchronously. Unless told otherwise, Lambda repeats a failed run twice
    // and a throttled one for six hours: runs would pile up behind the next ones.
    Duration stale = Duration.minutes(10);
    tracker.allow(
        "ReportFailedRuns", List.of("sqs:SendMessage"), List.of(failedRuns.getQueueArn()));
    CfnEventInvokeConfig.Builder.create(tracker, "AsyncInvoke")
        .functionName(tracker.function.getFunctionName())
        .qualifier(tracker.alias.getAliasName())
        .maximumRetryAttempts(1)
        .maximumEventAgeInSeconds(stale.toSeconds())
        .destinationConfig(
            DestinationConfigProperty.builder()
                .onFailure(
                    OnFailureProperty.builder().destination(failedRuns.getQueueArn()).build())
                .build())
        .build();
    Rule.Builder.create(tracker, "Schedule")
        .schedule(schedule)
        .enabled(enabled)
        .targets(
            List.of(
                LambdaFunction.Builder.create(tracker.alias)
                    .retryAttempts(1)
                    .maxEventAge(stale)
                    .deadLetterQueue(failedRuns)
                    .build()))
        .build();
    return tracker;
  }

  /** The server asks for both names, whichever table a function may use. */
  private Map<String, String> tables() {
    return Map.of(
        "APP_TABLE_NAME", appTable.getTableName(),
        "INSTALLATION_TABLE_NAME", installationTable.getTableName());
  }

  private Map<String, String> gitHub() {
    return Map.of("GITHUB_API_URL", props.gitHubApiUrl);
  }

  private Queue newQueueOfFailedRuns() {
    Queue queue =
        Queue.Builder.create(this, "FailedRuns")
            .retentionPeriod(Duration.days(14))
            .enforceSsl(true)
            .build();
    ExplainedFindings.on(
        queue, "AwsSolutions-SQS3", "This is the dead-letter queue of the scheduled functions.");
    return queue;
  }

  /** CloudWatch Logs' documentation, "Encrypt log data in CloudWatch Logs using AWS KMS". */
  private void letLogsUseKey() {
    if (props.logEncryptionKey == null) {
      return;
    }
    props.logEncryptionKey.addToResourcePolicy(
        PolicyStatement.Builder.create()
            .sid("EncryptLogs")
            .principals(List.of(new ServicePrincipal("logs." + Aws.REGION + "." + Aws.URL_SUFFIX)))
            .actions(
                List.of(
                    "kms:Encrypt",
                    "kms:Decrypt",
                    "kms:ReEncryptFrom",
                    "kms:ReEncryptTo",
                    "kms:GenerateDataKey",
                    "kms:GenerateDataKeyWithoutPlaintext",
                    "kms:DescribeKey"))
            .resources(List.of("*"))
            .conditions(
                Map.of(
                    "ArnLike",
                    Map.of(
                        "kms:EncryptionContext:aws:logs:arn",
                        formatArn(
                            ArnComponents.builder()
                                .service("logs")
                                .resource("log-group")
                                .resourceName("*")
                                .arnFormat(ArnFormat.COLON_RESOURCE_NAME)
                                .build()))))
            .build());
  }
}
