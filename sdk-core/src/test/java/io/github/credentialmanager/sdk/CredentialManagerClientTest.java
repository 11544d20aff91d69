package io.github.credentialmanager.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.github.credentialmanager.sdk.LoopbackServer.Received;
import io.github.credentialmanager.sdk.LoopbackServer.Reply;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.ServerSocket;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.http.AbortableInputStream;
import software.amazon.awssdk.http.ExecutableHttpRequest;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.HttpExecuteResponse;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.SdkHttpResponse;
import software.amazon.awssdk.http.urlconnection.ProxyConfiguration;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.identity.spi.AwsCredentialsIdentity;
import software.amazon.awssdk.identity.spi.IdentityProvider;
import software.amazon.awssdk.identity.spi.ResolveIdentityRequest;
import software.amazon.awssdk.regions.Region;

class CredentialManagerClientTest {
  private static final String TOKEN = "ghs_1001_eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl-_";
  private static final String SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
  private static final Reply GRANTED =
      Reply.json(
          """
          {"installationToken":"%s","appId":1001,"nodeId":"O_x","expirationTime":"2026-11-23T09:51:02Z",
           "actualScopeDown":{"permissions":{"contents":"read","issues":"owner"},"later":1},
           "new":{"members":["are",{"ignored":true}]}}
          """
              .formatted(TOKEN));

  private final LoopbackServer server = new LoopbackServer();
  private final List<Duration> pauses = new ArrayList<>();
  private final Map<String, String> properties = new HashMap<>();
  private final Map<String, String> environment = new HashMap<>();

  @AfterEach
  void close() {
    server.close();
  }

  private CredentialManagerClient.Builder builder() {
    return CredentialManagerClient.builder()
        .settings(new Settings(properties::get, environment::get))
        .credentialsProvider(credentials(AwsBasicCredentials.create("AKIDEXAMPLE", SECRET_KEY)))
        .sleeper(pauses::add)
        .random(new Random(42));
  }

  private static StaticCredentialsProvider credentials(AwsCredentials credentials) {
    return StaticCredentialsProvider.create(credentials);
  }

  private CredentialManagerClient client() {
    return builder().endpoint(server.url()).region(Region.US_EAST_1).build();
  }

  private AccessToken get() {
    try (CredentialManagerClient client = client()) {
      return client.getInstallationToken(1001, "O_x");
    }
  }

  private TokenDeniedException denied(Reply reply) {
    server.always(request -> reply);
    return catchThrowableOfType(TokenDeniedException.class, this::get);
  }

  private TokenUnavailableException unavailable(Reply reply) {
    server.always(request -> reply);
    return catchThrowableOfType(TokenUnavailableException.class, this::get);
  }

  @Nested
  class Configuration {
    @Test
    void comesFromTheBuilderBeforePropertiesBeforeTheEnvironment() {
      environment.put("CREDENTIAL_MANAGER_ENDPOINT", "https://environment.example/");
      assertThat(url(Operation.GET_APP_TOKEN))
          .hasToString("https://environment.example/tokens/app");
      properties.put("credential.manager.endpoint", "https://property.example");
      assertThat(url(Operation.GET_APP_TOKEN)).hasToString("https://property.example/tokens/app");
      assertThat(
              builder()
                  .endpoint(URI.create("https://builder.example/stage"))
                  .configuration()
                  .url(Operation.GET_APP_TOKEN))
          .hasToString("https://builder.example/stage/tokens/app");
    }

    @ParameterizedTest
    @EnumSource
    void hasAnEndpointOfItsOwnForEachOperation(Operation operation) {
      environment.put("CREDENTIAL_MANAGER_ENDPOINT", "https://all.example");
      environment.put(operation.variable(), "https://one.example");
      for (Operation each : Operation.values()) {
        assertThat(url(each)).hasHost(each == operation ? "one.example" : "all.example");
      }
    }

    @Test
    void hasTheVariablesOfTheDocumentation() {
      assertThat(Stream.of(Operation.values()).map(Operation::variable))
          .containsExactly(
              "CREDENTIAL_MANAGER_APP_TOKEN_ENDPOINT",
              "CREDENTIAL_MANAGER_INSTALLATION_TOKEN_ENDPOINT",
              "CREDENTIAL_MANAGER_REFRESH_ENDPOINT",
              "CREDENTIAL_MANAGER_INSTALLATION_DATA_ENDPOINT",
              "CREDENTIAL_MANAGER_INSTALLATIONS_ENDPOINT");
    }

