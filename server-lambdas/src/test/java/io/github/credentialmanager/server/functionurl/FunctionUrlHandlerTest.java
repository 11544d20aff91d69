package io.github.credentialmanager.server.functionurl;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.amazonaws.services.lambda.runtime.Context;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.credentialmanager.server.TestContext;
import io.github.credentialmanager.server.World;
import io.github.credentialmanager.server.audit.ServiceLog;
import io.github.credentialmanager.server.contract.Reason;
import io.github.credentialmanager.server.contract.ServiceException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FunctionUrlHandlerTest {
  private static final String PATH = "/tokens/app";

  private final List<String> log = new CopyOnWriteArrayList<>();
  private final ExecutorService executor = Executors.newCachedThreadPool();
  private final CountDownLatch never = new CountDownLatch(1);
  private Consumer<String> sink = log::add;
  private Duration timeout = Duration.ofSeconds(10);
  private Set<String> allowedAccounts = Set.of();
  private Set<String> allowedDomains = Set.of();
  private Operation operation =
      request ->
          Answer.vending(
              Map.of("appToken", "eyJ.secret"), "AppTokenVended", Map.of("appId", 1001L));

  @AfterEach
  void stopThreads() {
    executor.shutdownNow();
  }

  private static ObjectNode event() {
    return World.event("POST", PATH, Map.of(), "{\"appId\":1001}");
  }

  private World.Response send(JsonNode event) {
    return send(event.toString(), new TestContext());
  }

  private World.Response send(String event, @Nullable Context context) {
    FunctionUrlHandler handler =
        new FunctionUrlHandler(
            PATH,
            operation,
            new EventCheck(allowedAccounts, allowedDomains, "us-east-1"),
            new ServiceLog(sink, InstantSource.system()),
            executor,
            timeout);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      handler.handleRequest(new ByteArrayInputStream(event.getBytes(UTF_8)), out, context);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new World.Response(World.read(out.toString(UTF_8)));
  }

  private JsonNode onlyLine() {
    assertThat(log).hasSize(1);
    return World.read(log.get(0));
  }

  @Nested
  class AVend {
    @Test
    void isAnsweredWithRealHeaders() {
      World.Response response = send(event());
      assertThat(response.raw().fieldNames())
          .toIterable()
          .containsExactlyInAnyOrder("statusCode", "headers", "body", "isBase64Encoded");
      assertThat(response.status()).isEqualTo(200);
      assertThat(response.headers().path("content-type").asText()).isEqualTo("application/json");
      assertThat(response.headers().path("cache-control").asText()).isEqualTo("no-store");
    }

    @Test
    void leavesOneAuditLineOfWhoAsked() {
      send(event());
      JsonNode line = onlyLine();
      assertThat(line.path("event").asText()).isEqualTo("AppTokenVended");
      assertThat(line.path("caller").asText()).endsWith(":assumed-role/Builder/session-1");
      assertThat(line.path("callerAccount").asText()).isEqualTo(TestContext.ACCOUNT);
      assertThat(line.path("accessKeyId").asText()).isEqualTo("ASIAEXAMPLE");
      assertThat(line.path("requestId").asText()).isEqualTo("request-1");
      assertThat(line.path("appId").asLong()).isEqualTo(1001);
    }

    @Test
    void hasItsLineBeforeItsAnswer() {
      sink =
          line -> {
            throw new IllegalStateException("disk full");
          };
      World.Response response = send(event());
      assertThat(response.status()).isEqualTo(500);
      assertThat(response.raw().toString()).doesNotContain("secret");
    }

    @Test
    void thatComesTooLateIsNeitherAuditedNorHandedOut() {
      timeout = Duration.ofMillis(400);
      CountDownLatch done = new CountDownLatch(1);
      operation =
          request -> {
            awaitInterrupt(never);
            done.countDown();
            return Answer.vending(Map.of("appToken", "eyJ.secret"), "AppTokenVended", Map.of());
          };
      World.Response response = send(event());
      assertThat(response.status()).isEqualTo(500);
      assertThat(response.body().path("reason").asText()).isEqualTo("TIMEOUT");
      awaitInterrupt(done);
      assertThat(onlyLine().path("event").asText()).isEqualTo("RequestRefused");
    }
  }

  @Nested
  class Time {
    @Test
    void isAnsweredInEvenIfTheOperationCannotBeInterrupted() {
      timeout = Duration.ofMillis(500);
      operation =
          request -> {
            while (never.getCount() > 0) {
              Thread.onSpinWait();
            }
            return Answer.of(Map.of());
          };
      long start = System.nanoTime();
      World.Response response = send(event());
      Duration taken = Duration.ofNanos(System.nanoTime() - start);
      never.countDown();
      assertThat(response.body().path("reason").asText()).isEqualTo("TIMEOUT");
      assertThat(taken).isLessThan(Duration.ofSeconds(2));
    }

    @Test
    void isWhatLambdaHasLeftIfThatIsLess() {
      operation = request -> Answer.of(Map.of("left", request.deadline().remaining().toMillis()));
      World.Response response =
          send(event().toString(), new TestContext(TestContext.ACCOUNT, 2_000));
      assertThat(response.body().path("left").asLong()).isBetween(1_000L, 1_750L);
    }

    @Test
    void thatIsUpAlreadyIsATimeout() {
      World.Response response = send(event().toString(), new TestContext(TestContext.ACCOUNT, 100));
      assertThat(response.body().path("reason").asText()).isEqualTo("TIMEOUT");
    }
  }

  @Nested
  class AnEvent {
    @ParameterizedTest
    @ValueSource(
        strings = {
          "",
          "null",
          "[]",
          "{}",
          "{\"version\":\"1.0\"}",
          "{\"version\":\"2.0\",\"requestContext\":{}}",
          "{\"version\":\"2.0\",\"requestContext\":[]}",
        })
    void thatIsNoneIsDenied(String text) {
      World.Response response = send(text, new TestContext());
      assertThat(response.status()).isEqualTo(403);
      assertThat(response.errorType()).isEqualTo("AccessDeniedException");
      assertThat(onlyLine().path("ForeignEvent").asInt()).isEqualTo(1);
    }

    @Test
    void fromAnotherAccountIsDeniedUnlessThatIsConfigured() {
      ObjectNode event = event();
      iam(event).put("accountId", "444455556666");
      assertThat(send(event).status()).isEqualTo(403);
      allowedAccounts = Set.of("444455556666");
      assertThat(send(event).status()).isEqualTo(200);
    }

    @Test
    void thatClaimsAnotherOwnerIsDeniedEvenIfTheCallerClaimsItToo() {
      ObjectNode event = event();
      context(event).put("accountId", "444455556666");
      iam(event).put("accountId", "444455556666");
      assertThat(send(event).status()).isEqualTo(403);
    }

    @Test
    void withoutAnAccountIsJudgedByTheCallersArn() {
      ObjectNode event = event();
      iam(event).putNull("accountId");
      assertThat(send(event).status()).isEqualTo(200);
      iam(event).put("userArn", "arn:aws:iam::444455556666:user/x");
      assertThat(send(event).status()).isEqualTo(403);
      iam(event).remove("userArn");
      assertThat(send(event).status()).isEqualTo(403);
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "abc.lambda-url.eu-west-1.on.aws",
          "abc.lambda-url.us-east-1.on.aws.example.com",
          "lambda-url.us-east-1.on.aws",
          "localhost",
        })
    void fromAnotherDomainIsDenied(String domain) {
      ObjectNode event = event();
      context(event).put("domainName", domain);
      assertThat(send(event).status()).isEqualTo(403);
    }

    @Test
    void fromAConfiguredDomainIsServedAndNoOther() {
      allowedDomains = Set.of("localhost");
      assertThat(send(event()).status()).isEqualTo(403);
      ObjectNode event = event();
      context(event).put("domainName", "localhost");
      assertThat(send(event).status()).isEqualTo(200);
    }

    @Test
    void mayLackWhatIsNotLookedAt() {
      ObjectNode event = event();
      event.remove(List.of("headers", "cookies", "rawQueryString", "isBase64Encoded", "routeKey"));
      iam(event).remove(List.of("accessKey", "callerId", "userId", "principalOrgId"));
      assertThat(send(event).status()).isEqualTo(200);
    }

    @Test
    void isServedOutsideOfLambdaToo() {
      assertThat(send(event().toString(), null).status()).isEqualTo(200);
    }

    private static ObjectNode context(ObjectNode event) {
      return (ObjectNode) event.path("requestContext");
    }

    private static ObjectNode iam(ObjectNode event) {
      return (ObjectNode) context(event).path("authorizer").path("iam");
    }
  }

  @Nested
  class ARefusal {
    @Test
    void isLoggedWithCallerAndReason() {
      operation =
          request -> {
            throw ServiceException.clientSide(Reason.APP_NOT_REGISTERED, "no");
          };
      send(event());
      JsonNode line = onlyLine();
      assertThat(line.path("event").asText()).isEqualTo("RequestRefused");
      assertThat(line.path("reason").asText()).isEqualTo("APP_NOT_REGISTERED");
      assertThat(line.path("caller").asText()).contains("Builder");
      assertThat(line.path("appId").asLong()).isEqualTo(1001);
    }

    @Test
    void forAFaultOfOursNamesThePlaceAndNoContent() {
      operation =
          request -> {
            throw new IllegalStateException("token ghs_secret");
          };
      World.Response response = send(event());
      assertThat(response.status()).isEqualTo(500);
      assertThat(response.body().path("reason").asText()).isEqualTo("INTERNAL");
      assertThat(response.raw().toString()).doesNotContain("ghs_secret");
      JsonNode line = onlyLine();
      assertThat(line.path("failure").asText()).isEqualTo("IllegalStateException");
      assertThat(line.path("failedAt").get(0).asText()).contains("FunctionUrlHandlerTest");
      assertThat(log.get(0)).doesNotContain("ghs_secret");
    }

    @Test
    void evenForAnErrorOfTheMachineIsTyped() {
      operation =
          request -> {
            throw new StackOverflowError();
          };
      assertThat(send(event()).errorType()).isEqualTo("ServerSideError");
    }

    @Test
    void neverLogsTheEvent() {
      ObjectNode event = event();
      event.put("body", "{\"appId\":\"ghs_secret\",\"nodeId\":\"" + "n".repeat(300) + "\"}");
      operation =
          request -> {
            request.input().integer("appId");
            return Answer.of(Map.of());
          };
      assertThat(send(event).errorType()).isEqualTo("SerializationException");
      assertThat(log.get(0)).doesNotContain("SESSIONTOKEN", "ghs_secret", "nnn");
    }

    @Test
    void staysOneLineWhateverTheNodeIdSays() {
      ObjectNode event = event();
      event.put("body", "{\"nodeId\":\"x\\\"}\\n{\\\"event\\\":\\\"AppTokenVended\\\"\"}");
      operation =
          request -> {
            throw new IllegalStateException();
          };
      send(event);
      assertThat(log).hasSize(1);
      assertThat(log.get(0)).doesNotContain("\n");
      assertThat(onlyLine().path("event").asText()).isEqualTo("RequestRefused");
    }
  }

  private static void awaitInterrupt(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
