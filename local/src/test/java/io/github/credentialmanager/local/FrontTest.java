package io.github.credentialmanager.local;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.credentialmanager.local.Identities.Identity;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;

class FrontTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Recorder function = new Recorder();
  private final Identities identities = new Identities();
  private Identity caller;
  private Front front;

  @BeforeEach
  void start() {
    caller = identities.add("developer", Front.FUNCTIONS.keySet(), false);
    front = new Front(0, "us-east-1", identities, InstantSource.system(), handlers(function));
  }

  @AfterEach
  void stop() {
    front.close();
  }

  @Nested
  class ForAGoodRequest {
    @Test
    void makesTheEventThatLambdaMakes() throws Exception {
      HttpResponse<String> response =
          SignedHttp.send(
              "POST",
              uri("/tokens/app/?a=1&a=2&b=%20c"),
              "{\"appId\":1001}",
              "{\"appId\":1001}",
              caller.credentials(),
              Instant.now(),
              Map.of("content-type", "application/json", "X-Custom", "One"));

      assertThat(response.statusCode()).isEqualTo(200);
      JsonNode event = function.event();
      assertThat(event.path("version").textValue()).isEqualTo("2.0");
      assertThat(event.path("rawPath").textValue()).isEqualTo("/tokens/app/");
      assertThat(event.path("rawQueryString").textValue()).isEqualTo("a=1&a=2&b=%20c");
      assertThat(event.path("queryStringParameters"))
          .isEqualTo(JSON.readTree("{\"a\":\"1,2\",\"b\":\" c\"}"));
      assertThat(event.path("body").textValue()).isEqualTo("{\"appId\":1001}");
      assertThat(event.path("isBase64Encoded").booleanValue()).isFalse();
      assertThat(event.at("/headers/x-custom").textValue()).isEqualTo("One");
      assertThat(event.at("/headers/x-amz-security-token").textValue())
          .isEqualTo(caller.credentials().sessionToken());
      assertThat(event.path("headers").has("authorization")).isFalse();
      JsonNode context = event.path("requestContext");
      assertThat(context.path("accountId").textValue()).isEqualTo("111122223333");
      assertThat(context.path("domainName").textValue())
          .matches("[0-9a-f]{32}\\.lambda-url\\.us-east-1\\.on\\.aws");
      assertThat(context.at("/http/method").textValue()).isEqualTo("POST");
      assertThat(context.path("requestId").textValue())
          .isEqualTo(function.context().getAwsRequestId());
      JsonNode iam = context.at("/authorizer/iam");
      assertThat(iam.path("accessKey").textValue()).isEqualTo(caller.credentials().accessKeyId());
      assertThat(iam.path("accountId").textValue()).isEqualTo("111122223333");
      assertThat(iam.path("userArn").textValue())
          .isEqualTo("arn:aws:sts::111122223333:assumed-role/developer/local");
      assertThat(iam.path("principalOrgId").isNull()).isTrue();
      assertThat(function.context().getRemainingTimeInMillis()).isBetween(1, 20_000);
      assertThat(function.context().getInvokedFunctionArn())
          .startsWith("arn:aws:lambda:us-east-1:111122223333:function:");
    }

    @Test
    void joinsRepeatedHeadersByAComma() throws Exception {
      SignedRequest request =
          new SignedRequest(
              "POST",
              "/tokens/app",
              List.of(
                  new SignedRequest.Header("X-Thing", "one"),
                  new SignedRequest.Header("x-thing", "two"),
                  new SignedRequest.Header("Cookie", "a=1; b=2")),
              new byte[0]);

      front.function("/tokens/app").invoke(request, caller, Instant.now());

      assertThat(function.event().at("/headers/x-thing").textValue()).isEqualTo("one,two");
      assertThat(function.event().path("cookies")).isEqualTo(JSON.readTree("[\"a=1\",\"b=2\"]"));
      assertThat(function.event().has("body")).isFalse();
    }

    @Test
    void sendsFormFieldsAsBase64() throws Exception {
      SignedHttp.send(
          "POST",
          uri("/tokens/app"),
          "a=b",
          "a=b",
          caller.credentials(),
          Instant.now(),
          Map.of("content-type", "application/x-www-form-urlencoded"));

      assertThat(function.event().path("isBase64Encoded").booleanValue()).isTrue();
      assertThat(function.event().path("body").binaryValue()).isEqualTo("a=b".getBytes(UTF_8));
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "/tokens/app",
          "/tokens/installation",
          "/installations/refresh",
          "/installations/info",
          "/installations",
          "/installations/",
        })
    void hasAFunctionForEachPath(String path) throws Exception {
      Map<String, Recorder> recorders =
          Front.FUNCTIONS.keySet().stream()
              .collect(Collectors.toMap(Function.identity(), it -> new Recorder()));
      try (Front other = new Front(0, "us-east-1", identities, InstantSource.system(), recorders)) {
        URI uri = URI.create(other.endpoint() + path);
        SignedHttp.post(uri, "{}", caller.credentials(), Instant.now());
      }

      assertThat(recorders.entrySet().stream().filter(it -> it.getValue().called()))
          .singleElement()
          .satisfies(it -> assertThat(it.getKey()).isEqualTo(path.replaceAll("/$", "")));
    }

    @Test
    void letsAFunctionAnswerToAWrongPathAndMethod() throws Exception {
      function.answer = "{\"statusCode\":404,\"body\":\"nope\"}";

      assertThat(post("/tokens/nothing", "{}").body()).isEqualTo("nope");
      assertThat(
              SignedHttp.send(
                      "PUT",
                      uri("/tokens/app"),
                      "",
                      "",
                      caller.credentials(),
                      Instant.now(),
                      Map.of())
                  .statusCode())
          .isEqualTo(404);
      assertThat(function.event().at("/requestContext/http/method").textValue()).isEqualTo("PUT");
    }
  }

  @Nested
  class RelaysWhatTheFunctionAnswers {
    @Test
    void statusHeadersAndBody() throws Exception {
      function.answer =
          "{\"statusCode\":429,\"headers\":{\"Retry-After\":\"7\",\"cache-control\":\"no-store\"},"
              + "\"body\":\"{\\\"message\\\":\\\"ü\\\"}\",\"isBase64Encoded\":false}";

      HttpResponse<String> response = post("/tokens/app", "{}");

      assertThat(response.statusCode()).isEqualTo(429);
      assertThat(response.headers().firstValue("retry-after")).hasValue("7");
      assertThat(response.headers().firstValue("content-type")).hasValue("application/json");
      assertThat(response.body()).isEqualTo("{\"message\":\"ü\"}");
    }

    @Test
    void base64() throws Exception {
      function.answer = "{\"statusCode\":200,\"body\":\"aGk=\",\"isBase64Encoded\":true}";

      assertThat(post("/tokens/app", "{}").body()).isEqualTo("hi");
    }

    @Test
    void jsonWithoutAStatusAsTheBodyOfA200() throws Exception {
      function.answer = "{\"errorMessage\":\"oops\"}";

      HttpResponse<String> response = post("/tokens/app", "{}");

      assertThat(response.statusCode()).isEqualTo(200);
      assertThat(response.body()).isEqualTo("{\"errorMessage\":\"oops\"}");
    }

    @ParameterizedTest
    @ValueSource(
        strings = {"no json", "", "{\"statusCode\":200,\"body\":\"%\",\"isBase64Encoded\":true}"})
    void whatIsMalformedAsA502(String answer) throws Exception {
      function.answer = answer;

      assertFailed(post("/tokens/app", "{}"));
    }

    @Test
    void whatIsTooLargeAsA502() throws Exception {
      function.answer = "{\"statusCode\":200,\"body\":\"" + "x".repeat(6 * 1024 * 1024) + "\"}";

      assertFailed(post("/tokens/app", "{}"));
    }

    @Test
    void anExceptionAsA502() throws Exception {
      function.failure = new IllegalStateException("secret detail");

      assertFailed(post("/tokens/app", "{}"));
    }

    private void assertFailed(HttpResponse<String> response) {
      assertThat(response.statusCode()).isEqualTo(502);
      assertThat(response.body()).isEqualTo("Internal Server Error");
    }
  }

  @Nested
  class Refuses {
    @Test
    void aWrongSecret() throws Exception {
      AwsSessionCredentials wrong =
          AwsSessionCredentials.create(
              caller.credentials().accessKeyId(), "wrong", caller.credentials().sessionToken());

      assertRefused(
          SignedHttp.post(uri("/tokens/app"), "{}", wrong, Instant.now()),
          "InvalidSignatureException",
          "{\"message\":\"The request signature we calculated does not match");
    }

    @Test
    void aStaleDate() throws Exception {
      assertRefused(
          SignedHttp.post(
              uri("/tokens/app"),
              "{}",
              caller.credentials(),
              Instant.now().minus(Duration.ofMinutes(6))),
          "InvalidSignatureException",
          "{\"message\":\"Signature expired: ");
    }

    @Test
    void aChangedBody() throws Exception {
      assertRefused(
          SignedHttp.post(
              uri("/tokens/app"),
              "{\"appId\":1}",
              "{\"appId\":2}",
              caller.credentials(),
              Instant.now()),
          "InvalidSignatureException",
          "{\"message\":\"The request signature we calculated does not match");
    }

    @Test
    void aRequestThatNobodySigned() throws Exception {
      HttpResponse<String> response =
          HttpClient.newHttpClient()
              .send(
                  HttpRequest.newBuilder(uri("/tokens/app"))
                      .POST(HttpRequest.BodyPublishers.ofString("{}"))
                      .build(),
                  HttpResponse.BodyHandlers.ofString());

      assertRefused(response, "AccessDeniedException", "{\"Message\":\"Forbidden.");
    }

    @Test
    void aCallerWithoutAGrant() throws Exception {
      Identity stranger = identities.add("stranger", Set.of(), false);

      assertRefused(
          SignedHttp.post(uri("/tokens/app"), "{}", stranger.credentials(), Instant.now()),
          "AccessDeniedException",
          "{\"Message\":\"Forbidden.");
    }

    @Test
    void aCallerWithAGrantForAnotherFunction() throws Exception {
      Identity reader = identities.add("reader", Set.of("/installations"), false);

      assertThat(
              SignedHttp.post(uri("/installations"), "{}", reader.credentials(), Instant.now())
                  .statusCode())
          .isEqualTo(200);
      assertRefused(
          SignedHttp.post(uri("/tokens/installation"), "{}", reader.credentials(), Instant.now()),
          "AccessDeniedException",
          "{\"Message\":\"Forbidden.");
    }

    @Test
    void moreThanSixMegabytes() throws Exception {
      HttpResponse<String> response = post("/tokens/app", "x".repeat(6 * 1024 * 1024 + 1));

      assertThat(response.statusCode()).isEqualTo(413);
      assertThat(response.body()).contains("Request must be smaller than 6291456 bytes");
      assertThat(function.called()).isFalse();
    }

    private void assertRefused(HttpResponse<String> response, String type, String body) {
      assertThat(response.statusCode()).isEqualTo(403);
      assertThat(response.headers().firstValue("x-amzn-ErrorType")).hasValue(type);
      assertThat(response.headers().firstValue("content-type")).hasValue("application/json");
      assertThat(response.body()).startsWith(body);
    }
  }

  @Nested
  class ForCurl {
    @Test
    void takesWhatItSigns() throws Exception {
      assertThat(curl(caller.credentials().secretAccessKey())).endsWith("200");
      assertThat(function.event().path("body").textValue()).isEqualTo("{\"appId\":1001}");
    }

    @Test
    void refusesAWrongSecret() throws Exception {
      assertThat(curl("wrong")).contains("The request signature").endsWith("403");
    }

    private String curl(String secret) throws Exception {
      List<String> command =
          new ArrayList<>(List.of("curl", "--silent", "--write-out", "%{http_code}"));
      command.addAll(List.of("--aws-sigv4", "aws:amz:us-east-1:lambda"));
      command.addAll(List.of("--user", caller.credentials().accessKeyId() + ":" + secret));
      command.addAll(List.of("-H", "x-amz-security-token: " + caller.credentials().sessionToken()));
      command.addAll(List.of("-H", "content-type: application/json"));
      command.addAll(List.of("-d", "{\"appId\":1001}", uri("/tokens/app").toString()));
      Process curl;
      try {
        curl = new ProcessBuilder(command).redirectErrorStream(true).start();
      } catch (IOException e) {
        assumeTrue(false, "curl is not installed");
        return "";
      }
      String output = new String(curl.getInputStream().readAllBytes(), UTF_8);
      assumeTrue(curl.waitFor() != 2, "this curl cannot sign for AWS");
      return output;
    }
  }

  private URI uri(String path) {
    return URI.create(front.endpoint() + path);
  }

  private HttpResponse<String> post(String path, String body) throws Exception {
    return SignedHttp.post(uri(path), body, caller.credentials(), Instant.now());
  }

  private static Map<String, RequestStreamHandler> handlers(RequestStreamHandler handler) {
    return Front.FUNCTIONS.keySet().stream()
        .collect(Collectors.toMap(Function.identity(), path -> handler));
  }

  /** Keeps the last event and answers as it is told. */
  private static final class Recorder implements RequestStreamHandler {
    private volatile byte @Nullable [] event;
    private volatile @Nullable Context context;
    volatile String answer = "{\"statusCode\":200,\"body\":\"{}\"}";
    volatile @Nullable RuntimeException failure;

    @Override
    public void handleRequest(InputStream input, OutputStream output, Context context)
        throws IOException {
      this.event = input.readAllBytes();
      this.context = context;
      RuntimeException failing = failure;
      if (failing != null) {
        throw failing;
      }
      output.write(answer.getBytes(UTF_8));
    }

    boolean called() {
      return event != null;
    }

    JsonNode event() throws IOException {
      byte[] last = event;
      assertThat(last).isNotNull();
      return JSON.readTree(last);
    }

    Context context() {
      Context last = context;
      if (last == null) {
        throw new AssertionError("not invoked");
      }
      return last;
    }
  }
}
