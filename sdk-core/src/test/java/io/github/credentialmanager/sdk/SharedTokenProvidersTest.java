package io.github.credentialmanager.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SharedTokenProvidersTest {
  private final Map<String, String> environment = new HashMap<>();
  private final Settings settings = new Settings(name -> null, environment::get);

  private TokenProvider credentialManager() {
    return SharedTokenProviders.credentialManager(settings);
  }

  @Test
  void areOnePerConfiguration() {
    environment.put("CREDENTIAL_MANAGER_ENDPOINT", "https://one.example");
    TokenProvider first = credentialManager();
    assertThat(credentialManager()).isSameAs(first);
    environment.put("CREDENTIAL_MANAGER_ENDPOINT", "https://two.example");
    assertThat(credentialManager()).isNotSameAs(first);
    environment.put("CREDENTIAL_MANAGER_ENDPOINT", "https://one.example/");
    assertThat(credentialManager()).isSameAs(first);
    environment.put("AWS_REGION", "eu-west-1");
    assertThat(credentialManager()).isNotSameAs(first);
  }

  @Test
  void surviveWhoeverClosesThem() {
    environment.put("CREDENTIAL_MANAGER_ENDPOINT", "http://127.0.0.1:1");
    environment.put("AWS_REGION", "eu-west-1");
    TokenProvider provider = credentialManager();
    provider.close();
    assertThatExceptionOfType(TokenUnavailableException.class)
        .isThrownBy(() -> provider.getToken(TokenRequest.app(1)))
        .satisfies(
            e ->
                assertThat(e.reason())
                    .as("not closed, but without credentials or server")
                    .isIn(Reason.NO_AWS_CREDENTIALS, Reason.UNREACHABLE));
  }

  @Test
  void sayWhatToSetWhenATokenIsWanted() {
    TokenProvider provider = credentialManager();
    assertThatExceptionOfType(TokenDeniedException.class)
        .isThrownBy(() -> provider.getToken(TokenRequest.app(1)))
        .withMessageContaining("CREDENTIAL_MANAGER_ENDPOINT");
  }

  @Test
  void refuseAMalformedSettingAtOnce() {
    environment.put("CREDENTIAL_MANAGER_ENDPOINT", "http://example.com");
    assertThatIllegalArgumentException().isThrownBy(this::credentialManager);
  }
}
