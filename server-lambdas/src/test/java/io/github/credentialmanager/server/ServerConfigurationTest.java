package io.github.credentialmanager.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.credentialmanager.server.callerpolicy.CallerPolicy;
import io.github.credentialmanager.server.functionurl.Caller;
import io.github.credentialmanager.server.functionurl.CallerNotAllowedException;
import java.net.URI;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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
  class CallerPolicyVariable {
    private ServerConfiguration configuration(String policy) {
      Map<String, String> environment = new HashMap<>(REQUIRED);
      environment.put("CALLER_POLICY", policy);
      return ServerConfiguration.fromEnvironment(environment);
    }

    @Test
    void isThePolicy() {
      Caller builder = caller("Builder");
      CallerPolicy policy =
          configuration(
                  "{\"statements\":[{\"account\":\"111122223333\",\"role\":\"Builder\",\"appIds\":[1]}]}")
              .callerPolicy();
      assertThatCode(() -> policy.requireAppToken(builder, 1)).doesNotThrowAnyException();
      assertThatThrownBy(() -> policy.requireAppToken(caller("Other"), 1))
          .isInstanceOf(CallerNotAllowedException.class);
    }

    @Test
    void leavesItToIamWhereItIsNotSet() {
      CallerPolicy policy = ServerConfiguration.fromEnvironment(REQUIRED).callerPolicy();
      assertThatCode(() -> policy.requireAppToken(caller("Other"), 1)).doesNotThrowAnyException();
    }

    @ParameterizedTest
    @ValueSource(strings = {"{", "{}", "null", "[]", "none", "{\"statements\":[]}"})
    void thatIsMalformedStopsTheFunctionAtItsStart(String policy) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> configuration(policy))
          .withMessageStartingWith("CALLER_POLICY is wrong: ");
    }

    private static Caller caller(String role) {
      return new Caller(
          "111122223333",
          Optional.of("arn:aws:sts::111122223333:assumed-role/" + role + "/session"),
          Optional.empty());
    }
  }

  @Nested
  class ForTheTrackers {
    @Test
    void readsHowMuchOfGitHubTheyMayUseAndWhatTheyMeasure() {
      Map<String, String> environment = new HashMap<>(REQUIRED);
      environment.put("GITHUB_CONCURRENCY", "7");
      environment.put("GITHUB_POINTS_PER_MINUTE", "450");
      environment.put("RATE_LIMIT_CATEGORIES", "core, search");
      ServerConfiguration configuration = ServerConfiguration.fromEnvironment(environment);
      assertThat(configuration.gitHubConcurrency()).isEqualTo(7);
      assertThat(configuration.gitHubPointsPerMinute()).isEqualTo(450);
      assertThat(configuration.rateLimitCategories()).containsExactly("core", "search");
    }

    @Test
    void keepsWithinGitHubsLimitsUnlessTold() {
      ServerConfiguration configuration = ServerConfiguration.fromEnvironment(REQUIRED);
      assertThat(configuration.gitHubConcurrency()).isEqualTo(20);
      assertThat(configuration.gitHubPointsPerMinute()).isEqualTo(900);
      assertThat(configuration.rateLimitCategories()).containsExactly("core", "graphql", "search");
    }

    @ParameterizedTest
    @CsvSource({
      "GITHUB_CONCURRENCY, many",
      "GITHUB_CONCURRENCY, 0",
      "GITHUB_CONCURRENCY, 101",
      "GITHUB_POINTS_PER_MINUTE, 10",
      "GITHUB_POINTS_PER_MINUTE, 1.5"
    })
    void refusesWhatIsNoSuchNumber(String name, String value) {
      Map<String, String> environment = new HashMap<>(REQUIRED);
      environment.put(name, value);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> ServerConfiguration.fromEnvironment(environment))
          .withMessageContaining(name);
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
