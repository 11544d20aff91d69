package io.github.credentialmanager.server;

import static com.github.tomakehurst.wiremock.client.WireMock.aResponse;
import static com.github.tomakehurst.wiremock.client.WireMock.any;
import static com.github.tomakehurst.wiremock.client.WireMock.anyRequestedFor;
import static com.github.tomakehurst.wiremock.client.WireMock.anyUrl;
import static com.github.tomakehurst.wiremock.core.WireMockConfiguration.options;
import static org.assertj.core.api.Assertions.assertThat;

import com.github.tomakehurst.wiremock.WireMockServer;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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
    world.app(1001).installation(1001, "O_1", 7001);
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
    List<String> documented = Files.readAllLines(Path.of("..", "docs", "upstream-calls.md"));
    assertThat(documented)
        .as("docs/upstream-calls.md")
        .anySatisfy(
            line ->
                assertThat(line).startsWith("| " + operation + " | " + cold + " | " + warm + " |"));
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
