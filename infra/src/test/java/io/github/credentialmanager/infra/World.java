package io.github.credentialmanager.infra;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/**
 * What is behind a function: tables of its own in DynamoDB Local, a KMS that signs whatever it is
 * given, and a GitHub that is told what to answer.
 *
 * <p>All of it answers at one address, which keeps a list of the calls that IAM would decide.
 */
final class World implements AutoCloseable {
  static final String APP_TABLE = "Apps";
  static final String INSTALLATION_TABLE = "Installations";

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final HttpClient HTTP = HttpClient.newHttpClient();
  private static final int SIGNATURE_BYTES = 256;
  private static final Set<String> NOT_FORWARDED =
      Set.of("connection", "content-length", "expect", "host", "upgrade");

  /** A call of AWS as IAM sees it: each part of a transaction by itself. */
  record Call(String action, String resource, Map<String, String> context) {}

  /** What GitHub answers. */
  interface GitHub {
    /**
     * Answers a request.
     *
     * @param appId whose JWT came along; 0 if an installation's token did
     */
    Answer answer(String method, String path, long appId, JsonNode body);
  }

  /**
   * An answer of GitHub's.
   *
   * @param status 0 for none, and {@link #RESET} for a connection that ends without one
   */
  record Answer(int status, Map<String, String> headers, String body) {
    static final int RESET = -1;

    static Answer json(int status, String body) {
      return new Answer(status, Map.of(), body);
    }
  }

  private final HttpServer server;
  private final ExecutorService executor = Executors.newCachedThreadPool();
  private final String accessKey = UUID.randomUUID().toString().replace("-", "");
  private final List<Call> calls = new CopyOnWriteArrayList<>();
  private final Map<String, String> faults = new ConcurrentHashMap<>();
  private final CountDownLatch closed = new CountDownLatch(1);
  private final String region;
  private final String account;
  private final String appTable;
  private final String installationTable;
  private volatile GitHub gitHub = (method, path, appId, body) -> Answer.json(404, "{}");

  World() throws Exception {
    this(APP_TABLE, INSTALLATION_TABLE);
  }

  /** A world with tables of that name. */
  World(String appTable, String installationTable) throws Exception {
    this.region = SynthesizedStack.REGION;
    this.account = SynthesizedStack.ACCOUNT;
    this.appTable = appTable;
    this.installationTable = installationTable;
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", this::serve);
    server.setExecutor(executor);
    server.start();
    createTables();
  }

  /** What a function's environment says of this world. */
  Map<String, String> environment() {
    String url = "http://127.0.0.1:" + server.getAddress().getPort();
    return Map.of(
        "APP_TABLE_NAME", appTable,
        "INSTALLATION_TABLE_NAME", installationTable,
        "GITHUB_API_URL", url,
        "AWS_ENDPOINT_URL", url,
        "AWS_REGION", region,
        "AWS_ACCESS_KEY_ID", accessKey,
        "AWS_SECRET_ACCESS_KEY", "secret");
  }

  World gitHub(GitHub gitHub) {
    this.gitHub = gitHub;
    return this;
  }

  /**
   * From now on AWS answers that with an error code.
   *
   * @param what {@code kms}, {@code dynamodb}, or the ARN of a key
   */
  World failing(String what, String errorCode) {
    faults.put(what, errorCode);
    return this;
  }

  static String key(String name) {
    return SynthesizedStack.arn("kms", "key/" + name);
  }

  World app(long appId) throws Exception {
    return app(appId, "\"KmsKeyArn\": {\"S\": \"%s\"}".formatted(key("app-" + appId)));
  }

  /** Puts a row of the App table with those attributes, in DynamoDB's JSON. */
  World app(long appId, String attributes) throws Exception {
    return put(appTable, "\"AppId\": {\"N\": \"%d\"}".formatted(appId), attributes);
  }

