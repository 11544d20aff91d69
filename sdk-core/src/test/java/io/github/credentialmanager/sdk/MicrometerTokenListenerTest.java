package io.github.credentialmanager.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.junit.jupiter.api.Test;

class MicrometerTokenListenerTest {
  private static final TokenRequest REQUEST = TokenRequest.installation(1001, "O_x");

  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final ManualTime time = new ManualTime();
  private final ScriptedProvider source = new ScriptedProvider(time);

  @Test
  void countsWhatTheCacheDoes() {
    try (CachingTokenProvider cache =
        CachingTokenProvider.builder(source)
            .clock(time)
            .executor(Runnable::run)
            .listener(new MicrometerTokenListener(registry, Tags.of("provider", "main")))
            .build()) {
      AccessToken token = cache.getToken(REQUEST);
      cache.getToken(REQUEST);
      cache.getToken(REQUEST);
      cache.rejected(REQUEST, token);
      source
          .next(new TokenUnavailableException("down", Reason.UNREACHABLE))
          .next(new TokenDeniedException("no", Reason.INSTALLATION_SUSPENDED));
      assertThatExceptionOfType(TokenUnavailableException.class)
          .isThrownBy(() -> cache.getToken(REQUEST));
      assertThatExceptionOfType(TokenDeniedException.class)
          .isThrownBy(() -> cache.getToken(REQUEST));
    }
    assertThat(counted("requests", "result", "hit")).isEqualTo(2);
    assertThat(counted("requests", "result", "miss")).isEqualTo(3);
    assertThat(counted("rejections", "provider", "main")).isEqualTo(1);
    assertThat(counted("denials", "reason", "INSTALLATION_SUSPENDED")).isEqualTo(1);
    assertThat(timed("refreshes", "outcome", "success")).isEqualTo(1);
    assertThat(timed("refreshes", "reason", "UNREACHABLE")).isEqualTo(1);
    assertThat(timed("waits", "provider", "main")).isEqualTo(3);
  }

  @Test
  void hasNoTagThatSaysForWhom() {
    countsWhatTheCacheDoes();
    assertThat(registry.getMeters())
        .flatExtracting(meter -> meter.getId().getTags())
        .extracting(Tag::getKey)
        .containsOnly("provider", "result", "reason", "outcome");
    assertThat(registry.getMeters())
        .extracting(Meter::getId)
        .noneMatch(id -> id.toString().contains("O_x"));
  }

  private double counted(String name, String... tags) {
    return registry.get("credential.manager.token." + name).tags(tags).counter().count();
  }

  private long timed(String name, String... tags) {
    return registry.get("credential.manager.token." + name).tags(tags).timer().count();
  }
}
