package io.github.credentialmanager.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import io.github.credentialmanager.sdk.CredentialManagerClient;
import java.io.IOException;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.net.Socket;
import java.net.URI;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.platform.testkit.engine.EngineTestKit;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.regions.Region;

/** Runs test classes that use the extension, in parallel, and looks at what they saw. */
class CredentialManagerExtensionTest {
  private static final Map<String, LocalCredentialManager> SEEN = new ConcurrentHashMap<>();

  @Test
  void givesEachClassAStackAndClosesIt() {
    EngineTestKit.engine("junit-jupiter")
        .configurationParameter("junit.jupiter.execution.parallel.enabled", "true")
        .configurationParameter(
            "junit.jupiter.execution.parallel.mode.classes.default", "concurrent")
        .selectors(
            selectClass(ByAnnotation.class),
            selectClass(ByAnnotationOfItsOwn.class),
            selectClass(ByField.class))
        .execute()
        .testEvents()
        .assertStatistics(statistics -> statistics.started(5).succeeded(5));

    assertThat(SEEN.get("nested")).isSameAs(SEEN.get("first")).isSameAs(SEEN.get("second"));
    assertThat(SEEN.get("own"))
        .isNotSameAs(SEEN.get("first"))
        .isNotSameAs(SEEN.get("field"))
        .isNotNull();
    assertThat(SEEN.values()).allSatisfy(stack -> assertThat(answers(stack)).isFalse());
  }

  private static boolean answers(LocalCredentialManager stack) {
    try (Socket socket = new Socket("127.0.0.1", stack.endpoint().getPort())) {
      return socket.isConnected();
    } catch (IOException e) {
      return false;
    }
  }

  @CredentialManagerTest
  static class ByAnnotation {
    private final LocalCredentialManager stack;

    ByAnnotation(LocalCredentialManager stack) {
      this.stack = stack;
    }

    @Test
    void first(
        URI endpoint, AwsCredentialsProvider credentials, GitHubDouble gitHub, LocalKms kms) {
      SEEN.put("first", stack);
      assertThat(endpoint).isEqualTo(stack.endpoint());
      assertThat(kms).isSameAs(stack.kms());
      assertThat(answers(stack)).isTrue();
      try (CredentialManagerClient client =
          CredentialManagerClient.builder()
              .endpoint(endpoint)
              .credentialsProvider(credentials)
              .region(Region.US_EAST_1)
              .build()) {
        String node =
            gitHub.app(1001).orElseThrow().installationOn("octocat").orElseThrow().nodeId();
        assertThat(client.getInstallationToken(1001, node)).isNotNull();
      }
    }

    @Test
    void second() {
      SEEN.put("second", stack);
    }

    @Nested
    class Inner {
      @Test
      void nested(LocalCredentialManager inner) {
        SEEN.put("nested", inner);
      }
    }
  }

  @Target(ElementType.TYPE)
  @Retention(RetentionPolicy.RUNTIME)
  @CredentialManagerTest
  @interface OwnAnnotation {}

  @OwnAnnotation
  static class ByAnnotationOfItsOwn {
    @Test
    void own(LocalCredentialManager stack) {
      SEEN.put("own", stack);
      assertThat(stack.gitHub().apps()).hasSize(1);
    }
  }

  static class ByField {
    @RegisterExtension
    static final CredentialManagerExtension STACK = CredentialManagerExtension.with(builder -> {});

    @Test
    void field(LocalCredentialManager stack) {
      SEEN.put("field", stack);
      assertThat(stack.gitHub().apps()).isEmpty();
      assertThat(stack.registerApp(5).id()).isEqualTo(5);
    }
  }
}
