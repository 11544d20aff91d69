package io.github.credentialmanager.server;

import static com.github.tomakehurst.wiremock.core.WireMockConfiguration.options;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.github.tomakehurst.wiremock.WireMockServer;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeDefinition;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.BillingMode;
import software.amazon.awssdk.services.dynamodb.model.GlobalSecondaryIndex;
import software.amazon.awssdk.services.dynamodb.model.KeySchemaElement;
import software.amazon.awssdk.services.dynamodb.model.KeyType;
import software.amazon.awssdk.services.dynamodb.model.ProjectionType;
import software.amazon.awssdk.services.dynamodb.model.ScalarAttributeType;

/**
 * A server and everything behind it: tables in DynamoDB Local, keys that sign, a GitHub to be told
 * what to answer, a clock to be moved, and the log it wrote.
 */
public final class World implements AutoCloseable {
  public static final ObjectMapper JSON = new ObjectMapper();
  public static final String DOMAIN = "abcdefghij.lambda-url.us-east-1.on.aws";

  private static final String CALLER =
      "arn:aws:sts::" + TestContext.ACCOUNT + ":assumed-role/Builder/session-1";

  public final WireMockServer gitHub = new WireMockServer(options().dynamicPort());
  public final KmsDouble kms = new KmsDouble();
  public final DynamoDbClient dynamoDb = DynamoDbLocal.client();
  public final String appTable = "App-" + UUID.randomUUID();
  public final String installationTable = "Installation-" + UUID.randomUUID();
  public final List<String> log = new CopyOnWriteArrayList<>();

  private final AtomicReference<@Nullable Instant> now = new AtomicReference<>();
  private final InstantSource clock =
      () -> {
        Instant fixed = now.get();
        return fixed == null ? Instant.now() : fixed;
      };
  private final List<AutoCloseable> others = new ArrayList<>();
  private @Nullable CredentialManagerServer server;
  private Consumer<ServerConfiguration.Builder> settings = configuration -> {};

  public World() {
    gitHub.start();
    createTables();
  }

  /** Stops the clock at that instant, or moves it there. */
  public World at(String instant) {
    now.set(Instant.parse(instant));
    return this;
  }

  public void advance(Duration time) {
    now.updateAndGet(instant -> clock.instant().plus(time));
  }

  /** Changes the configuration; a server that runs is replaced by a cold one. */
  public World with(Consumer<ServerConfiguration.Builder> settings) {
    this.settings = this.settings.andThen(settings);
    closeServer();
    return this;
  }

  /** Registers an App whose key signs. */
  public World app(long appId) {
    String arn = keyArn("app-" + appId);
    kms.key(arn);
    return app(appId, Map.of("KmsKeyArn", AttributeValue.fromS(arn)));
  }

  /** Puts a row of the App table as it stands. */
  public World app(long appId, Map<String, AttributeValue> attributes) {
    return row(appTable, Map.of("AppId", number(appId)), attributes);
  }

  public World installation(long appId, String nodeId, long installationId) {
    return installation(
        appId,
        nodeId,
        Map.of(
            "InstallationId", number(installationId),
            "TargetType", AttributeValue.fromS("Organization"),
            "Name", AttributeValue.fromS("account-" + installationId),
            "LastRefreshed", AttributeValue.fromS("2026-11-23T08:00:00Z")));
  }

  /** Puts a row of the Installation table as it stands. */
  public World installation(long appId, String nodeId, Map<String, AttributeValue> attributes) {
    return row(
        installationTable,
        Map.of("AppId", number(appId), "NodeId", AttributeValue.fromS(nodeId)),
        attributes);
  }

  public World row(
      String table, Map<String, AttributeValue> key, Map<String, AttributeValue> attributes) {
    Map<String, AttributeValue> item = new HashMap<>(key);
    item.putAll(attributes);
    dynamoDb.putItem(request -> request.tableName(table).item(item));
    return this;
  }

  public List<Map<String, AttributeValue>> rows(String table) {
    return dynamoDb
        .scanPaginator(request -> request.tableName(table).consistentRead(true))
        .items()
        .stream()
        .toList();
  }

  /** The attribute of a row, which must have it. */
  public static AttributeValue attribute(Map<String, AttributeValue> row, String name) {
    return requireNonNull(row.get(name), name);
  }

  public static AttributeValue number(long value) {
    return AttributeValue.fromN(Long.toString(value));
  }

  public static String keyArn(String name) {
    return "arn:aws:kms:us-east-1:" + TestContext.ACCOUNT + ":key/" + name;
  }

  /** The server, made on first use. */
  public synchronized CredentialManagerServer server() {
    if (server == null) {
      server = newServer();
    }
    return server;
  }

  /** Another server, which is the caller's to hold and to close. */
  public CredentialManagerServer newServer() {
    ServerConfiguration.Builder configuration =
        ServerConfiguration.builder()
            .appTableName(appTable)
            .installationTableName(installationTable)
            .gitHubApiUrl(URI.create(gitHub.baseUrl()))
            .region(Region.US_EAST_1)
            .credentialsProvider(DynamoDbLocal.credentials())
            .kmsEndpoint(kms.endpoint())
            .dynamoDbEndpoint(DynamoDbLocal.endpoint())
            .clock(clock)
            .auditLog(log::add);
    settings.accept(configuration);
    return CredentialManagerServer.create(configuration.build());
  }

