package io.github.credentialmanager.server;

import static com.github.tomakehurst.wiremock.client.WireMock.aResponse;
import static com.github.tomakehurst.wiremock.client.WireMock.any;
import static com.github.tomakehurst.wiremock.client.WireMock.anyRequestedFor;
import static com.github.tomakehurst.wiremock.client.WireMock.anyUrl;
import static com.github.tomakehurst.wiremock.client.WireMock.equalTo;
import static com.github.tomakehurst.wiremock.client.WireMock.get;
import static com.github.tomakehurst.wiremock.client.WireMock.okJson;
import static com.github.tomakehurst.wiremock.client.WireMock.urlPathEqualTo;
import static com.github.tomakehurst.wiremock.core.WireMockConfiguration.options;
import static org.assertj.core.api.Assertions.assertThat;

import com.github.tomakehurst.wiremock.WireMockServer;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

/** Counts the calls that an operation makes, and holds {@code docs/upstream-calls.md} to them. */
class UpstreamCallsTest {
  private final World world = new World();
  private final WireMockServer kms = inFrontOf(world.kms.endpoint());
  private final WireMockServer dynamoDb = inFrontOf(DynamoDbLocal.endpoint());

  private static WireMockServer inFrontOf(URI endpoint) {
    WireMockServer proxy = new WireMockServer(options().dynamicPort());
    proxy.start();
    proxy.stubFor(any(anyUrl()).willReturn(aResponse().proxiedFrom(endpoint.toString())));
    return proxy;
  }

  @BeforeEach
  void setUp() {
    world.with(
        settings ->
            settings
                .kmsEndpoint(URI.create(kms.baseUrl()))
                .dynamoDbEndpoint(URI.create(dynamoDb.baseUrl())));
    // Stopped, for what is warm is so for a minute.
    world.at("2026-11-23T09:00:00Z").app(1001).installation(1001, "O_1", 7001);
    GitHubStubs.knowsTheApp(world);
    GitHubStubs.vends(world, 7001);
  }

  @AfterEach
  void close() {
    world.close();
    kms.stop();
    dynamoDb.stop();
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\'',
      value = {
        "GetAppToken          | /tokens/app          | {\"appId\":1001}",
        "GetInstallationToken | /tokens/installation | {\"appId\":1001,\"nodeId\":\"O_1\"}",
        "GetInstallationData  | /installations/info  | {\"nodeId\":\"O_1\"}",
        "GetInstallations     | /installations       | {}",
      })
  void areAsDocumented(String operation, String path, String body) throws Exception {
    String cold = callsOf(path, body);
    String warm = callsOf(path, body);
    assertThat(documented())
        .as("docs/upstream-calls.md")
        .anySatisfy(
            line ->
                assertThat(line).startsWith("| " + operation + " | " + cold + " | " + warm + " |"));
  }

  @Nested
  class RefreshCachedData {
    private static final int FIRST = 2_000;

    @Test
    void isAsDocumented() throws Exception {
      world.dynamoDb.deleteItem(
          request ->
              request
                  .tableName(world.installationTable)
                  .key(Map.of("AppId", World.number(1001), "NodeId", AttributeValue.fromS("O_1"))));
      pages(FIRST);
      assertDocumented("RefreshCachedData, 2,000 new installations", refresh());
      assertThat(world.rows(world.installationTable)).hasSize(FIRST);
      assertDocumented("RefreshCachedData, nothing changed", refresh());
      pages(FIRST + 1);
      assertDocumented("RefreshCachedData, one more", refresh());
    }

    @Test
    void isColdAsDocumentedWhereNothingChanged() throws Exception {
      world.installation(
          1001,
          "O_1",
          Map.of(
              "InstallationId", World.number(1),
              "TargetType", AttributeValue.fromS("Organization"),
              "Name", AttributeValue.fromS("account-1")));
      pages(1);
      assertDocumented("RefreshCachedData, cold, nothing changed", refresh());
    }

    private String refresh() {
      return callsOf("/installations/refresh", "");
    }

    private void assertDocumented(String situation, String calls) throws IOException {
      assertThat(documented())
          .as("docs/upstream-calls.md")
          .anySatisfy(line -> assertThat(line).startsWith("| " + situation + " | " + calls + " |"));
    }

    private void pages(int count) {
      for (int page = 1; page <= count / 100 + 1; page++) {
        String entries =
            LongStream.rangeClosed(page * 100L - 99, Math.min(page * 100L, count))
                .mapToObj(id -> GitHubStubs.entry(id, "O_" + id))
                .collect(Collectors.joining(",", "[", "]"));
        world.gitHub.stubFor(
            get(urlPathEqualTo("/app/installations"))
                .withQueryParam("page", equalTo(Integer.toString(page)))
                .willReturn(
                    okJson(entries)
                        .withHeader(
                            "link",
                            page * 100 < count
                                ? "<https://api.github.com/app/installations?page="
                                    + (page + 1)
                                    + ">; rel=\"next\""
                                : "<https://api.github.com/app/installations?page=1>; rel=\"first\"")));
      }
    }
  }

  private static List<String> documented() throws IOException {
    return Files.readAllLines(Path.of("..", "docs", "upstream-calls.md"));
  }

  private String callsOf(String path, String body) {
    List<WireMockServer> doubles = List.of(world.gitHub, kms, dynamoDb);
    doubles.forEach(WireMockServer::resetRequests);
    assertThat(world.post(path, body).status()).isEqualTo(200);
    return doubles.stream()
        .map(each -> Integer.toString(each.findAll(anyRequestedFor(anyUrl())).size()))
        .collect(Collectors.joining(" + "));
  }
}
