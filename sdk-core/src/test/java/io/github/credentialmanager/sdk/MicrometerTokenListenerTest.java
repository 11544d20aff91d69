package io.github.credentialmanager.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.File;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.Callable;
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

  /** Micrometer is an optional dependency, which most users do not have. */
  @Test
  void nobodyElseNeedsMicrometer() throws Exception {
    URL[] classPath =
        Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(entry -> !entry.contains("micrometer"))
            .map(Path::of)
            .map(MicrometerTokenListenerTest::url)
            .toArray(URL[]::new);
    try (URLClassLoader without =
        new URLClassLoader(classPath, ClassLoader.getPlatformClassLoader())) {
      assertThatExceptionOfType(ClassNotFoundException.class)
          .isThrownBy(() -> without.loadClass("io.micrometer.core.instrument.MeterRegistry"));
      Callable<?> program =
          (Callable<?>)
              without
                  .loadClass(ProgramWithoutMicrometer.class.getName())
                  .getDeclaredConstructor()
                  .newInstance();
      assertThat(program.call()).isEqualTo("t, Optional.empty");
    }
  }

  /** Uses the cache and its listener, and all that connecting needs. */
  public static final class ProgramWithoutMicrometer implements Callable<String> {
    @Override
    public String call() {
      StringBuilder heard = new StringBuilder();
      TokenListener listener =
          new TokenListener() {
            @Override
            public void onHit(TokenRequest request) {
              heard.append(request.nodeId());
            }
          };
      try (CredentialManagerClient client = CredentialManagerClient.create();
          CachingTokenProvider cache =
              CachingTokenProvider.builder(TokenProvider.fixed(Secret.of("t")))
                  .listener(listener)
                  .build()) {
        TokenProvider.credentialManager();
        cache.getToken(TokenRequest.app(1));
        return cache.getToken(TokenRequest.app(1)).secret().reveal() + ", " + heard;
      }
    }
  }

  private static URL url(Path entry) {
    try {
      return entry.toUri().toURL();
    } catch (MalformedURLException e) {
      throw new AssertionError(e);
    }
  }

  private double counted(String name, String... tags) {
    return registry.get("credential.manager.token." + name).tags(tags).counter().count();
  }

  private long timed(String name, String... tags) {
    return registry.get("credential.manager.token." + name).tags(tags).timer().count();
  }
}