  World installation(long appId, String nodeId, long installationId, String type, String name)
      throws Exception {
    return put(
        installationTable,
        "\"AppId\": {\"N\": \"%d\"}, \"NodeId\": {\"S\": \"%s\"}".formatted(appId, nodeId),
        "\"InstallationId\": {\"N\": \"%d\"}, \"TargetType\": {\"S\": \"%s\"}, \"Name\": {\"S\": \"%s\"}"
            .formatted(installationId, type, name));
  }

  private World put(String table, String key, String attributes) throws Exception {
    dynamoDb(
        "PutItem",
        "{\"TableName\": \"%s\", \"Item\": {%s}}"
            .formatted(table, attributes.isEmpty() ? key : key + ", " + attributes));
    return this;
  }

  /** What functions asked of AWS, in order. */
  List<Call> calls() {
    return List.copyOf(calls);
  }

  // ---- DynamoDB

  private void createTables() throws Exception {
    dynamoDb(
        "CreateTable",
        """
        {"TableName": "%s", "BillingMode": "PAY_PER_REQUEST",
         "AttributeDefinitions": [{"AttributeName": "AppId", "AttributeType": "N"}],
         "KeySchema": [{"AttributeName": "AppId", "KeyType": "HASH"}]}
        """
            .formatted(appTable));
    dynamoDb(
        "CreateTable",
        """
        {"TableName": "%s", "BillingMode": "PAY_PER_REQUEST",
         "AttributeDefinitions": [{"AttributeName": "AppId", "AttributeType": "N"},
                                  {"AttributeName": "NodeId", "AttributeType": "S"}],
         "KeySchema": [{"AttributeName": "AppId", "KeyType": "HASH"},
                       {"AttributeName": "NodeId", "KeyType": "RANGE"}],
         "GlobalSecondaryIndexes": [
           {"IndexName": "NodeID", "Projection": {"ProjectionType": "ALL"},
            "KeySchema": [{"AttributeName": "NodeId", "KeyType": "HASH"},
                          {"AttributeName": "AppId", "KeyType": "RANGE"}]}]}
        """
            .formatted(installationTable));
  }

  private void dynamoDb(String operation, String request) throws Exception {
    HttpResponse<String> response =
        HTTP.send(
            HttpRequest.newBuilder(DynamoDbLocal.endpoint())
                .header("X-Amz-Target", "DynamoDB_20120810." + operation)
                .header("Content-Type", "application/x-amz-json-1.0")
                .header(
                    "Authorization",
                    "AWS4-HMAC-SHA256 Credential=%s/20261123/%s/dynamodb/aws4_request, SignedHeaders=host, Signature=none"
                        .formatted(accessKey, region))
                .POST(HttpRequest.BodyPublishers.ofString(request))
                .build(),
            HttpResponse.BodyHandlers.ofString());
    if (response.statusCode() != 200) {
      throw new IllegalStateException(operation + ": " + response.body());
    }
  }

  /** DynamoDB Local decides whether it is well-formed and what it does. */
  private void forwardToDynamoDb(HttpExchange exchange, byte[] request)
      throws IOException, InterruptedException {
    HttpRequest.Builder forwarded =
        HttpRequest.newBuilder(DynamoDbLocal.endpoint())
            .POST(HttpRequest.BodyPublishers.ofByteArray(request));
    exchange
        .getRequestHeaders()
        .forEach(
            (name, values) -> {
              if (!NOT_FORWARDED.contains(name.toLowerCase(java.util.Locale.ROOT))) {
                values.forEach(value -> forwarded.header(name, value));
              }
            });
    HttpResponse<byte[]> response =
        HTTP.send(forwarded.build(), HttpResponse.BodyHandlers.ofByteArray());
    response
        .headers()
        .firstValue("x-amz-crc32")
        .ifPresent(crc -> exchange.getResponseHeaders().set("x-amz-crc32", crc));
    respond(exchange, response.statusCode(), "application/x-amz-json-1.0", response.body());
  }

