package io.github.credentialmanager.local;

import static java.util.Objects.requireNonNull;

import io.github.credentialmanager.local.Identities.Identity;
import io.github.credentialmanager.ops.KeyManager;
import io.github.credentialmanager.ops.PrivateKeyPem;
import io.github.credentialmanager.sdk.CredentialManagerClient;
import io.github.credentialmanager.server.CredentialManagerServer;
import io.github.credentialmanager.server.ServerConfiguration;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PublicKey;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.kms.KmsClient;

/**
 * The whole Credential Manager on one machine: the real handlers behind a front that verifies
 * signatures and asks IAM as Function URLs do, with a KMS that really signs, DynamoDB Local and a
 * double of GitHub.
 *
 * <pre>{@code
 * try (LocalCredentialManager stack = LocalCredentialManager.start();
 *     CredentialManagerClient client = stack.newClient()) {
 *   GitHubDouble.Account acme = stack.gitHub().organization("acme");
 *   acme.addRepository("rocket");
 *   stack.registerApp(42).install(acme);
 *   AccessToken token = client.getInstallationToken(42, acme.nodeId());
 *   // stack.gitHubApiUrl() takes it.
 * }
 * }</pre>
 *
 * <p>Everything listens on 127.0.0.1 only, but DynamoDB Local, which offers no choice. Credentials
 * are random and end with the stack.
 *
 * <p>Safe for use by multiple threads. Any number may run at once.
 */
public final class LocalCredentialManager implements AutoCloseable {
  private final InstantSource clock;
  private final Identities identities;
  private final Identity developer;
  private final Identity stranger;
  private final Region region;
  private final Front front;
  private final URI gitHubApiUrl;
  private final @Nullable GitHubDouble gitHub;
  private final @Nullable EmbeddedAws aws;
  private final Deque<AutoCloseable> running;

  /** What stands in for AWS. */
  private record EmbeddedAws(
      LocalKms kms,
      URI dynamoDbEndpoint,
      Tables tables,
      KmsClient kmsClient,
      DynamoDbClient dynamoDbClient,
      KeyManager keyManager) {}

  private LocalCredentialManager(
      Assembly assembly,
      Region region,
      Front front,
      URI gitHubApiUrl,
      @Nullable GitHubDouble gitHub,
      @Nullable EmbeddedAws aws) {
    this.clock = assembly.builder.clock;
    this.identities = assembly.identities;
    this.developer = assembly.developer;
    this.stranger = identities.add("stranger", Set.of(), false);
    this.running = assembly.running;
    this.region = region;
    this.front = front;
    this.gitHubApiUrl = gitHubApiUrl;
    this.gitHub = gitHub;
    this.aws = aws;
  }

  /** One with a GitHub double and no App, all in memory. */
  public static LocalCredentialManager start() {
    return builder().start();
  }

  public static Builder builder() {
    return new Builder();
  }

  /** The one base URL of the five operations: {@code CREDENTIAL_MANAGER_ENDPOINT}. */
  public URI endpoint() {
    return front.endpoint();
  }

  /** The region that requests are signed for. */
  public Region region() {
    return region;
  }

  /**
   * A client with all of that set, for the caller who may do everything; whoever asks closes it.
   */
  public CredentialManagerClient newClient() {
    return CredentialManagerClient.builder()
        .endpoint(endpoint())
        .region(region)
        .credentialsProvider(credentialsProvider())
        .clock(clock)
        .build();
  }

  /** A caller who may invoke all five operations, and use KMS as an operator. */
  public AwsCredentialsProvider credentialsProvider() {
    return StaticCredentialsProvider.create(developer.credentials());
  }

  /** A caller without any grant, whom IAM refuses. */
  public AwsCredentialsProvider strangersCredentialsProvider() {
    return StaticCredentialsProvider.create(stranger.credentials());
  }