  /** Posts a body to an operation and returns the 2.0 response. */
  public Response post(String path, String body) {
    return send(path, event("POST", path, Map.of("content-type", "application/json"), body));
  }

  /** Hands an event to the handler of that path. */
  public Response send(String operationPath, JsonNode event) {
    return send(server().handler(operationPath), event);
  }

  /** Hands an event to that handler. */
  public static Response send(RequestStreamHandler handler, JsonNode event) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      handler.handleRequest(
          new ByteArrayInputStream(event.toString().getBytes(UTF_8)), out, new TestContext());
      return new Response(JSON.readTree(out.toByteArray()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A Function URL event as Lambda builds it. */
  public static ObjectNode event(
      String method, String path, Map<String, String> headers, @Nullable String body) {
    ObjectNode event = JSON.createObjectNode();
    event.put("version", "2.0").put("routeKey", "$default").put("rawPath", path);
    event.put("rawQueryString", "").putNull("cookies").putNull("queryStringParameters");
    ObjectNode all = event.putObject("headers");
    all.put("x-amz-security-token", "IQoJb3JpZ2luX2VjSESSIONTOKEN").put("host", DOMAIN);
    headers.forEach(all::put);
    ObjectNode context = event.putObject("requestContext");
    context.put("accountId", TestContext.ACCOUNT).put("apiId", "abcdefghij");
    context.put("domainName", DOMAIN).put("domainPrefix", "abcdefghij");
    context.put("requestId", "request-1").put("stage", "$default");
    context.put("routeKey", "$default").put("timeEpoch", "1795423862000");
    context
        .putObject("authorizer")
        .putObject("iam")
        .put("accessKey", "ASIAEXAMPLE")
        .put("accountId", TestContext.ACCOUNT)
        .put("callerId", "AROAEXAMPLE:session-1")
        .put("userArn", CALLER)
        .putNull("principalOrgId")
        .putNull("cognitoIdentity");
    context.putObject("http").put("method", method).put("path", path).put("protocol", "HTTP/1.1");
    event.put("body", body).put("isBase64Encoded", false);
    return event;
  }

  /** The log lines of that event. */
  public List<JsonNode> logged(String event) {
    return log.stream()
        .map(World::read)
        .filter(line -> line.path("event").asText().equals(event))
        .toList();
  }

  public static JsonNode read(String json) {
    try {
      return JSON.readTree(json);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void createTables() {
    dynamoDb.createTable(
        request ->
            request
                .tableName(appTable)
                .billingMode(BillingMode.PAY_PER_REQUEST)
                .attributeDefinitions(definition("AppId", ScalarAttributeType.N))
                .keySchema(key("AppId", KeyType.HASH)));
    dynamoDb.createTable(
        request ->
            request
                .tableName(installationTable)
                .billingMode(BillingMode.PAY_PER_REQUEST)
                .attributeDefinitions(
                    definition("AppId", ScalarAttributeType.N),
                    definition("NodeId", ScalarAttributeType.S),
                    definition("InstallationId", ScalarAttributeType.N))
                .keySchema(key("AppId", KeyType.HASH), key("NodeId", KeyType.RANGE))
                .globalSecondaryIndexes(
                    index("NodeID", "NodeId"), index("InstallationID", "InstallationId")));
  }

  private static AttributeDefinition definition(String name, ScalarAttributeType type) {
    return AttributeDefinition.builder().attributeName(name).attributeType(type).build();
  }

  private static KeySchemaElement key(String name, KeyType type) {
    return KeySchemaElement.builder().attributeName(name).keyType(type).build();
  }

  private static GlobalSecondaryIndex index(String name, String hash) {
    return GlobalSecondaryIndex.builder()
        .indexName(name)
        .keySchema(key(hash, KeyType.HASH), key("AppId", KeyType.RANGE))
        .projection(projection -> projection.projectionType(ProjectionType.ALL))
        .build();
  }

  /** Closes that too, in the end. */
  public World closing(AutoCloseable other) {
    others.add(other);
    return this;
  }

  private void closeServer() {
    if (server != null) {
      server.close();
      server = null;
    }
  }

  @Override
  public void close() {
    closeServer();
    gitHub.stop();
    kms.close();
    for (AutoCloseable other : others) {
      try {
        other.close();
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
    dynamoDb.deleteTable(request -> request.tableName(appTable));
    dynamoDb.deleteTable(request -> request.tableName(installationTable));
    dynamoDb.close();
  }

  /** A 2.0 response. */
  public record Response(JsonNode raw) {
    public int status() {
      return raw.path("statusCode").asInt();
    }

    public JsonNode headers() {
      return raw.path("headers");
    }

    public String errorType() {
      return headers().path("x-amzn-errortype").asText();
    }

    public JsonNode body() {
      return read(raw.path("body").asText());
    }
  }
}
