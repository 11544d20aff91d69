package io.github.credentialmanager.server;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * An endpoint that speaks as much of KMS as signing needs, and really signs.
 *
 * <p>Keys are JCA key pairs. A key, or all of them, can be made to answer an AWS error.
 */
public final class KmsDouble implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final HttpServer server;
  private final ExecutorService executor = Executors.newCachedThreadPool();
  private final Map<String, KeyPair> keys = new ConcurrentHashMap<>();
  private final Map<String, String> faults = new ConcurrentHashMap<>();
  private final List<String> signedWith = new CopyOnWriteArrayList<>();
  private volatile boolean withoutSignature;
  private volatile Optional<String> fault = Optional.empty();

  public KmsDouble() {
    try {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    server.createContext("/", this::answer);
    server.setExecutor(executor);
    server.start();
  }

  public URI endpoint() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
  }

  /** Adds a key; all keys of a JVM are one pair unless another is given. */
  public KmsDouble key(String arn) {
    return key(arn, SharedKey.PAIR);
  }

  public KmsDouble key(String arn, KeyPair pair) {
    keys.put(arn, pair);
    return this;
  }

  /** From now on every call is answered with that AWS error code. */
  public void failWith(String errorCode) {
    fault = Optional.of(errorCode);
  }

  /** From now on signing with that key is answered with that AWS error code. */
  public void failWith(String arn, String errorCode) {
    faults.put(arn, errorCode);
  }

  /** From now on an answer to Sign lacks what was asked for. */
  public void answerWithoutSignature() {
    withoutSignature = true;
  }

  /** The keys that signed, in the order of the calls. Calls that failed are not among them. */
  public List<String> signedWith() {
    return List.copyOf(signedWith);
  }

  public static KeyPair sharedKey() {
    return SharedKey.PAIR;
  }

  public static KeyPair newKey() {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
      generator.initialize(2048);
      return generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      JsonNode request = JSON.readTree(exchange.getRequestBody().readAllBytes());
      String target = exchange.getRequestHeaders().getFirst("X-Amz-Target");
      String arn = request.path("KeyId").asText();
      KeyPair pair = keys.get(arn);
      Optional<String> error = fault.or(() -> Optional.ofNullable(faults.get(arn)));
      if (error.isPresent()) {
        int status = error.get().contains("Internal") ? 500 : 400;
        respond(exchange, status, Map.of("__type", error.get(), "message", "made to fail"));
      } else if (pair == null) {
        respond(exchange, 400, Map.of("__type", "NotFoundException"));
      } else if (withoutSignature) {
        respond(exchange, 200, Map.of("KeyId", arn));
      } else if (target.equals("TrentService.Sign")) {
        signedWith.add(arn);
        respond(
            exchange,
            200,
            Map.of(
                "KeyId",
                arn,
                "Signature",
                Base64.getEncoder().encodeToString(sign(pair, request)),
                "SigningAlgorithm",
                "RSASSA_PKCS1_V1_5_SHA_256"));
      } else {
        respond(exchange, 400, Map.of("__type", "UnsupportedOperationException"));
      }
    }
  }

  /** PKCS #1 v1.5 over a digest that is given, not made: the DigestInfo of SHA-256 goes before. */
  private static byte[] sign(KeyPair pair, JsonNode request) {
    if (!request.path("MessageType").asText().equals("DIGEST")
        || !request.path("SigningAlgorithm").asText().equals("RSASSA_PKCS1_V1_5_SHA_256")) {
      throw new IllegalArgumentException("not how the server is meant to sign: " + request);
    }
    byte[] prefix = HexFormat.of().parseHex("3031300d060960864801650304020105000420");
    byte[] digest = Base64.getDecoder().decode(request.path("Message").asText());
    try {
      Signature signature = Signature.getInstance("NONEwithRSA");
      signature.initSign(pair.getPrivate());
      signature.update(prefix);
      signature.update(digest);
      return signature.sign();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void respond(HttpExchange exchange, int status, Map<String, String> body)
      throws IOException {
    byte[] bytes = JSON.writeValueAsString(body).getBytes(UTF_8);
    exchange.getResponseHeaders().set("Content-Type", "application/x-amz-json-1.1");
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
  }

  @Override
  public void close() {
    server.stop(0);
    executor.shutdownNow();
  }

  private static final class SharedKey {
    static final KeyPair PAIR = newKey();
  }
}