  /**
   * A new caller who may invoke some of the operations.
   *
   * @param paths of the operations, for example {@code /tokens/installation}
   * @throws IllegalArgumentException if there is no operation at a path
   */
  public AwsCredentialsProvider newCaller(String roleName, String... paths) {
    for (String path : paths) {
      if (!Front.FUNCTIONS.containsKey(path)) {
        throw new IllegalArgumentException(
            "No operation at " + path + ", but at " + Front.FUNCTIONS.keySet());
      }
    }
    return StaticCredentialsProvider.create(
        identities
            .add(requireNonNull(roleName, "roleName"), Set.copyOf(Arrays.asList(paths)), false)
            .credentials());
  }

  /** The root of GitHub's API that tokens are for: {@code GITHUB_API_URL}. */
  public URI gitHubApiUrl() {
    return gitHubApiUrl;
  }

  /**
   * The double of GitHub.
   *
   * @throws IllegalStateException if this stack uses a real GitHub
   */
  public GitHubDouble gitHub() {
    if (gitHub == null) {
      throw new IllegalStateException("This stack uses a real GitHub: " + gitHubApiUrl);
    }
    return gitHub;
  }

  /** The double of GitHub; empty if this stack uses a real one. */
  Optional<GitHubDouble> gitHubDouble() {
    return Optional.ofNullable(gitHub);
  }

  /**
   * The KMS, for its faults and delays.
   *
   * @throws IllegalStateException if this stack uses a real AWS
   */
  public LocalKms kms() {
    return embedded().kms();
  }

  /**
   * A new App: known to the GitHub double, with a fresh key that is imported into KMS.
   *
   * @throws IllegalStateException if this stack uses a real GitHub or AWS
   */
  public GitHubDouble.App registerApp(long appId) {
    withKey(
        AppKey.generatePem(),
        key -> {
          gitHub().registerApp(appId, key.publicKey());
          importKey(appId, key);
        });
    return gitHub().app(appId).orElseThrow();
  }

  /** Uses a key and overwrites it. */
  private static void withKey(byte[] pem, Consumer<PrivateKeyPem> use) {
    try (PrivateKeyPem key = PrivateKeyPem.parse(pem)) {
      use.accept(key);
    } finally {
      Arrays.fill(pem, (byte) 0);
    }
  }

  /**
   * Makes a private key the App's, as {@code credential-manager import-private-key} does; a second
   * one is a rotation. GitHub, double or not, must know the key as the App's.
   *
   * @param pem as GitHub hands it out; not kept
   * @throws io.github.credentialmanager.ops.KeyManagerException if it is no such key, or GitHub
   *     refuses it
   */
  public void importPrivateKey(long appId, byte[] pem) {
    try (PrivateKeyPem key = PrivateKeyPem.parse(pem)) {
      importKey(appId, key);
    }
  }

  private void importKey(long appId, PrivateKeyPem key) {
    embedded().keyManager().importPrivateKey(key, appId, embedded().tables().app());
  }

  /**
   * What to export for clients and for the operator's tool: {@code CREDENTIAL_MANAGER_ENDPOINT},
   * {@code GITHUB_API_URL}, {@code AWS_REGION}, the credentials of {@link #credentialsProvider},
   * and for the embedded AWS the {@code AWS_ENDPOINT_URL_*} and the tables' names. Holds secrets,
   * though only of this stack.
   */
  public Map<String, String> environment() {
    Map<String, String> environment = new LinkedHashMap<>();
    environment.put("CREDENTIAL_MANAGER_ENDPOINT", endpoint().toString());
    environment.put("GITHUB_API_URL", gitHubApiUrl.toString());
    environment.put("AWS_REGION", region.id());
    environment.putAll(environment(developer.credentials()));
    if (aws != null) {
      String account = aws.kms().endpoint().toString();
      for (String service : new String[] {"KMS", "LAMBDA", "RESOURCE_GROUPS_TAGGING_API", "STS"}) {
        environment.put("AWS_ENDPOINT_URL_" + service, account);
      }
      environment.put("AWS_ENDPOINT_URL_DYNAMODB", aws.dynamoDbEndpoint().toString());
      environment.put("APP_TABLE_NAME", aws.tables().app());
      environment.put("INSTALLATION_TABLE_NAME", aws.tables().installation());
    }
    return environment;
  }

