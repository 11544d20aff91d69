package io.github.credentialmanager.server;

import static java.util.Objects.requireNonNull;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import io.github.credentialmanager.server.appcredentials.AppCredentials;
import io.github.credentialmanager.server.apptoken.GetAppToken;
import io.github.credentialmanager.server.audit.ServiceLog;
import io.github.credentialmanager.server.functionurl.EventCheck;
import io.github.credentialmanager.server.functionurl.FunctionUrlHandler;
import io.github.credentialmanager.server.functionurl.Operation;
import io.github.credentialmanager.server.github.GitHubApi;
import io.github.credentialmanager.server.github.RequestBudget;
import io.github.credentialmanager.server.installations.GetInstallationData;
import io.github.credentialmanager.server.installations.GetInstallations;
import io.github.credentialmanager.server.installationtoken.GetInstallationToken;
import io.github.credentialmanager.server.outbound.Retry;
import io.github.credentialmanager.server.ratelimit.RateLimitTracker;
import io.github.credentialmanager.server.refresh.Reconciler;
import io.github.credentialmanager.server.refresh.RefreshCachedData;
import io.github.credentialmanager.server.signing.AppJwtSigner;
import io.github.credentialmanager.server.store.AppTable;
import io.github.credentialmanager.server.store.InstallationTable;
import io.github.credentialmanager.server.store.LeftApps;
import io.github.credentialmanager.server.tracking.FanOut;
import io.github.credentialmanager.server.tracking.TrackerHandler;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import org.crac.Core;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.kms.KmsClient;

/**
 * The five operations and the two trackers over one set of clients.
 *
 * <p>What an environment remembers between requests (key ARNs, App JWTs, installation ids) is
 * remembered here, for all alike.
 *
 * <p>Safe for use by multiple threads.
 */
public final class CredentialManagerServer implements AutoCloseable {
  private final DynamoDbClient dynamoDb;
  private final KmsClient kms;
  private final ExecutorService executor;
  private final Snapshot snapshot;
  private final ExecutorService helpers;
  private final Map<String, RequestStreamHandler> handlers;
  private final RequestStreamHandler installationTracker;
  private final RequestStreamHandler rateLimitTracker;

  /** A server that Lambda does not tell of snapshots. */
  CredentialManagerServer(
      ServerConfiguration configuration, DynamoDbClient dynamoDb, KmsClient kms) {
    this.dynamoDb = dynamoDb;
    this.kms = kms;
    this.executor =
        Executors.newCachedThreadPool(task -> daemon(task, "credential-manager-request"));
    this.helpers =
        Executors.newFixedThreadPool(
            configuration.gitHubConcurrency(), task -> daemon(task, "credential-manager-tracker"));

    InstantSource clock = configuration.clock();
    ServiceLog log = new ServiceLog(configuration.auditLog(), clock);
    AppTable apps = AppTable.dynamoDb(dynamoDb, configuration.appTableName());
    InstallationTable installations =
        InstallationTable.dynamoDb(dynamoDb, configuration.installationTableName());
    GitHubApi gitHub = GitHubApi.over(configuration.gitHubApiUrl(), clock);
    AppCredentials credentials =
        new AppCredentials(apps, AppJwtSigner.kms(kms, clock), gitHub, log, clock);
    GetInstallationToken getInstallationToken =
        new GetInstallationToken(
            credentials, installations, gitHub, configuration.callerPolicy(), log, clock);
    RequestBudget budget =
        new RequestBudget(configuration.gitHubConcurrency(), configuration.gitHubPointsPerMinute());
    FanOut fanOut = new FanOut(helpers, configuration.gitHubConcurrency());
    Reconciler reconciler =
        new Reconciler(
            apps,
            installations,
            LeftApps.dynamoDb(
                dynamoDb, configuration.appTableName(), configuration.installationTableName()),
            credentials,
            gitHub,
            budget,
            fanOut,
            log,
            clock);
    Map<String, Operation> operations =
        Map.of(
            "/tokens/app",
            new GetAppToken(credentials, configuration.callerPolicy()),
            "/tokens/installation",
            getInstallationToken,
            "/installations/refresh",
            new RefreshCachedData(reconciler, clock),
            "/installations/info",
            new GetInstallationData(installations),
            "/installations",
            new GetInstallations(installations));
    this.snapshot =
        new Snapshot(
            List.of(credentials::clear, getInstallationToken::clear),
            () -> Priming.prime(configuration.region(), log),
            gitHub::reconnect);
    EventCheck check =
        new EventCheck(
            configuration.allowedCallerAccounts(),
            configuration.allowedDomainNames(),
            configuration.region().id());
    this.handlers =
        operations.entrySet().stream()
            .collect(
                Collectors.toUnmodifiableMap(
                    Map.Entry::getKey,
                    operation ->
                        new Endpoint(
                            new FunctionUrlHandler(
                                operation.getKey(),
                                operation.getValue(),
                                check,
                                log,
                                executor,
                                configuration.requestTimeout()),
                            snapshot)));
    this.installationTracker =
        new Endpoint(new TrackerHandler("InstallationTracker", reconciler, log), snapshot);
    this.rateLimitTracker =
        new Endpoint(
            new TrackerHandler(
                "RateLimitTracker",
                new RateLimitTracker(
                    apps,
                    installations,
                    credentials,
                    gitHub,
                    budget,
                    fanOut,
                    configuration.rateLimitCategories(),
                    log,
                    clock,
                    Retry.Sleeper.real()),
                log),
            snapshot);
  }

