package io.github.credentialmanager.sdk.conformance;

import com.sun.net.httpserver.HttpServer;
import io.github.credentialmanager.sdk.AccessToken;
import io.github.credentialmanager.sdk.CachingTokenProvider;
import io.github.credentialmanager.sdk.CredentialManagerClient;
import io.github.credentialmanager.sdk.Reason;
import io.github.credentialmanager.sdk.Secret;
import io.github.credentialmanager.sdk.TokenDeniedException;
import io.github.credentialmanager.sdk.TokenProvider;
import io.github.credentialmanager.sdk.TokenRequest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPairGenerator;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;

/** Every provider that sdk-core brings, against the contract it sets for others. */
class OwnProvidersTest {
  private static final String APP_1001 = "1001";
  private static final AtomicInteger TOKENS = new AtomicInteger();

  private static HttpServer server;
  private static ExecutorService threads;
  private static Path pem;

  private final Map<String, String> propertiesBefore = new HashMap<>();

  @TempDir static Path directory;

  /** A Credential Manager and a GitHub in one, which know App 1001 on O_known. */
  @BeforeAll
  static void start() throws IOException, NoSuchAlgorithmException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    threads = Executors.newCachedThreadPool();
    server.setExecutor(threads);
    answer("/tokens/app", body -> managerAnswer(body, "appToken"));
    answer("/tokens/installation", body -> managerAnswer(body, "installationToken"));
    answer("/app/installations", body -> "[{\"id\":7,\"account\":{\"node_id\":\"O_known\"}}]");
    answer(
        "/app/installations/7/access_tokens",
        body -> "{\"token\":\"%s\",\"expires_at\":\"%s\"}".formatted(newToken(), inAnHour()));
    server.start();
    pem = directory.resolve("app.pem");
    KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
    generator.initialize(2048);
    String der =
        Base64.getMimeEncoder()
            .encodeToString(generator.generateKeyPair().getPrivate().getEncoded());
    Files.writeString(pem, "-----BEGIN PRIVATE KEY-----\n" + der + "\n-----END PRIVATE KEY-----\n");
  }

  @AfterAll
  static void stop() {
    server.stop(0);
    threads.shutdownNow();
  }

  private static void answer(String path, Function<String, String> answer) {
    server.createContext(
        path,
        exchange -> {
          try (exchange) {
            String body =
                new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            String json = answer.apply(body);
            byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
            int status = json.contains("reason") ? 400 : path.endsWith("access_tokens") ? 201 : 200;
            exchange.sendResponseHeaders(status, bytes.length);
            exchange.getResponseBody().write(bytes);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
  }

  private static String managerAnswer(String body, String member) {
    if (!body.contains(APP_1001)) {
      return "{\"message\":\"unknown\",\"reason\":\"APP_NOT_REGISTERED\"}";
    }
    return "{\"%s\":\"%s\",\"appId\":1001,\"expirationTime\":\"%s\"}"
        .formatted(member, newToken(), inAnHour());
  }

  private static String newToken() {
    return "ghs_1001_token.of-this_test-" + TOKENS.incrementAndGet();
  }

  private static Instant inAnHour() {
    return Instant.ofEpochSecond(Instant.now().getEpochSecond() + 3600);
  }

  private static URI url() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
  }

  private static CredentialManagerClient client() {
    return CredentialManagerClient.builder()
        .endpoint(url())
        .region(Region.US_EAST_1)
        .credentialsProvider(
            StaticCredentialsProvider.create(AwsBasicCredentials.create("AKID", "secret-key")))
        .build();
  }

  @BeforeEach
  void keepProperties() {
    set("github.token", "ghp_for-development");
    set("github.api.url", url().toString());
    set("credential.manager.endpoint", url().toString());
    set("aws.region", "us-east-1");
    set("aws.accessKeyId", "AKID");
    set("aws.secretAccessKey", "secret-key");
  }

  private void set(String property, String value) {
    propertiesBefore.put(property, String.valueOf(System.getProperty(property)));
    System.setProperty(property, value);
  }

  @AfterEach
  void restoreProperties() {
    propertiesBefore.forEach(
        (property, value) -> {
          if (value.equals("null")) {
            System.clearProperty(property);
          } else {
            System.setProperty(property, value);
          }
        });
  }

  /** What all of them here answer and refuse. */
  interface AppOnKnownAccount extends TokenProviderContract {
    @Override
    default TokenRequest answeredRequest() {
      return TokenRequest.installation(1001, "O_known");
    }

    @Override
    default TokenRequest refusedRequest() {
      return TokenRequest.installation(9999, "O_unknown");
    }
  }

  @Nested
  class Client implements AppOnKnownAccount {
    @Override
    public TokenProvider provider() {
      return client().asTokenProvider();
    }
  }

  @Nested
  class ClientForTheAppItself implements AppOnKnownAccount {
    @Override
    public TokenProvider provider() {
      return client().asTokenProvider();
    }

    @Override
    public TokenRequest answeredRequest() {
      return TokenRequest.app(1001);
    }
  }

  @Nested
  class Cache implements AppOnKnownAccount {
    @Override
    public TokenProvider provider() {
      return CachingTokenProvider.builder(client().asTokenProvider()).build();
    }
  }

  @Nested
  class CacheOnACache implements AppOnKnownAccount {
    @Override
    public TokenProvider provider() {
      return CachingTokenProvider.builder(
              CachingTokenProvider.builder(client().asTokenProvider()).build())
          .build();
    }
  }

  @Nested
  class TheProcesssCredentialManager implements AppOnKnownAccount {
    @Override
    public TokenProvider provider() {
      return TokenProvider.credentialManager();
    }
  }

  @Nested
  class LocalKey implements AppOnKnownAccount {
    @Override
    public TokenProvider provider() {
      return TokenProvider.localKey(1001, pem);
    }
  }

  @Nested
  class Environment implements AppOnKnownAccount {
    @Override
    public TokenProvider provider() {
      return TokenProvider.environment();
    }

    @Override
    public TokenRequest refusedRequest() {
      return TokenRequest.app(1001);
    }
  }

  @Nested
  class FirstOf implements AppOnKnownAccount {
    @Override
    public TokenProvider provider() {
      return TokenProvider.firstOf(TokenProvider.localKey(1002, pem), client().asTokenProvider());
    }
  }

  @Nested
  class Fixed implements AppOnKnownAccount {
    @Override
    public TokenProvider provider() {
      return new OnlyKnown(TokenProvider.fixed(Secret.of("ghp_fixed")));
    }
  }

  /** A fixed token is good for every request; the contract wants one that is refused. */
  private record OnlyKnown(TokenProvider provider) implements TokenProvider {
    @Override
    public AccessToken getToken(TokenRequest request) {
      if (request.appId() != 1001) {
        throw new TokenDeniedException("Only app 1001 here.", Reason.APP_NOT_REGISTERED);
      }
      return provider.getToken(request);
    }
  }
}