  /** The credentials of the caller without grants, to export. */
  Map<String, String> strangersEnvironment() {
    return environment(stranger.credentials());
  }

  private static Map<String, String> environment(AwsSessionCredentials credentials) {
    Map<String, String> environment = new LinkedHashMap<>();
    environment.put("AWS_ACCESS_KEY_ID", credentials.accessKeyId());
    environment.put("AWS_SECRET_ACCESS_KEY", credentials.secretAccessKey());
    environment.put("AWS_SESSION_TOKEN", credentials.sessionToken());
    return environment;
  }

  private EmbeddedAws embedded() {
    if (aws == null) {
      throw new IllegalStateException("This stack uses the AWS of its environment.");
    }
    return aws;
  }

  /** Makes the seed's accounts and Apps, each App with the key it had or a new one. */
  private void plant(Seed seed) throws IOException {
    EmbeddedAws embedded = embedded();
    seed.accounts().forEach(gitHub()::plant);
    for (Seed.SeedApp app : seed.apps()) {
      Path file = app.privateKeyFile();
      Optional<PublicKey> kept =
          embedded
              .tables()
              .keyArn(embedded.dynamoDbClient(), app.id())
              .flatMap(embedded.kms()::publicKey);
      if (file == null && kept.isPresent()) {
        gitHub().plant(app, kept.get());
      } else {
        withKey(
            file == null ? AppKey.generatePem() : Files.readAllBytes(file),
            key -> {
              gitHub().plant(app, key.publicKey());
              if (app.imported()) {
                importKey(app.id(), key);
              }
            });
      }
      Path next = app.nextPrivateKeyFile();
      if (next != null) {
        withKey(
            Files.readAllBytes(next),
            key -> gitHub().app(app.id()).orElseThrow().addKey(key.publicKey()));
      }
    }
  }

  /** Stops everything, DynamoDB Local's process included. May be called again. */
  @Override
  public void close() {
    closeAll(running);
  }

  private static void closeAll(Deque<AutoCloseable> running) {
    synchronized (running) {
      while (!running.isEmpty()) {
        try {
          running.pop().close();
        } catch (Exception e) {
          // The others are to be stopped too, and nothing can be done about this one.
        }
      }
    }
  }

  /** Collects the settings of a {@link LocalCredentialManager}. */
  public static final class Builder {
    private int port;
    private InstantSource clock = InstantSource.system();
    private Consumer<String> log = line -> {};
    private Seed seed = Seed.empty();
    private Tables tables = Tables.named("");
    private @Nullable Path dataDirectory;
    private @Nullable URI gitHubApiUrl;
    private @Nullable Map<String, String> environment;
    private @Nullable URI dynamoDb;
    private Consumer<String> onFailure = message -> {};

    private Builder() {}

    /** Where the five operations are served; 0, any free port, unless set. */
    public Builder port(int port) {
      this.port = port;
      return this;
    }

    /**
     * The clock of the front, the server, KMS and the GitHub double; the system's unless set. A
     * client must sign by the same.
     */
    public Builder clock(InstantSource clock) {
      this.clock = requireNonNull(clock, "clock");
      return this;
    }

    /**
     * Where the server's log goes, audit lines included, a JSON object at a time; nowhere unless
     * set.
     */
    public Builder log(Consumer<String> log) {
      this.log = requireNonNull(log, "log");
      return this;
    }

    /** Keeps tables and keys in a directory, made if it is not there; in memory unless set. */
    public Builder dataDirectory(Path directory) {
      this.dataDirectory = requireNonNull(directory, "directory");
      return this;
    }

    /**
     * Starts with the accounts and Apps that a file describes (see the module's README); with none
     * unless set.
     *
     * @throws IllegalArgumentException if the file is not as described, saying where
     * @throws UncheckedIOException if it cannot be read
     */
    public Builder seed(Path file) {
      try {
        return seed(Seed.read(file));
      } catch (IOException e) {
        throw new UncheckedIOException("Cannot read the seed " + file + ".", e);
      }
    }

