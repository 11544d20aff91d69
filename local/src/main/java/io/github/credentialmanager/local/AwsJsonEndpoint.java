package io.github.credentialmanager.local;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.net.URI;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Serves operations over the AWS JSON 1.1 protocol: {@code POST /} with the operation in {@code
 * X-Amz-Target}, JSON in and out, errors by name in {@code __type}.
 *
 * <p>Tests may have the next calls of an operation fail, and count the calls.
 */
final class AwsJsonEndpoint implements AutoCloseable {
  private static final int LARGEST_REQUEST = 1 << 20;
  private static final Pattern CREDENTIAL = Pattern.compile("Credential=([^/,\\s]+)/");

  /** One operation. */
  @FunctionalInterface
  interface Operation {
    /**
     * @param accessKeyId of the signer; empty if the request is not signed
     * @throws AwsJsonException to answer an error of the service's model
     */
    ObjectNode call(ObjectNode input, String accessKeyId);
  }

  private final ObjectMapper json = new ObjectMapper();
  private final Map<String, Operation> operations;
  private final @Nullable SigV4Verifier verifier;
  private final Map<String, AtomicLong> calls = new ConcurrentHashMap<>();
  private final Map<String, Queue<AwsJsonException>> faults = new ConcurrentHashMap<>();
  private final LoopbackServer server;

  /**
   * @param operations by the last part of the target, for example {@code Sign}
   * @param verifier of signatures; null to take every request as it is
   */
  AwsJsonEndpoint(
      String name, Map<String, Operation> operations, @Nullable SigV4Verifier verifier) {
    this.operations = Map.copyOf(operations);
    this.verifier = verifier;
    this.server = LoopbackServer.start(0, name, this::handle);
  }

  URI endpoint() {
    return server.endpoint();
  }

  /** How often an operation was called, failed calls included. */
  long calls(String operation) {
    AtomicLong count = calls.get(operation);
    return count == null ? 0 : count.get();
  }

  /** Has the next calls of an operation answer an error and do nothing. */
  void fail(String operation, int times, AwsJsonException error) {
    if (!operations.containsKey(operation)) {
      throw new IllegalArgumentException("No such operation here: " + operation);
    }
    Queue<AwsJsonException> queue =
        faults.computeIfAbsent(operation, key -> new ConcurrentLinkedQueue<>());
    for (int i = 0; i < times; i++) {
      queue.add(error);
    }
  }

  private void handle(HttpExchange exchange) throws IOException {
    exchange.getResponseHeaders().set("Content-Type", "application/x-amz-json-1.1");
    exchange.getResponseHeaders().set("x-amzn-RequestId", UUID.randomUUID().toString());
    try {
      ObjectNode output = call(exchange);
      LoopbackServer.answer(exchange, 200, json.writeValueAsBytes(output));
    } catch (AwsJsonException e) {
      ObjectNode error = json.createObjectNode();
      error.put("__type", e.errorType());
      error.put("message", e.getMessage());
      LoopbackServer.answer(exchange, e.status(), json.writeValueAsBytes(error));
    } catch (RuntimeException e) {
      ObjectNode error = json.createObjectNode();
      error.put("__type", "KMSInternalException");
      error.put("message", e.getClass().getName());
      LoopbackServer.answer(exchange, 500, json.writeValueAsBytes(error));
    }
  }

  private ObjectNode call(HttpExchange exchange) throws IOException {
    byte[] body = exchange.getRequestBody().readNBytes(LARGEST_REQUEST + 1);
    if (body.length > LARGEST_REQUEST) {
      throw new AwsJsonException("SerializationException", "Request too large");
    }
    String target =
        Optional.ofNullable(exchange.getRequestHeaders().getFirst("X-Amz-Target")).orElse("");
    String name = target.substring(target.lastIndexOf('.') + 1);
    Operation operation = operations.get(name);
    if (operation == null) {
      throw new AwsJsonException("UnknownOperationException", "");
    }
    String accessKeyId = signer(exchange, body);
    calls.computeIfAbsent(name, key -> new AtomicLong()).incrementAndGet();
    AwsJsonException fault = faults.getOrDefault(name, new ConcurrentLinkedQueue<>()).poll();
    if (fault != null) {
      throw new AwsJsonException(fault.errorType(), String.valueOf(fault.getMessage()));
    }
    return operation.call(parse(body), accessKeyId);
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

  private String signer(HttpExchange exchange, byte[] body) {
    if (verifier == null) {
      String authorization =
          Optional.ofNullable(exchange.getRequestHeaders().getFirst("Authorization")).orElse("");
      Matcher credential = CREDENTIAL.matcher(authorization);
      return credential.find() ? credential.group(1) : "";
    }
    try {
      return verifier.verify(LoopbackServer.signedRequest(exchange, body));
    } catch (SignatureRefusedException e) {
      throw new AwsJsonException(e.errorType(), e.getMessage());
    }
  }

  @Override
  public void close() {
    server.close();
  }
}
