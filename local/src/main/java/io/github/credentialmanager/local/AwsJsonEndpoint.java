package io.github.credentialmanager.local;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.net.URI;
import java.util.Map;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Serves AWS operations, those of the AWS JSON 1.1 protocol above all: {@code POST /} with the
 * operation in {@code X-Amz-Target}, JSON in and out, errors by name in {@code __type}.
 *
 * <p>Tests may have the next calls of an operation fail, and count the calls.
 */
final class AwsJsonEndpoint implements AutoCloseable {
  private static final int LARGEST_REQUEST = 1 << 20;

  /** One operation of the AWS JSON protocol. */
  @FunctionalInterface
  interface Operation {
    /**
     * @param accessKeyId of the signer; empty if the request is not signed
     * @throws AwsJsonException to answer an error of the service's model
     */
    ObjectNode call(ObjectNode input, String accessKeyId);
  }

  /** Operations of other protocols. */
  @FunctionalInterface
  interface OtherOperations {
    /**
     * @throws AwsJsonException if there is no such operation, or to answer another error
     */
    Reply call(SignedRequest request, Guard guard);

    /** None. */
    static OtherOperations none() {
      return (request, guard) -> {
        throw new AwsJsonException("UnknownOperationException", "");
      };
    }
  }

  /** An answer in whatever format. */
  record Reply(String contentType, String body) {}

  private final ObjectMapper json = new ObjectMapper();
  private final Map<String, Operation> operations;
  private final OtherOperations others;
  private final Guard guard;
  private final Map<String, AtomicLong> calls = new ConcurrentHashMap<>();
  private final Map<String, Queue<AwsJsonException>> faults = new ConcurrentHashMap<>();
  private final LoopbackServer server;

  /**
   * @param operations by service and name, for example {@code kms:Sign}
   */
  AwsJsonEndpoint(
      String name, Map<String, Operation> operations, OtherOperations others, Guard guard) {
    this.operations = Map.copyOf(operations);
    this.others = others;
    this.guard = guard;
    this.server = LoopbackServer.start(0, name, this::handle);
  }

  URI endpoint() {
    return server.endpoint();
  }

  /** How often an operation was called, failed calls included. */
  long calls(String operation) {
    requireKnown(operation);
    AtomicLong count = calls.get(operation);
    return count == null ? 0 : count.get();
  }

  /** Has the next calls of an operation answer an error and do nothing. */
  void fail(String operation, int times, AwsJsonException error) {
    requireKnown(operation);
    Queue<AwsJsonException> queue =
        faults.computeIfAbsent(operation, key -> new ConcurrentLinkedQueue<>());
    for (int i = 0; i < times; i++) {
      queue.add(error);
    }
  }

  private void requireKnown(String operation) {
    if (!operations.containsKey(operation)) {
      throw new IllegalArgumentException("No such operation here: " + operation);
    }
  }

  private void handle(HttpExchange exchange) throws IOException {
    exchange.getResponseHeaders().set("x-amzn-RequestId", UUID.randomUUID().toString());
    Reply reply;
    int status = 200;
    try {
      reply = call(exchange);
    } catch (AwsJsonException e) {
      status = e.status();
      exchange.getResponseHeaders().set("x-amzn-ErrorType", e.errorType());
      reply = error(e.errorType(), String.valueOf(e.getMessage()));
    } catch (RuntimeException e) {
      status = 500;
      reply = error("KMSInternalException", e.getClass().getName());
    }
    exchange.getResponseHeaders().set("Content-Type", reply.contentType());
    LoopbackServer.answer(exchange, status, reply.body().getBytes(UTF_8));
  }

  private Reply error(String type, String message) {
    return reply(json.createObjectNode().put("__type", type).put("message", message));
  }

  private static Reply reply(ObjectNode body) {
    return new Reply("application/x-amz-json-1.1", body.toString());
  }

  private Reply call(HttpExchange exchange) throws IOException {
    byte[] body = exchange.getRequestBody().readNBytes(LARGEST_REQUEST + 1);
    if (body.length > LARGEST_REQUEST) {
      throw new AwsJsonException("SerializationException", "Request too large");
    }
    SignedRequest request = LoopbackServer.signedRequest(exchange, body);
    String target = request.value("x-amz-target").orElse("");
    if (target.isEmpty()) {
      return others.call(request, guard);
    }
    String service = target.startsWith("TrentService.") ? "kms" : "tagging";
    String name = target.substring(target.indexOf('.') + 1);
    String action = (service.equals("kms") ? "kms:" : "tag:") + name;
    Operation operation = operations.get(action);
    if (operation == null) {
      throw new AwsJsonException("UnknownOperationException", "");
    }
    String accessKeyId = guard.admit(request, service, action);
    calls.computeIfAbsent(action, key -> new AtomicLong()).incrementAndGet();
    AwsJsonException fault = faults.getOrDefault(action, new ConcurrentLinkedQueue<>()).poll();
    if (fault != null) {
      throw new AwsJsonException(fault.errorType(), String.valueOf(fault.getMessage()));
    }
    return reply(operation.call(parse(body), accessKeyId));
  }

  private ObjectNode parse(byte[] body) throws IOException {
    try {
      if (json.readTree(body) instanceof ObjectNode input) {
        return input;
      }
    } catch (JsonProcessingException e) {
      // Falls through: what was sent is not repeated.
    }
    throw new AwsJsonException("SerializationException", "Expected a JSON object");
  }

  @Override
  public void close() {
    server.close();
  }
}
