package io.github.credentialmanager.local.ops;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.credentialmanager.local.GitHubDouble;
import io.github.credentialmanager.local.LocalCredentialManager;
import io.github.credentialmanager.local.LocalKms;
import io.github.credentialmanager.local.TaggedTables;
import io.github.credentialmanager.local.TestInvocation;
import io.github.credentialmanager.local.ops.WatchedHttpClient.Watch;
import io.github.credentialmanager.ops.CredentialManagerTool;
import io.github.credentialmanager.server.CredentialManagerServer;
import io.github.credentialmanager.server.ServerConfiguration;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.BillingMode;
import software.amazon.awssdk.services.dynamodb.model.KeyType;
import software.amazon.awssdk.services.dynamodb.model.ScalarAttributeType;
import software.amazon.awssdk.services.kms.KmsClient;

/**
 * The operator's tool beside the server that must go on issuing tokens while it works: one KMS, one
 * App table, one GitHub, and a clock for all of them that tests move.
 *
 * <p>The server may sign only as deployed: with keys whose tags, as policies see them by now, are
 * right.
 */
final class OperatorBench implements AutoCloseable {
  private static final String SERVER = "SERVER";
  private static final ObjectMapper JSON = new ObjectMapper();

  private final SdkHttpClient http = UrlConnectionHttpClient.create();
  private final LocalCredentialManager tables = LocalCredentialManager.start();
  private final AtomicLong lastApp = new AtomicLong(2000);
  private final List<String> serverLog = new CopyOnWriteArrayList<>();
  private final InstantSource clock;
  private volatile Duration moved = Duration.ZERO;

  final LocalKms kms = LocalKms.start(this::now);
  final GitHubDouble gitHub = GitHubDouble.start(this::now);
  final String table = variable("APP_TABLE_NAME");
  final DynamoDbClient dynamoDb =
      DynamoDbClient.builder()
          .endpointOverride(dynamoDbEndpoint())
          .region(Region.US_EAST_1)
          .credentialsProvider(tables.credentialsProvider())
          .httpClient(http)
          .build();
  final KmsClient kmsClient =
      KmsClient.builder()
          .endpointOverride(kms.endpoint())
          .region(Region.US_EAST_1)
          .credentialsProvider(tables.credentialsProvider())
          .httpClient(http)
          .build();