    @Test
    void takesAnEndpointThatHasThePathAlready() {
      properties.put(
          "credential.manager.installation.token.endpoint",
          "https://abc.lambda-url.eu-west-1.on.aws/tokens/installation/");
      assertThat(url(Operation.GET_INSTALLATION_TOKEN))
          .hasToString("https://abc.lambda-url.eu-west-1.on.aws/tokens/installation");
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "http://example.com",
          "http://127.0.0.1.example.com",
          "http://localhost.example.com",
          "https://user@example.com",
          "https://example.com?x=1",
          "https://example.com#x",
          "https:///path",
          "example.com",
          "ftp://example.com",
          "https://exa mple.com"
        })
    void refusesAnEndpointThatIsNotPlainHttps(String endpoint) {
      environment.put("CREDENTIAL_MANAGER_ENDPOINT", endpoint);
      assertThatIllegalArgument(() -> builder().build())
          .hasMessageContaining("CREDENTIAL_MANAGER_ENDPOINT");
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://127.0.0.1:8787", "http://localhost:8787", "http://[::1]:8787"})
    void allowsHttpToLoopback(String endpoint) {
      environment.put("CREDENTIAL_MANAGER_ENDPOINT", endpoint);
      assertThat(url(Operation.GET_INSTALLATIONS)).hasToString(endpoint + "/installations");
    }

    @Test
    void namesEverythingThatIsMissingBeforeAnyCall() {
      try (CredentialManagerClient client = builder().build()) {
        assertThatExceptionOfType(TokenDeniedException.class)
            .isThrownBy(() -> client.getInstallationToken(1001, "O_x"))
            .withMessageContainingAll(
                "CREDENTIAL_MANAGER_ENDPOINT",
                "CREDENTIAL_MANAGER_INSTALLATION_TOKEN_ENDPOINT",
                "credential.manager.endpoint",
                "AWS_REGION",
                "AWS credentials")
            .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.NOT_CONFIGURED));
      }
    }

    @Test
    void findsTheRegionInTheHostOfAFunctionUrl() {
      properties.put("aws.region", "us-west-2");
      ClientConfiguration configuration = builder().configuration();
      assertThat(configuration.region(URI.create("https://abc1.lambda-url.eu-central-1.on.aws/x")))
          .isEqualTo(Region.EU_CENTRAL_1);
      assertThat(configuration.region(URI.create("https://proxy.example/x")))
          .isEqualTo(Region.US_WEST_2);
      assertThat(
              builder()
                  .region(Region.AP_SOUTH_1)
                  .configuration()
                  .region(URI.create("https://abc1.lambda-url.eu-central-1.on.aws/x")))
          .isEqualTo(Region.AP_SOUTH_1);
    }

    private URI url(Operation operation) {
      return builder().configuration().url(operation);
    }
  }

  @Nested
  class Signing {
    @Test
    void coversTheRealBodyForTheServiceLambda() {
      server.next(GRANTED);
      get();
      Received request = server.only();
      SigV4.Scope scope = SigV4.verify(request, SECRET_KEY);
      assertThat(scope.service()).isEqualTo("lambda");
      assertThat(scope.region()).isEqualTo("us-east-1");
      assertThat(request.text()).isEqualTo("{\"appId\":1001,\"nodeId\":\"O_x\"}");
    }

    @Test
    void dependsOnTheSecretKey() {
      server.next(GRANTED);
      get();
      assertThatThrownBy(() -> SigV4.verify(server.only(), "another"))
          .isInstanceOf(AssertionError.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"a\r\nx-evil: 1", "a\nb", "a\u0000b", "a\u00e9b"})
    void sendsNothingIfACredentialCouldSplitAHeader(String sessionToken) {
      try (CredentialManagerClient client =
          builder()
              .endpoint(server.url())
              .region(Region.US_EAST_1)
              .credentialsProvider(
                  credentials(
                      AwsSessionCredentials.create("AKIDEXAMPLE", SECRET_KEY, sessionToken)))
              .build()) {
        assertThatExceptionOfType(TokenUnavailableException.class)
            .isThrownBy(() -> client.getAppToken(1))
            .withMessageContaining("AWS credentials")
            .withMessageNotContaining("evil");
      }
      assertThat(server.received()).isEmpty();
    }

    @Test
    void saysWhatToSetIfThereAreNoCredentials() {
      try (CredentialManagerClient client =
          builder()
              .endpoint(server.url())
              .region(Region.US_EAST_1)
              .credentialsProvider(
                  (software.amazon.awssdk.auth.credentials.AwsCredentialsProvider)
                      () -> {
                        throw SdkClientException.create("none");
                      })
              .build()) {
        assertThatExceptionOfType(TokenUnavailableException.class)
            .isThrownBy(() -> client.getAppToken(1))
            .withMessageContainingAll("AWS_ACCESS_KEY_ID", "credentials provider")
            .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.NO_AWS_CREDENTIALS));
      }
      assertThat(server.received()).isEmpty();
    }

    @Test
    void goesThroughTheHttpClientThatWasGiven() {
      CapturingHttpClient http = new CapturingHttpClient();
      try (CredentialManagerClient client =
          builder()
              .endpoint(URI.create("https://abc.lambda-url.eu-central-1.on.aws/"))
              .httpClient(http)
              .build()) {
        client.getInstallationToken(1001, "O_x");
      }
      assertThat(http.requests)
          .singleElement()
          .satisfies(
              request -> {
                assertThat(request.httpRequest().getUri())
                    .hasToString("https://abc.lambda-url.eu-central-1.on.aws/tokens/installation");
                assertThat(request.httpRequest().firstMatchingHeader("Authorization"))
                    .hasValueSatisfying(
                        value -> assertThat(value).contains("/eu-central-1/lambda/aws4_request"));
              });
      assertThat(http.closed).as("the given client is not ours to close").isFalse();
    }
  }

  @Test
  void goesThroughTheProxyOfTheHttpClient() {
    server.next(GRANTED);
    try (SdkHttpClient http =
            UrlConnectionHttpClient.builder()
                .proxyConfiguration(ProxyConfiguration.builder().endpoint(server.url()).build())
                .build();
        CredentialManagerClient client =
            builder()
                .endpoint(URI.create("http://127.0.0.1:9"))
                .region(Region.US_EAST_1)
                .httpClient(http)
                .build()) {
      client.getInstallationToken(1001, "O_x");
    }
    assertThat(server.only().header("Host")).isEqualTo("127.0.0.1:9");
  }

  @Nested
  class WhenTheServerAnswers {
    @Test
    void readsTheTokenAndSkipsWhatItDoesNotKnow() {
      server.next(GRANTED);
      AccessToken token = get();
      assertThat(token.secret().reveal()).isEqualTo(TOKEN);
      assertThat(token.expirationTime()).isEqualTo("2026-11-23T09:51:02Z");
      assertThat(token.grantedScope()).contains(Scope.builder().read("contents").build());
    }

    @Test
    void refusesATokenForSomeoneElse() {
      server.always(
          request ->
              Reply.json(
                  "{\"installationToken\":\"ghs_other\",\"appId\":1002,\"nodeId\":\"O_x\",\"expirationTime\":\"2026-11-23T09:51:02Z\"}"));
      assertThatExceptionOfType(TokenUnavailableException.class)
          .isThrownBy(CredentialManagerClientTest.this::get)
          .withMessageContaining("someone else")
          .withMessageNotContaining("ghs_other");
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "{\"installationToken\":\"ghs_secret\"",
          "{\"installationToken\":ghs_secret}",
          "{\"installationToken\":\"ghs_secret\",\"expirationTime\":\"ghs_secret\"}",
          "{\"installationToken\":\"ghs_secret\\r\\nx: y\",\"expirationTime\":\"2026-11-23T09:51:02Z\"}",
          "{\"installationToken\":\"\",\"expirationTime\":\"2026-11-23T09:51:02Z\"}",
          "{\"installationToken\":\"ghs_secret\"}",
          "{\"expirationTime\":\"2026-11-23T09:51:02Z\"}",
          "[\"ghs_secret\"]",
          "{} ghs_secret",
          "ghs_secret",
          ""
        })
    void neverPrintsAMalformedAnswer(String body) {
      TokenUnavailableException e = unavailable(Reply.json(body));
      assertThat(e.reason()).isEqualTo(Reason.UNEXPECTED_ANSWER);
      assertThat(stackTrace(e))
          .doesNotContain("ghs_secret")
          .contains("CREDENTIAL_MANAGER_ENDPOINT");
      assertThat(server.received()).hasSize(1);
    }

    @Test
    void readsNoMoreThanLambdaCanAnswer() {
      Reply large =
          new Reply(200, Map.of("x-amzn-requestid", "r-large"), new byte[6 * 1024 * 1024 + 1]);
      TokenUnavailableException e = unavailable(large);
      assertThat(e).hasMessageContaining("6291456 bytes");
      assertThat(e.requestId()).contains("r-large");
    }

    @Test
    void asksForPageAfterPageAsTheStreamGoesOn() {
      server.always(
          request -> {
            int page = request.text().contains("nextToken") ? 1 : 0;
            return Reply.json(
                """
                {"installations":[{"appId":1,"installationId":%d,"nodeId":"O","targetType":"Organization","name":"n"}]%s}
                """
                    .formatted(7 + page, page == 0 ? ",\"nextToken\":\"p2\"" : ""));
          });
      try (CredentialManagerClient client = client()) {
        Iterator<Installation> all = client.paginateInstallations(1).iterator();
        assertThat(server.received()).isEmpty();
        assertThat(all.next().installationId()).isEqualTo(7);
        assertThat(server.received()).hasSize(1);
        assertThat(all.next().installationId()).isEqualTo(8);
        assertThat(all.hasNext()).isFalse();
        assertThat(server.received())
            .extracting(Received::text)
            .containsExactly("{\"maxResults\":1}", "{\"maxResults\":1,\"nextToken\":\"p2\"}");
      }
    }

    @Test
    void doesNotGoRoundInCirclesWithAPageThatRepeats() {
      server.always(request -> Reply.json("{\"installations\":[],\"nextToken\":\"again\"}"));
      try (CredentialManagerClient client = client()) {
        assertThatExceptionOfType(TokenUnavailableException.class)
            .isThrownBy(() -> client.paginateInstallations().count())
            .withMessageContaining("twice");
      }
    }
  }

  @Nested
  class WhenTheServerRefuses {
    @Test
    void saysWhichPermissionsIamHasToGrant() {
      Reply forbidden =
          Reply.of(403, "{\"Message\":\"Forbidden. For troubleshooting…\"}")
              .with("x-amzn-ErrorType", "AccessDeniedException")
              .with("x-amzn-RequestId", "req-1");
      TokenDeniedException e = denied(forbidden);
      assertThat(e)
          .hasMessageContainingAll(
              "app 1001, node O_x",
              "lambda:InvokeFunctionUrl",
              "lambda:InvokeFunction",
              "CREDENTIAL_MANAGER_ENDPOINT",
              "CREDENTIAL_MANAGER_INSTALLATION_TOKEN_ENDPOINT",
              "caller policy",
              "req-1")
          .hasMessageNotContaining("troubleshooting");
      assertThat(e.reason()).isEqualTo(Reason.ACCESS_DENIED);
      assertThat(e.requestId()).contains("req-1");
      assertThat(server.received()).as("denials are final").hasSize(1);
    }

    @Test
    void tellsABadSignatureFromAMissingPermission() {
      Reply mismatch =
          Reply.of(403, "{\"message\":\"The request signature we calculated does not match\"}")
              .with("x-amzn-errortype", "InvalidSignatureException:http://internal/");
      assertThat(denied(mismatch))
          .hasMessageContainingAll("InvalidSignatureException", "AWS credentials", "region")
          .hasMessageNotContaining("lambda:");
    }

    @Test
    void keepsExpiredAwsCredentialsApart() {
      Reply expired =
          Reply.of(403, "{\"message\":\"The security token included in the request is expired\"}")
              .with("x-amzn-errortype", "ExpiredTokenException");
      assertThat(unavailable(expired).reason()).isEqualTo(Reason.NO_AWS_CREDENTIALS);
    }

    @ParameterizedTest
    @ValueSource(ints = {301, 302, 307, 308})
    void followsNoRedirect(int status) {
      try (LoopbackServer elsewhere = new LoopbackServer()) {
        TokenDeniedException e =
            denied(Reply.of(status, "").with("location", elsewhere.url() + "/tokens/installation"));
        assertThat(e.reason()).isEqualTo(Reason.UNEXPECTED_ANSWER);
        assertThat(e).hasMessageContaining("redirects are not followed");
        assertThat(elsewhere.received()).isEmpty();
      }
    }

    @Test
    void recognisesAnEndpointThatIsNotACredentialManager() {
      TokenDeniedException e = denied(Reply.of(404, "<html>Not Found</html>"));
      assertThat(e.reason()).isEqualTo(Reason.UNEXPECTED_ANSWER);
      assertThat(e)
          .hasMessageContaining("CREDENTIAL_MANAGER_ENDPOINT")
          .hasMessageNotContaining("html");
    }

    @Test
    void takesAReasonItDoesNotKnow() {
      TokenDeniedException e =
          denied(
              Reply.of(
                  400, "{\"message\":\"x\",\"reason\":\"NEW_ONE\",\"requestId\":\"a\\r\\nb\"}"));
      assertThat(e.reason()).isEqualTo(Reason.UNKNOWN);
      assertThat(e.requestId()).as("an id that could split a line").isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void hasASentenceForEveryReason(Reason reason) {
      TokenDeniedException e =
          denied(Reply.of(400, "{\"reason\":\"" + reason + "\",\"message\":\"do not quote\"}"));
      assertThat(e.reason()).isEqualTo(reason);
      assertThat(e.getMessage())
          .startsWith("No token for app 1001, node O_x: ")
          .doesNotContain("quote");
    }
  }

  @Nested
  class WhenItMayHelpToTryAgain {
    @ParameterizedTest
    @ValueSource(ints = {429, 500, 502, 503, 504})
    void triesAgain(int status) {
      server.next(Reply.of(status, "Internal Server Error")).next(GRANTED);
      assertThat(get().secret().reveal()).isEqualTo(TOKEN);
      assertThat(server.received()).hasSize(2);
      assertThat(server.received())
          .extracting(request -> request.header("amz-sdk-request"))
          .containsExactly("attempt=1; max=3", "attempt=2; max=3");
      assertThat(server.received())
          .extracting(request -> request.header("amz-sdk-invocation-id"))
          .containsOnly(server.received().get(0).header("amz-sdk-invocation-id"));
    }

    @Test
    void triesAgainIfNobodyListens() throws Exception {
      int port;
      try (ServerSocket socket = new ServerSocket(0)) {
        port = socket.getLocalPort();
      }
      try (CredentialManagerClient client =
          builder()
              .endpoint(URI.create("http://127.0.0.1:" + port))
              .region(Region.US_EAST_1)
              .build()) {
        assertThatExceptionOfType(TokenUnavailableException.class)
            .isThrownBy(() -> client.getAppToken(7))
            .withMessageContainingAll(
                "app 7", "127.0.0.1:" + port, "CREDENTIAL_MANAGER_APP_TOKEN_ENDPOINT")
            .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.UNREACHABLE));
      }
      assertThat(pauses).hasSize(2);
    }

    @Test
    void waitsAnywhereUpToALimitThatDoubles() {
      Random random = new Random(7);
      for (int failures = 1; failures < 100; failures++) {
        Duration limit =
            Duration.ofMillis(Math.min(5000, failures > 20 ? 5000 : 100L << (failures - 1)));
        assertThat(
                Backoff.fullJitter(Duration.ofMillis(100), Duration.ofSeconds(5), failures, random))
            .isBetween(Duration.ZERO, limit);
      }
      unavailable(Reply.of(503, ""));
      assertThat(pauses).hasSize(2);
      assertThat(pauses.get(0)).isBetween(Duration.ZERO, Duration.ofMillis(100));
      assertThat(pauses.get(1)).isBetween(Duration.ZERO, Duration.ofMillis(200));
    }

    @Test
    void waitsAsLongAsTheServerAsks() {
      server.next(Reply.of(429, "{}").with("Retry-After", "7")).next(GRANTED);
      get();
      assertThat(pauses).containsExactly(Duration.ofSeconds(7));
    }

    @Test
    void doesNotWaitPastTheDeadline() {
      TokenUnavailableException e = unavailable(Reply.of(429, "{}").with("Retry-After", "60"));
      assertThat(e.retryAfter()).contains(Duration.ofSeconds(60));
      assertThat(pauses).isEmpty();
      assertThat(server.received()).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(
        strings = {"", "soon", "-5", "99999999999999999999", "Mon, 23 Nov 1970 08:51:02 GMT"})
    void ignoresARetryAfterThatMakesNoSense(String value) {
      assertThat(unavailable(Reply.of(503, "{}").with("Retry-After", value)).retryAfter())
          .isEmpty();
    }

    @Test
    void givesUpAfterThreeAttempts() {
      TokenUnavailableException e =
          unavailable(Reply.of(502, "Internal Server Error").with("x-amzn-requestid", "r-502"));
      assertThat(server.received()).hasSize(3);
      assertThat(e.reason()).isEqualTo(Reason.INTERNAL);
      assertThat(e.requestId()).contains("r-502");
      assertThat(e).hasMessageContaining("Its log says why");
    }

    @ParameterizedTest
    @ValueSource(strings = {"APP_KEY_REJECTED", "APP_KEY_UNAVAILABLE"})
    void doesNotTryAgainWhatNeedsAnOperator(String reason) {
      unavailable(Reply.of(500, "{\"reason\":\"" + reason + "\"}"));
      assertThat(server.received()).hasSize(1);
    }

    @Test
    void endsAtItsDeadlineEvenIfTheServerStaysSilent() {
      server.always(request -> LoopbackServer.SILENCE);
      try (CredentialManagerClient client =
          builder()
              .endpoint(server.url())
              .region(Region.US_EAST_1)
              .timeout(Duration.ofMillis(300))
              .build()) {
        assertThatExceptionOfType(TokenUnavailableException.class)
            .isThrownBy(() -> client.getAppToken(1))
            .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.TIMEOUT));
      }
      assertThat(server.received()).hasSize(1);
    }

    /** Of an HTTP client that can end only a call that has its connection, as the default one. */
    @Test
    void endsACallThatWasNotConnectedYetAtItsDeadline() {
      CountDownLatch deadline = new CountDownLatch(1);
      CountDownLatch aborted = new CountDownLatch(1);
      AtomicBoolean connected = new AtomicBoolean();
      ExecutableHttpRequest call =
          new ExecutableHttpRequest() {
            @Override
            public HttpExecuteResponse call() throws IOException {
              await(deadline);
              connected.set(true);
              await(aborted);
              throw new IOException("aborted");
            }

            @Override
            public void abort() {
              deadline.countDown();
              if (connected.get()) {
                aborted.countDown();
              }
            }
          };
      assertThat(tooLate(call).reason()).isEqualTo(Reason.TIMEOUT);
    }

    @Test
    void saysUnderWhichIdAnAnswerThatCameTooLateWasLogged() {
      CountDownLatch aborted = new CountDownLatch(1);
      InputStream slow =
          new InputStream() {
            @Override
            public int read() throws IOException {
              await(aborted);
              throw new IOException("aborted");
            }
          };
      ExecutableHttpRequest call =
          new ExecutableHttpRequest() {
            @Override
            public HttpExecuteResponse call() {
              return HttpExecuteResponse.builder()
                  .response(
                      SdkHttpResponse.builder()
                          .statusCode(200)
                          .putHeader("x-amzn-requestid", "r-late")
                          .build())
                  .responseBody(AbortableInputStream.create(slow))
                  .build();
            }

            @Override
            public void abort() {
              aborted.countDown();
            }
          };
      TokenUnavailableException e = tooLate(call);
      assertThat(e.reason()).isEqualTo(Reason.TIMEOUT);
      assertThat(e.requestId()).contains("r-late");
    }

    private TokenUnavailableException tooLate(ExecutableHttpRequest call) {
      try (CredentialManagerClient client =
          builder()
              .endpoint(server.url())
              .region(Region.US_EAST_1)
              .httpClient(new FixedHttpClient(call))
              .timeout(Duration.ofMillis(50))
              .build()) {
        return catchThrowableOfType(TokenUnavailableException.class, () -> client.getAppToken(1));
      }
    }

    @Test
    void waitsForCredentialsUntilItsDeadlineOnly() {
      CompletableFuture<AwsCredentialsIdentity> never = new CompletableFuture<>();
      try (CredentialManagerClient client =
          builder()
              .endpoint(server.url())
              .region(Region.US_EAST_1)
              .credentialsProvider(identityProvider(never))
              .timeout(Duration.ofMillis(50))
              .build()) {
        assertThatExceptionOfType(TokenUnavailableException.class)
            .isThrownBy(() -> client.getAppToken(1))
            .withMessageContaining("no AWS credentials")
            .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.NO_AWS_CREDENTIALS));
        Thread.currentThread().interrupt();
        assertThatExceptionOfType(TokenUnavailableException.class)
            .isThrownBy(() -> client.getAppToken(1))
            .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.INTERRUPTED));
        assertThat(Thread.interrupted()).isTrue();
      }
      assertThat(server.received()).isEmpty();
    }

    private static IdentityProvider<AwsCredentialsIdentity> identityProvider(
        CompletableFuture<AwsCredentialsIdentity> identity) {
      return new IdentityProvider<>() {
        @Override
        public Class<AwsCredentialsIdentity> identityType() {
          return AwsCredentialsIdentity.class;
        }

        @Override
        public CompletableFuture<? extends AwsCredentialsIdentity> resolveIdentity(
            ResolveIdentityRequest request) {
          return identity;
        }
      };
    }

    private static void await(CountDownLatch latch) {
      try {
        assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    @Test
    void leavesTheThreadInterruptedIfItWas() {
      server.always(request -> Reply.of(503, ""));
      try (CredentialManagerClient client =
          builder()
              .endpoint(server.url())
              .region(Region.US_EAST_1)
              .sleeper(
                  pause -> {
                    throw new InterruptedException();
                  })
              .build()) {
        assertThatExceptionOfType(TokenUnavailableException.class)
            .isThrownBy(() -> client.getAppToken(1))
            .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.INTERRUPTED));
        assertThat(Thread.interrupted()).isTrue();
      }
    }
  }

  @Nested
  class WhenTheClockIsWrong {
    /** The test's server dates its answers with the real time. */
    private final Instant there = Instant.now().truncatedTo(ChronoUnit.SECONDS);

    private final Instant here = there.minus(Duration.ofHours(1));
    private final Reply tooOld =
        Reply.of(403, "{\"message\":\"Signature expired\"}")
            .with("x-amzn-errortype", "InvalidSignatureException");

    @Test
    void signsOnceMoreWithTheServersTimeAndKeepsIt() {
      server.next(tooOld).next(GRANTED).next(GRANTED);
      try (CredentialManagerClient client = clientAt(here)) {
        client.getInstallationToken(1001, "O_x");
        client.getInstallationToken(1001, "O_x");
      }
      List<Instant> signedAt = server.received().stream().map(this::signedAt).toList();
      assertThat(signedAt).hasSize(3);
      assertThat(signedAt.get(0)).isEqualTo(here);
      assertThat(signedAt.get(1)).isBetween(there, there.plusSeconds(60));
      assertThat(signedAt.get(2)).isEqualTo(signedAt.get(1));
      server.received().forEach(request -> SigV4.verify(request, SECRET_KEY));
      assertThat(pauses).isEmpty();
    }

    @Test
    void givesUpIfThatDoesNotHelp() {
      server.always(request -> tooOld);
      try (CredentialManagerClient client = clientAt(here)) {
        assertThatExceptionOfType(TokenDeniedException.class)
            .isThrownBy(() -> client.getInstallationToken(1001, "O_x"));
      }
      assertThat(server.received()).hasSize(2);
    }

    @Test
    void blamesNoClockThatIsRight() {
      server.always(request -> tooOld);
      try (CredentialManagerClient client = clientAt(there.minusSeconds(60))) {
        assertThatExceptionOfType(TokenDeniedException.class)
            .isThrownBy(() -> client.getInstallationToken(1001, "O_x"));
      }
      assertThat(server.received()).hasSize(1);
    }

    @Test
    void judgesTokensByTheLaterOfTheTwoClocks() {
      server.next(tooOld).next(GRANTED);
      try (CredentialManagerClient client = clientAt(here)) {
        assertThat(pessimisticClock(client).instant()).isEqualTo(here);
        client.getInstallationToken(1001, "O_x");
        assertThat(pessimisticClock(client).instant()).isBetween(there, there.plusSeconds(60));
        assertThat(pessimisticClock(client).millis())
            .isEqualTo(pessimisticClock(client).instant().toEpochMilli());
      }
    }

    @Test
    void aCacheInFrontJudgesByTheLaterOneToo() {
      server
          .next(tooOld)
          .always(
              request ->
                  Reply.json(
                      "{\"appToken\":\"t%d\",\"expirationTime\":\"%s\"}"
                          .formatted(server.received().size(), there.plus(Duration.ofHours(1)))));
      ManualTime time = new ManualTime();
      time.set(here);
      try (CachingTokenProvider cache =
          CachingTokenProvider.builder(
                  builder()
                      .endpoint(server.url())
                      .region(Region.US_EAST_1)
                      .clock(time)
                      .build()
                      .asTokenProvider())
              .build()) {
        cache.getToken(TokenRequest.app(1));
        time.advance(Duration.ofHours(1));
        assertThatExceptionOfType(TokenUnavailableException.class)
            .as("it has expired where the clock is right")
            .isThrownBy(() -> cache.getToken(TokenRequest.app(1)));
      }
      assertThat(server.received()).hasSize(3);
    }

    private static InstantSource pessimisticClock(CredentialManagerClient client) {
      return ((CredentialManagerClient.UncachedTokens) client.asTokenProvider()).pessimisticClock();
    }

    private Instant signedAt(Received request) {
      return Instant.from(
          DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmssX")
              .parse(String.valueOf(request.header("x-amz-date"))));
    }

    private CredentialManagerClient clientAt(Instant now) {
      return builder()
          .endpoint(server.url())
          .region(Region.US_EAST_1)
          .clock(InstantSource.fixed(now))
          .build();
    }
  }

  @Nested
  class AsATokenProvider {
    @Test
    void asksForEachKindOfToken() {
      server.next(
          Reply.json(
              "{\"appToken\":\"a.b.c\",\"appId\":1001,\"expirationTime\":\"2026-11-23T09:51:02Z\"}"));
      server.always(request -> GRANTED);
      try (TokenProvider provider = client().asTokenProvider()) {
        assertThat(provider.getToken(TokenRequest.app(1001)).nodeId()).isEmpty();
        provider.getToken(TokenRequest.installation(1001, "O_x"));
        provider.getToken(
            TokenRequest.installation(
                1001, "O_x", Scope.builder().repositories("API").write("issues").build()));
      }
      assertThat(server.received())
          .extracting(Received::text)
          .containsExactly(
              "{\"appId\":1001}",
              "{\"appId\":1001,\"nodeId\":\"O_x\"}",
              "{\"appId\":1001,\"nodeId\":\"O_x\",\"scopeDown\":{\"repositoryNames\":[\"api\"],\"permissions\":{\"issues\":\"write\"}}}");
    }

    @Test
    void refusesALifeThatNoTokenHas() {
      server.always(request -> GRANTED);
      try (CredentialManagerClient client =
          builder()
              .endpoint(server.url())
              .region(Region.US_EAST_1)
              .clock(InstantSource.fixed(Instant.parse("2026-11-23T08:51:02Z")))
              .build()) {
        TokenRequest request = TokenRequest.installation(1001, "O_x");
        client.asTokenProvider().getToken(request.withMinRemaining(Duration.ofMinutes(60)));
        assertThatExceptionOfType(TokenDeniedException.class)
            .isThrownBy(
                () ->
                    client
                        .asTokenProvider()
                        .getToken(request.withMinRemaining(Duration.ofMinutes(61))))
            .withMessageContaining("PT1H1M");
      }
    }
  }

  private static org.assertj.core.api.AbstractThrowableAssert<?, ? extends Throwable>
      assertThatIllegalArgument(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    return assertThatThrownBy(call).isInstanceOf(IllegalArgumentException.class);
  }

  private static String stackTrace(Throwable e) {
    StringWriter text = new StringWriter();
    e.printStackTrace(new PrintWriter(text));
    return text.toString();
  }

  /** A client that is not the default one, to see that it is used. */
  /** Makes the same call whatever the request. */
  private record FixedHttpClient(ExecutableHttpRequest call) implements SdkHttpClient {
    @Override
    public ExecutableHttpRequest prepareRequest(HttpExecuteRequest request) {
      return call;
    }

    @Override
    public void close() {}
  }

  private static final class CapturingHttpClient implements SdkHttpClient {
    private final List<HttpExecuteRequest> requests = new ArrayList<>();
    private boolean closed;

    @Override
    public ExecutableHttpRequest prepareRequest(HttpExecuteRequest request) {
      requests.add(request);
      return new ExecutableHttpRequest() {
        @Override
        public HttpExecuteResponse call() {
          return HttpExecuteResponse.builder()
              .response(SdkHttpResponse.builder().statusCode(200).build())
              .responseBody(AbortableInputStream.create(new ByteArrayInputStream(GRANTED.body())))
              .build();
        }

        @Override
        public void abort() {}
      };
    }

    @Override
    public void close() {
      closed = true;
    }
  }
}