    /**
     * Starts with App 1001, installed on the organisation {@code octo-org} and on the user {@code
     * octocat}, who both have some repositories.
     */
    public Builder demo() {
      return seed(Seed.demo());
    }

    /**
     * Uses this GitHub instead of a double: Apps and installations are those it has, and their keys
     * are brought by {@link LocalCredentialManager#importPrivateKey}.
     */
    public Builder gitHubApiUrl(URI gitHubApiUrl) {
      this.gitHubApiUrl = requireNonNull(gitHubApiUrl, "gitHubApiUrl");
      return this;
    }

    Builder seed(Seed seed) {
      this.seed = requireNonNull(seed, "seed");
      return this;
    }

    /** Uses whatever AWS the variables name instead of an embedded one. */
    Builder aws(Map<String, String> environment) {
      this.environment = Map.copyOf(environment);
      return this;
    }

    /** Keeps the tables in a DynamoDB that is running already. */
    Builder dynamoDb(URI endpoint, Tables tables) {
      this.dynamoDb = requireNonNull(endpoint, "endpoint");
      this.tables = requireNonNull(tables, "tables");
      return this;
    }

    /** Told if a part ends that should not. */
    Builder onFailure(Consumer<String> onFailure) {
      this.onFailure = requireNonNull(onFailure, "onFailure");
      return this;
    }

    /**
     * Starts everything and waits until it answers.
     *
     * @throws IllegalStateException if DynamoDB Local does not start
     * @throws UncheckedIOException if the port is taken, or a file cannot be read or written
     * @throws io.github.credentialmanager.ops.KeyManagerException if a seed's key is refused
     */
    public LocalCredentialManager start() {
      Assembly assembly = new Assembly(this);
      try {
        LocalCredentialManager stack =
            environment == null ? assembly.embedded() : assembly.inEnvironment(environment);
        if (!seed.apps().isEmpty() || !seed.accounts().isEmpty()) {
          stack.plant(seed);
        }
        return stack;
      } catch (IOException e) {
        closeAll(assembly.running);
        throw new UncheckedIOException("Cannot start the local stack.", e);
      } catch (RuntimeException e) {
        closeAll(assembly.running);
        throw e;
      }
    }
  }

  /** A stack being put together; what runs already is closed if the rest does not start. */
  private static final class Assembly {
    private final Builder builder;
    private final Identities identities = new Identities();
    private final Identity developer = identities.add("developer", Front.FUNCTIONS.keySet(), true);
    private final Deque<AutoCloseable> running = new ArrayDeque<>();
    private @Nullable Front front;

    Assembly(Builder builder) {
      this.builder = builder;
    }

    private <T extends AutoCloseable> T run(T part) {
      synchronized (running) {
        running.push(part);
      }
      return part;
    }