  private List<Call> callsOfTable(String operation, JsonNode request) {
    if (!operation.equals("TransactWriteItems")) {
      return List.of(
          new Call(
              "dynamodb:" + operation,
              arnOfTable(request)
                  + (request.has("IndexName")
                      ? "/index/" + request.path("IndexName").asText()
                      : ""),
              Map.of()));
    }
    List<Call> parts = new ArrayList<>();
    for (JsonNode item : request.path("TransactItems")) {
      Map.Entry<String, JsonNode> part = item.properties().iterator().next();
      String action =
          part.getKey().equals("ConditionCheck") ? "ConditionCheckItem" : part.getKey() + "Item";
      parts.add(new Call("dynamodb:" + action, arnOfTable(part.getValue()), Map.of()));
    }
    return parts;
  }

  private String arnOfTable(JsonNode request) {
    return "arn:aws:dynamodb:%s:%s:table/%s"
        .formatted(region, account, request.path("TableName").asText());
  }

  // ---- Everything else

  private void serve(HttpExchange exchange) throws IOException {
    try (exchange) {
      byte[] body = exchange.getRequestBody().readAllBytes();
      String target = exchange.getRequestHeaders().getFirst("X-Amz-Target");
      if (target == null) {
        serveGitHub(exchange, body);
        return;
      }
      String operation = target.substring(target.indexOf('.') + 1);
      JsonNode request = JSON.readTree(body);
      if (operation.equals("Sign")) {
        sign(exchange, request);
      } else {
        calls.addAll(callsOfTable(operation, request));
        if (!failed(exchange, "dynamodb")) {
          forwardToDynamoDb(exchange, body);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void sign(HttpExchange exchange, JsonNode request) throws IOException {
    String key = request.path("KeyId").asText();
    calls.add(
        new Call(
            "kms:Sign",
            key,
            Map.of(
                "kms:MessageType", request.path("MessageType").asText(),
                "kms:SigningAlgorithm", request.path("SigningAlgorithm").asText())));
    if (!failed(exchange, "kms") && !failed(exchange, key)) {
      byte[] answer =
          JSON.writeValueAsBytes(
              Map.of(
                  "KeyId",
                  key,
                  "Signature",
                  Base64.getEncoder().encodeToString(new byte[SIGNATURE_BYTES]),
                  "SigningAlgorithm",
                  request.path("SigningAlgorithm").asText()));
      respond(exchange, 200, "application/x-amz-json-1.1", answer);
    }
  }

  private boolean failed(HttpExchange exchange, String what) throws IOException {
    Optional<String> error = Optional.ofNullable(faults.get(what));
    if (error.isPresent()) {
      byte[] answer = JSON.writeValueAsBytes(Map.of("__type", error.get(), "message", "as told"));
      int status = error.get().contains("Internal") ? 500 : 400;
      respond(exchange, status, "application/x-amz-json-1.1", answer);
    }
    return error.isPresent();
  }

  private void serveGitHub(HttpExchange exchange, byte[] body)
      throws IOException, InterruptedException {
    Answer answer =
        gitHub.answer(
            exchange.getRequestMethod(),
            exchange.getRequestURI().getPath(),
            appId(exchange.getRequestHeaders().getFirst("Authorization")),
            body.length == 0 ? JSON.createObjectNode() : JSON.readTree(body));
    if (answer.status() == 0) {
      closed.await();
    } else if (answer.status() != Answer.RESET) {
      answer.headers().forEach(exchange.getResponseHeaders()::set);
      respond(exchange, answer.status(), "application/json", answer.body().getBytes(UTF_8));
    }
  }

  private static long appId(@Nullable String authorization) throws IOException {
    if (authorization == null || !authorization.matches("Bearer [^.]+\\.[^.]+\\.[^.]+")) {
      return 0;
    }
    try {
      return JSON.readTree(Base64.getUrlDecoder().decode(authorization.split("\\.", -1)[1]))
          .path("iss")
          .asLong();
    } catch (IllegalArgumentException noJwt) {
      return 0;
    }
  }

  private static void respond(HttpExchange exchange, int status, String type, byte[] body)
      throws IOException {
    exchange.getResponseHeaders().set("Content-Type", type);
    exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
    exchange.getResponseBody().write(body);
  }

  @Override
  public void close() {
    closed.countDown();
    server.stop(0);
    executor.shutdownNow();
  }
}
