package io.github.credentialmanager.local;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.credentialmanager.local.Identities.Identity;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URLDecoder;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * One function behind its URL: turns a request into the event that Lambda would make of it (payload
 * format 2.0) and the function's answer into a response.
 *
 * <p>Safe for use by multiple threads.
 */
final class FunctionUrl {
  private static final int LARGEST_PAYLOAD = 6 * 1024 * 1024;
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("dd/MMM/yyyy:HH:mm:ss Z", Locale.ROOT).withZone(ZoneOffset.UTC);

  private final ObjectMapper json = new ObjectMapper();
  private final String functionName;
  private final String urlId;
  private final String region;
  private final RequestStreamHandler handler;
  private final Duration timeout;
  private final ExecutorService executor;

  /** What a client sees. */
  record Response(int status, Map<String, String> headers, byte[] body) {
    /** What it sees whenever a function fails: a text, though it is called JSON. */
    static Response failed() {
      return new Response(
          502,
          Map.of(
              "content-type", "application/json",
              "x-amzn-errortype", "InternalServerErrorException"),
          "Internal Server Error".getBytes(UTF_8));
    }
  }

  /**
   * @param timeout of one invocation
   * @param executor to run invocations on
   */
  FunctionUrl(
      String functionName,
      String region,
      RequestStreamHandler handler,
      Duration timeout,
      ExecutorService executor) {
    this.functionName = functionName;
    this.urlId = UUID.nameUUIDFromBytes(functionName.getBytes(UTF_8)).toString().replace("-", "");
    this.region = region;
    this.handler = handler;
    this.timeout = timeout;
    this.executor = executor;
  }

  String arn() {
    return "arn:aws:lambda:%s:%s:function:%s".formatted(region, Identities.ACCOUNT, functionName);
  }

  String domainName() {
    return urlId + ".lambda-url." + region + ".on.aws";
  }

  /** Invokes the function for a request that IAM has let through. */
  Response invoke(SignedRequest request, Identity caller, Instant now) {
    String requestId = UUID.randomUUID().toString();
    byte[] event;
    try {
      event = json.writeValueAsBytes(event(request, caller, requestId, now));
    } catch (IOException e) {
      throw new UncheckedIOException("A tree is always written", e);
    }
    Invocation invocation = new Invocation(requestId, functionName, region, timeout);
    Future<byte[]> running =
        executor.submit(
            () -> {
              ByteArrayOutputStream output = new ByteArrayOutputStream();
              handler.handleRequest(new ByteArrayInputStream(event), output, invocation);
              return output.toByteArray();
            });
    try {
      return response(running.get(timeout.toMillis(), TimeUnit.MILLISECONDS));
    } catch (ExecutionException | TimeoutException e) {
      running.cancel(true);
      return Response.failed();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Response.failed();
    }
  }

  private ObjectNode event(SignedRequest request, Identity caller, String requestId, Instant now) {
    ObjectNode event = JsonNodeFactory.instance.objectNode();
    event.put("version", "2.0");
    event.put("routeKey", "$default");
    event.put("rawPath", request.path());
    event.put("rawQueryString", request.query());
    Map<String, String> headers = headers(request);
    String cookie = headers.remove("cookie");
    if (cookie != null) {
      ArrayNode cookies = event.putArray("cookies");
      for (String one : cookie.split("; ?", -1)) {
        cookies.add(one);
      }
    }
    ObjectNode headerNode = event.putObject("headers");
    headers.forEach(headerNode::put);
    if (!request.query().isEmpty()) {
      ObjectNode query = event.putObject("queryStringParameters");
      query(request.query()).forEach(query::put);
    }
    ObjectNode context = event.putObject("requestContext");
    context.put("accountId", Identities.ACCOUNT);
    context.put("apiId", urlId);
    context.putObject("authorizer").set("iam", iam(caller));
    context.put("domainName", domainName());
    context.put("domainPrefix", urlId);
    context
        .putObject("http")
        .put("method", request.method())
        .put("path", request.path())
        .put("protocol", "HTTP/1.1")
        .put("sourceIp", "127.0.0.1")
        .put("userAgent", headers.get("user-agent"));
    context.put("requestId", requestId);
    context.put("routeKey", "$default");
    context.put("stage", "$default");
    context.put("time", TIME.format(now));
    context.put("timeEpoch", now.toEpochMilli());
    putBody(event, request.body(), headers.getOrDefault("content-type", ""));
    return event;
  }