    LocalCredentialManager embedded() throws IOException {
      Region region = Region.US_EAST_1;
      Path data = builder.dataDirectory;
      if (data != null) {
        OwnerOnly.directory(data);
      }
      // The slowest first: it starts in a process of its own while the rest starts in this one.
      CompletableFuture<URI> dynamoDb = CompletableFuture.supplyAsync(() -> startDynamoDb(data));
      Identity server = identities.add("CredentialManagerServer", Set.of(), true);
      KmsStore store = data == null ? KmsStore.inMemory() : KmsStore.file(data.resolve("kms.json"));
      LocalKms kms =
          run(
              LocalKms.start(
                  builder.clock,
                  region.id(),
                  store,
                  new AccountOperations(identities, () -> requireNonNull(front).endpoint()),
                  identities.guard(region.id())));
      kms.restrictSigning(server.credentials().accessKeyId());
      URI real = builder.gitHubApiUrl;
      GitHubDouble gitHub = real == null ? run(GitHubDouble.start(builder.clock)) : null;
      URI gitHubApiUrl = gitHub != null ? gitHub.apiUrl() : requireNonNull(real);
      AwsCredentialsProvider operator = StaticCredentialsProvider.create(developer.credentials());
      KmsClient kmsClient =
          run(
              KmsClient.builder()
                  .endpointOverride(kms.endpoint())
                  .region(region)
                  .credentialsProvider(operator)
                  .httpClientBuilder(UrlConnectionHttpClient.builder())
                  .build());
      URI dynamoDbEndpoint = join(dynamoDb);
      DynamoDbClient dynamoDbClient =
          run(
              DynamoDbClient.builder()
                  .endpointOverride(dynamoDbEndpoint)
                  .region(region)
                  .credentialsProvider(operator)
                  .httpClientBuilder(UrlConnectionHttpClient.builder())
                  .build());
      builder.tables.create(dynamoDbClient);
      KeyManager keyManager =
          KeyManager.builder()
              .kms(kmsClient)
              .dynamoDb(dynamoDbClient)
              .gitHubApiUrl(gitHubApiUrl)
              .clock(builder.clock)
              .build();
      Front front =
          front(
              region,
              ServerConfiguration.builder()
                  .appTableName(builder.tables.app())
                  .installationTableName(builder.tables.installation())
                  .kmsEndpoint(kms.endpoint())
                  .dynamoDbEndpoint(dynamoDbEndpoint)
                  .credentialsProvider(StaticCredentialsProvider.create(server.credentials())),
              gitHubApiUrl);
      registerTags(kms, region);
      return new LocalCredentialManager(
          this,
          region,
          front,
          gitHubApiUrl,
          gitHub,
          new EmbeddedAws(
              kms, dynamoDbEndpoint, builder.tables, kmsClient, dynamoDbClient, keyManager));
    }

    private URI startDynamoDb(@Nullable Path data) {
      return builder.dynamoDb != null
          ? builder.dynamoDb
          : run(DynamoDbLocal.start(data, builder.onFailure)).endpoint();
    }

    private static URI join(CompletableFuture<URI> dynamoDb) {
      try {
        return dynamoDb.join();
      } catch (CompletionException e) {
        throw e.getCause() instanceof RuntimeException cause ? cause : e;
      }
    }

    LocalCredentialManager inEnvironment(Map<String, String> environment) {
      EnvironmentAws aws = EnvironmentAws.read(environment);
      URI gitHubApiUrl = builder.gitHubApiUrl != null ? builder.gitHubApiUrl : aws.gitHubApiUrl();
      Front front = front(aws.region(), aws.serverConfiguration(), gitHubApiUrl);
      return new LocalCredentialManager(this, aws.region(), front, gitHubApiUrl, null, null);
    }

    private Front front(
        Region region, ServerConfiguration.Builder configuration, URI gitHubApiUrl) {
      CredentialManagerServer server =
          run(
              CredentialManagerServer.create(
                  configuration
                      .region(region)
                      .gitHubApiUrl(gitHubApiUrl)
                      .clock(builder.clock)
                      .auditLog(builder.log)
                      .build()));
      Front started =
          run(new Front(builder.port, region.id(), identities, builder.clock, server.handlers()));
      this.front = started;
      return started;
    }

    /** The tags by which an operator's tool finds a deployed stack. */
    private void registerTags(LocalKms kms, Region region) {
      String table = "arn:aws:dynamodb:%s:%s:table/".formatted(region.id(), Identities.ACCOUNT);
      register(kms, table + builder.tables.app(), "AppTable");
      register(kms, table + builder.tables.installation(), "AppInstallationTable");
      Front.FUNCTIONS.forEach(
          (path, tag) -> register(kms, requireNonNull(front).function(path).arn(), tag));
    }

    private static void register(LocalKms kms, String arn, String tag) {
      kms.register(
          arn,
          Map.of(
              "FrameworkForGitHubAppOnAwsManaged", "CredentialManager", "CredentialManager", tag));
    }
  }
}