  /** What one run of the tool came to. */
  record Run(int exitCode, String out, String err) {
    JsonNode json() {
      try {
        return JSON.readTree(out);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** One whose clock stands until a test moves it. */
  OperatorBench() {
    this(InstantSource.fixed(Instant.now()));
  }

  /**
   * @param clock the system's, for a tool that runs as a process of its own
   */
  OperatorBench(InstantSource clock) {
    this.clock = clock;
    kms.restrictSigning(SERVER);
    TaggedTables.tagAsAppTable(kms, table);
  }

  static KeyPair newKey() {
    return newKey("RSA", 2048);
  }

  static KeyPair newKey(String algorithm, int bits) {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
      generator.initialize(bits);
      return generator.generateKeyPair();
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  static String pem(KeyPair key) {
    return "-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----\n"
        .formatted(
            Base64.getMimeEncoder(64, new byte[] {'\n'})
                .encodeToString(key.getPrivate().getEncoded()));
  }

  /** A PEM as an operator should have it: readable for its owner alone. */
  static Path write(Path file, KeyPair key) {
    try {
      Files.deleteIfExists(file);
      Files.createFile(
          file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      return Files.writeString(file, pem(key));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  Instant now() {
    return clock.instant().plus(moved);
  }

  void move(Duration duration) {
    moved = moved.plus(duration);
  }

  /** An App that GitHub knows with these keys, and AWS not at all. */
  long newApp(KeyPair... keys) {
    long id = lastApp.incrementAndGet();
    GitHubDouble.App app = gitHub.registerApp(id, keys[0].getPublic());
    Stream.of(keys).skip(1).forEach(key -> app.addKey(key.getPublic()));
    return id;
  }

  Run run(String... args) {
    return run(http, InputStream.nullInputStream(), args);
  }

  /** Runs the tool with something to read at its standard input. */
  Run run(InputStream in, String... args) {
    return run(http, in, args);
  }

  /** Runs the tool while a test watches its calls to AWS. */
  Run run(Watch watch, String... args) {
    return run(new WatchedHttpClient(http, watch), InputStream.nullInputStream(), args);
  }

  private Run run(SdkHttpClient client, InputStream in, String... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int exitCode =
        CredentialManagerTool.builder()
            .environment(environment())
            .credentials(tables.credentialsProvider())
            .awsHttpClient(client)
            .clock(this::now)
            .pause(this::move)
            .in(in)
            .out(new PrintWriter(out, true))
            .err(new PrintWriter(err, true))
            .build()
            .run(args);
    return new Run(exitCode, out.toString(), err.toString());
  }

  Map<String, String> environment() {
    Map<String, String> environment = new HashMap<>(tables.environment());
    for (String service : List.of("KMS", "STS", "LAMBDA", "RESOURCE_GROUPS_TAGGING_API")) {
      environment.put("AWS_ENDPOINT_URL_" + service, kms.endpoint().toString());
    }
    environment.put("GITHUB_API_URL", gitHub.apiUrl().toString());
    return environment;
  }

  /** An import that is to succeed, of a key in a file that is then gone. */
  String imported(Path directory, long appId, KeyPair key) {
    Path file = write(directory.resolve("import-%d.pem".formatted(appId)), key);
    Run run = run("import-private-key", file.toString(), id(appId), table, "--output", "json");
    if (run.exitCode() != 0) {
      throw new AssertionError(run.out() + run.err());
    }
    return run.json().path("keyArn").asText();
  }

  static String id(long appId) {
    return Long.toString(appId);
  }

  Map<String, AttributeValue> row(long appId) {
    return dynamoDb
        .getItem(
            b ->
                b.tableName(table)
                    .key(Map.of("AppId", AttributeValue.fromN(id(appId))))
                    .consistentRead(true))
        .item();
  }

  /** An attribute of the App's row, or an empty text. */
  String row(long appId, String attribute) {
    AttributeValue value = row(appId).get(attribute);
    return value == null ? "" : value.s();
  }

  void putRow(long appId, Map<String, String> attributes) {
    putRow(table, appId, attributes);
  }

  /** Another App table in the account, as there is while one stack replaces another. */
  String copyOfTheTable() {
    String copy = table + "-copy";
    dynamoDb.createTable(
        b ->
            b.tableName(copy)
                .billingMode(BillingMode.PAY_PER_REQUEST)
                .attributeDefinitions(
                    a -> a.attributeName("AppId").attributeType(ScalarAttributeType.N))
                .keySchema(k -> k.attributeName("AppId").keyType(KeyType.HASH)));
    TaggedTables.tagAsAppTable(kms, copy);
    return copy;
  }

  void putRow(String table, long appId, Map<String, String> attributes) {
    Map<String, AttributeValue> item = new HashMap<>();
    item.put("AppId", AttributeValue.fromN(id(appId)));
    attributes.forEach((name, value) -> item.put(name, AttributeValue.fromS(value)));
    dynamoDb.putItem(b -> b.tableName(table).item(item));
  }

  /** A tag of a key as whoever asks KMS sees it, or an empty text. */
  String tag(String keyArn, String name) {
    return kmsClient.listResourceTags(b -> b.keyId(keyArn)).tags().stream()
        .filter(tag -> tag.tagKey().equals(name))
        .map(software.amazon.awssdk.services.kms.model.Tag::tagValue)
        .findFirst()
        .orElse("");
  }

  String state(String keyArn) {
    return kmsClient.describeKey(b -> b.keyId(keyArn)).keyMetadata().keyStateAsString();
  }

  /** All keys there are, by ARN. */
  List<String> keys() {
    return kmsClient.listKeysPaginator().keys().stream().map(key -> key.keyArn()).toList();
  }

  /** A server that remembers nothing yet. */
  CredentialManagerServer newServer() {
    return CredentialManagerServer.create(
        ServerConfiguration.builder()
            .appTableName(table)
            .installationTableName(variable("INSTALLATION_TABLE_NAME"))
            .region(Region.US_EAST_1)
            .kmsEndpoint(kms.endpoint())
            .dynamoDbEndpoint(dynamoDbEndpoint())
            .credentialsProvider(credentials(SERVER))
            .gitHubApiUrl(gitHub.apiUrl())
            .clock(this::now)
            .auditLog(serverLog::add)
            .build());
  }

  /** Asks a server for an App token; fails unless it gives one, signed with the live key. */
  void vend(CredentialManagerServer server, long appId) {
    String event =
        """
        {"version":"2.0","rawPath":"/tokens/app","headers":{"content-type":"application/json"},
         "requestContext":{"accountId":"111122223333","domainName":"abc.lambda-url.us-east-1.on.aws",
           "http":{"method":"POST","path":"/tokens/app"},"requestId":"r","timeEpoch":1,
           "authorizer":{"iam":{"accessKey":"AKIDEXAMPLE","accountId":"111122223333","callerId":"c",
             "userArn":"arn:aws:iam::111122223333:role/r","userId":"u"}}},
         "body":"{\\"appId\\":%d}","isBase64Encoded":false}
        """
            .formatted(appId);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      requireNonNull(server.handlers().get("/tokens/app"))
          .handleRequest(
              new ByteArrayInputStream(event.getBytes(UTF_8)), out, TestInvocation.start());
      JsonNode response = JSON.readTree(out.toByteArray());
      if (response.path("statusCode").asInt() != 200) {
        throw new AssertionError("No token for App " + appId + ": " + response);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    if (serverLog.stream().anyMatch(line -> line.contains("PreviousKeyUsed"))) {
      throw new AssertionError("The server had to fall back on the previous key: " + serverLog);
    }
  }

  /** As {@link #vend(CredentialManagerServer, long)}, of a server that has just started. */
  void vendCold(long appId) {
    try (CredentialManagerServer server = newServer()) {
      vend(server, appId);
    }
  }

  @Override
  public void close() {
    dynamoDb.close();
    kmsClient.close();
    gitHub.close();
    kms.close();
    tables.close();
    http.close();
  }

  private String variable(String name) {
    return requireNonNull(tables.environment().get(name), name);
  }

  private URI dynamoDbEndpoint() {
    return URI.create(variable("AWS_ENDPOINT_URL_DYNAMODB"));
  }

  private static AwsCredentialsProvider credentials(String accessKeyId) {
    return StaticCredentialsProvider.create(AwsBasicCredentials.create(accessKeyId, "secret"));
  }
}