  /** Lower-case names, repeats joined by a comma; the signature stays outside, the token not. */
  private static Map<String, String> headers(SignedRequest request) {
    Map<String, String> headers = new LinkedHashMap<>();
    for (SignedRequest.Header header : request.headers()) {
      headers.merge(
          header.name().toLowerCase(Locale.ROOT), header.value().strip(), (a, b) -> a + "," + b);
    }
    headers.remove("authorization");
    headers.put("x-forwarded-for", "127.0.0.1");
    headers.put("x-forwarded-proto", "https");
    headers.put("x-forwarded-port", "443");
    return headers;
  }

  private static Map<String, String> query(String query) {
    Map<String, String> parameters = new LinkedHashMap<>();
    for (String parameter : query.split("&", -1)) {
      int equals = parameter.indexOf('=');
      String name = equals < 0 ? parameter : parameter.substring(0, equals);
      String value = equals < 0 ? "" : parameter.substring(equals + 1);
      parameters.merge(decode(name), decode(value), (a, b) -> a + "," + b);
    }
    return parameters;
  }

  private static String decode(String text) {
    try {
      return URLDecoder.decode(text, UTF_8);
    } catch (IllegalArgumentException e) {
      return text;
    }
  }

  private static ObjectNode iam(Identity caller) {
    ObjectNode iam = JsonNodeFactory.instance.objectNode();
    iam.put("accessKey", caller.credentials().accessKeyId());
    iam.put("accountId", Identities.ACCOUNT);
    iam.put("callerId", caller.callerId());
    iam.putNull("cognitoIdentity");
    iam.putNull("principalOrgId");
    iam.put("userArn", caller.userArn());
    iam.put("userId", caller.callerId());
    return iam;
  }

  /** Text as text, anything else as base64: form fields are among the anything. */
  private static void putBody(ObjectNode event, byte[] body, String contentType) {
    boolean textual =
        contentType.isEmpty()
            || contentType.startsWith("text/")
            || contentType.matches("application/([a-z.-]+\\+)?(json|xml|javascript)\\b.*");
    if (body.length == 0) {
      event.put("isBase64Encoded", false);
      return;
    }
    if (textual) {
      try {
        event.put("body", UTF_8.newDecoder().decode(ByteBuffer.wrap(body)).toString());
        event.put("isBase64Encoded", false);
        return;
      } catch (CharacterCodingException e) {
        // Not text after all.
      }
    }
    event.put("body", Base64.getEncoder().encodeToString(body));
    event.put("isBase64Encoded", true);
  }

  /** Any JSON without a {@code statusCode} is the body of a 200; what is no JSON is a failure. */
  private Response response(byte[] payload) {
    JsonNode answer;
    try {
      answer = payload.length > LARGEST_PAYLOAD ? null : json.readTree(payload);
    } catch (IOException e) {
      return Response.failed();
    }
    if (answer == null || answer.isMissingNode()) {
      return Response.failed();
    }
    if (!answer.path("statusCode").canConvertToInt()) {
      return new Response(200, Map.of("content-type", "application/json"), payload);
    }
    Map<String, String> headers = new LinkedHashMap<>();
    headers.put("content-type", "application/json");
    for (Map.Entry<String, JsonNode> header : answer.path("headers").properties()) {
      headers.put(header.getKey().toLowerCase(Locale.ROOT), header.getValue().asText());
    }
    String body = answer.path("body").asText("");
    try {
      byte[] bytes =
          answer.path("isBase64Encoded").asBoolean()
              ? Base64.getDecoder().decode(body.getBytes(ISO_8859_1))
              : body.getBytes(UTF_8);
      return new Response(answer.get("statusCode").intValue(), headers, bytes);
    } catch (IllegalArgumentException e) {
      return Response.failed();
    }
  }
}
