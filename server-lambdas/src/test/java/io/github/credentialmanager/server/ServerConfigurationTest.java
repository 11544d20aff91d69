package io.github.credentialmanager.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.net.URI;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.regions.Region;

class ServerConfigurationTest {
  private static final Map<String, String> REQUIRED =
      Map.of(
          "APP_TABLE_NAME", "Apps",
          "INSTALLATION_TABLE_NAME", "Installations",
          "AWS_REGION", "eu-central-1");

  @Nested
  class FromTheEnvironment {
    @Test
    void needsThreeVariables() {
      ServerConfiguration configuration = ServerConfiguration.fromEnvironment(REQUIRED);
      assertThat(configuration.appTableName()).isEqualTo("Apps");
      assertThat(configuration.installationTableName()).isEqualTo("Installations");
      assertThat(configuration.region()).isEqualTo(Region.EU_CENTRAL_1);
      assertThat(configuration.gitHubApiUrl()).isEqualTo(URI.create("https://api.github.com"));
      assertThat(configuration.kmsEndpoint()).isNull();
      assertThat(configuration.dynamoDbEndpoint()).isNull();
      assertThat(configuration.requestTimeout()).isEqualTo(Duration.ofSeconds(10));
    }

    @Test
    void namesEverythingThatIsMissing() {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> ServerConfiguration.fromEnvironment(Map.of("AWS_REGION", " ")))
          .withMessage(
              "The server's configuration is incomplete. Set APP_TABLE_NAME (appTableName), "
                  + "INSTALLATION_TABLE_NAME (installationTableName), AWS_REGION (region).");
    }

    @Test
    void readsEndpointsAndAllowances() {
      Map<String, String> environment = new HashMap<>(REQUIRED);
      environment.put("GITHUB_API_URL", "https://github.example.com/api/v3");
      environment.put("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
      environment.put("AWS_ENDPOINT_URL_KMS", "http://127.0.0.1:2");
      environment.put("ALLOWED_CALLER_ACCOUNTS", "444455556666, 777788889999");
      environment.put("ALLOWED_DOMAIN_NAMES", "localhost");
      ServerConfiguration configuration = ServerConfiguration.fromEnvironment(environment);
      assertThat(configuration.gitHubApiUrl())
          .isEqualTo(URI.create("https://github.example.com/api/v3"));
      assertThat(configuration.kmsEndpoint()).isEqualTo(URI.create("http://127.0.0.1:2"));
      assertThat(configuration.dynamoDbEndpoint()).isEqualTo(URI.create("http://127.0.0.1:1"));
      assertThat(configuration.allowedCallerAccounts())
          .isEqualTo(Set.of("444455556666", "777788889999"));
      assertThat(configuration.allowedDomainNames()).isEqualTo(Set.of("localhost"));
    }
  }

  @Nested
  class GitHubApiUrl {
    @ParameterizedTest
    @ValueSource(
        strings = {
          "http://api.github.com",
          "http://127.example.com",
          "http://localhost.example.com",
          "ftp://127.0.0.1",
          "api.github.com",
          "https:///api/v3",
          "https://user:pw@github.example.com",
          "https://github.example.com/?a=b",
          "https://github.example.com/#x",
        })
    void isRefusedUnlessItIsHttps(String url) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> ServerConfiguration.builder().gitHubApiUrl(URI.create(url)))
          .withMessageContaining("GITHUB_API_URL");
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "https://api.github.com",
          "https://github.example.com/api/v3",
          "https://api.sub.ghe.com",
          "http://127.0.0.1:8080",
          "http://localhost:8080/api/v3",
          "http://[::1]:8080",
        })
    void mayBePlainForLoopback(String url) {
      ServerConfiguration.builder().gitHubApiUrl(URI.create(url));
    }
  }

  @Test
  void aRequestTakesTenSecondsAtMost() {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                ServerConfiguration.builder().requestTimeout(Duration.ofSeconds(10).plusNanos(1)));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ServerConfiguration.builder().requestTimeout(Duration.ZERO));
  }
}