  private static Thread daemon(Runnable task, String name) {
    Thread thread = new Thread(task, name);
    thread.setDaemon(true);
    return thread;
  }

  /** A server as configured. Opens no connection before the first request. */
  public static CredentialManagerServer create(ServerConfiguration configuration) {
    requireNonNull(configuration, "configuration");
    CredentialManagerServer server =
        new CredentialManagerServer(
            configuration, AwsClients.dynamoDb(configuration), AwsClients.kms(configuration));
    Core.getGlobalContext().register(server.snapshot);
    return server;
  }

  /**
   * The handlers by path: {@code /tokens/app}, {@code /tokens/installation}, {@code
   * /installations/refresh}, {@code /installations/info} and {@code /installations}.
   *
   * <p>Each reads one Function URL event (payload format 2.0) and writes one response in the same
   * format.
   */
  public Map<String, RequestStreamHandler> handlers() {
    return handlers;
  }

  /**
   * The handler of one path.
   *
   * @throws IllegalArgumentException if there is no operation at that path
   */
  public RequestStreamHandler handler(String path) {
    RequestStreamHandler handler = handlers.get(path);
    if (handler == null) {
      throw new IllegalArgumentException("no operation at " + path);
    }
    return handler;
  }

  Snapshot snapshot() {
    return snapshot;
  }

  /**
   * Brings the Installation table up to date, whatever the event.
   *
   * <p>It throws if nothing could be done for any App, and else writes a JSON object that says what
   * became of each.
   */
  public RequestStreamHandler installationTracker() {
    return installationTracker;
  }

  /** Measures GitHub's rate limits, whatever the event; ends like the installation tracker. */
  public RequestStreamHandler rateLimitTracker() {
    return rateLimitTracker;
  }

  /** Ends what is running and lets go of the AWS clients. */
  @Override
  public void close() {
    helpers.shutdownNow();
    executor.shutdownNow();
    kms.close();
    dynamoDb.close();
  }

  /**
   * @param snapshot held here, because Lambda holds it weakly: it must live as long as the handler
   */
  private record Endpoint(RequestStreamHandler handler, Snapshot snapshot)
      implements RequestStreamHandler {
    @Override
    public void handleRequest(InputStream event, OutputStream response, Context context)
        throws IOException {
      handler.handleRequest(event, response, context);
    }
  }
}
