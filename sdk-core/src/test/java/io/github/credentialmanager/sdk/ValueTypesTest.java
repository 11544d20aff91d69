package io.github.credentialmanager.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ValueTypesTest {
  @Nested
  class ASecret {
    @Test
    void neverPrintsItself() {
      assertThat(Secret.of("ghs_x")).hasToString("Secret[…]");
      assertThat("" + Secret.of("ghs_x")).doesNotContain("ghs");
    }

    @Test
    void equalsAnotherOfTheSameValue() {
      assertThat(Secret.of("a")).isEqualTo(Secret.of("a")).hasSameHashCodeAs(Secret.of("a"));
      assertThat(Secret.of("a")).isNotEqualTo(Secret.of("b")).isNotEqualTo("a");
    }

    @Test
    void isNotEmpty() {
      assertThatIllegalArgumentException().isThrownBy(() -> Secret.of(""));
    }
  }

  @Nested
  class AnAccessToken {
    private final Instant end = Instant.parse("2026-11-23T09:51:02Z");

    /** From {@code printf %s ghs_example | openssl dgst -sha256 -binary | base64}. */
    @Test
    void hasTheHashThatGitHubsAuditLogShows() {
      assertThat(token("ghs_example").hash())
          .isEqualTo("UMaRjVoedd29MJgtcZ6b6jIFPLlG7OzD84ZhFi+79Cc=");
    }

    @ParameterizedTest
    @ValueSource(strings = {"ghs_x", "a", "ghs_1001_eyJ.e30.-_~+/=", "ghs_ÄÖ"})
    void takesAnyTokenThatAHeaderCanCarry(String value) {
      assertThat(token(value).authorization()).isEqualTo("Bearer " + value);
    }

    @ParameterizedTest
    @ValueSource(strings = {"a b", "a\r\nb", "a\n", "\ta", "a\u0000", "a\u007f"})
    void refusesOneThatWouldSplitAHeader(String value) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> token(value))
          .withMessageNotContaining(value);
    }

    @Test
    void printsHashAndEndAndNoToken() {
      assertThat(token("ghs_example").toString())
          .contains(token("ghs_example").hash(), "2026-11-23T09:51:02Z", "O_x")
          .doesNotContain("ghs_example");
    }

    @Test
    void hasOneHeaderValue() {
      AccessToken token = token("t");
      assertThat(token.authorization()).isSameAs(token.authorization());
    }

    private AccessToken token(String value) {
      return AccessToken.builder(1001, Secret.of(value), end)
          .nodeId("O_x")
          .issuedAt(Instant.EPOCH)
          .build();
    }
  }

  @Nested
  class AScope {
    @Test
    void isCanonical() {
      Scope scope =
          Scope.builder()
              .repositories("Web", "api")
              .repositories("API")
              .repositoryIds(12, 11, 12)
              .write("issues")
              .read("Contents", "contents")
              .build();
      assertThat(scope.repositories()).containsExactly("api", "web");
      assertThat(scope.repositoryIds()).containsExactly(11L, 12L);
      assertThat(scope.permissions())
          .containsExactly(
              Map.entry("contents", Scope.Access.READ), Map.entry("issues", Scope.Access.WRITE));
      assertThat(scope)
          .isEqualTo(
              Scope.builder()
                  .permission("issues", Scope.Access.WRITE)
                  .read("contents")
                  .repositoryIds(11, 12)
                  .repositories("web", "api")
                  .build());
    }

    @Test
    void isComparedByStructureAndNotAsText() {
      assertThat(Scope.builder().repositories("a,b").build())
          .isNotEqualTo(Scope.builder().repositories("a", "b").build());
      assertThat(Scope.builder().repositories("1").build())
          .isNotEqualTo(Scope.builder().repositoryIds(1).build());
      assertThat(Scope.builder().read("a").build())
          .isNotEqualTo(Scope.builder().write("a").build());
    }

    @Test
    void foldsNamesTheSameInEveryLocale() {
      Locale before = Locale.getDefault();
      try {
        Locale.setDefault(Locale.forLanguageTag("tr"));
        assertThat(Scope.builder().read("ISSUES").build().permissions()).containsKey("issues");
      } finally {
        Locale.setDefault(before);
      }
    }

    @Test
    void isNeverEmptyBecauseThatWouldMeanEverything() {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> Scope.builder().build())
          .withMessageContaining("everything");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> Scope.builder().repositories().read().build());
    }

    @Test
    void refusesWhatGitHubWouldMisread() {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> Scope.builder().repositories("octo-org/api"))
          .withMessageContaining("without its owner");
      assertThatIllegalArgumentException().isThrownBy(() -> Scope.builder().repositories(" "));
      assertThatIllegalArgumentException().isThrownBy(() -> Scope.builder().repositoryIds(0));
      assertThatIllegalArgumentException().isThrownBy(() -> Scope.builder().read(""));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> Scope.builder().read("issues").write("issues"));
      assertThatIllegalArgumentException()
          .isThrownBy(
              () ->
                  Scope.builder()
                      .repositoryIds(IntStream.rangeClosed(1, 501).asLongStream().toArray())
                      .build())
          .withMessageContaining("500");
    }

    @Test
    void cannotBeChangedLater() {
      Scope.Builder builder = Scope.builder().repositories("a");
      Scope scope = builder.build();
      builder.repositories("b");
      assertThat(scope.repositories()).containsExactly("a");
      assertThatExceptionOfType(UnsupportedOperationException.class)
          .isThrownBy(() -> scope.permissions().put("x", Scope.Access.ADMIN));
    }
  }

  @Nested
  class ATokenRequest {
    private final TokenRequest request = TokenRequest.installation(1001, "O_x");

    @Test
    void isEqualToAnotherForTheSame() {
      assertThat(request)
          .isEqualTo(TokenRequest.installation(1001, "O_x"))
          .hasSameHashCodeAs(TokenRequest.installation(1001, "O_x"))
          .isNotEqualTo(TokenRequest.installation(1001, "O_y"))
          .isNotEqualTo(TokenRequest.installation(1002, "O_x"))
          .isNotEqualTo(TokenRequest.app(1001))
          .isNotEqualTo(request.fresh())
          .isNotEqualTo(request.withTimeout(Duration.ofSeconds(1)));
    }

    @Test
    void keepsItsIdentityWhateverTheCallerWishes() {
      TokenRequest wishes =
          request
              .withMinRemaining(Duration.ofMinutes(1))
              .withTimeout(Duration.ofSeconds(2))
              .fresh();
      assertThat(wishes.identity()).isSameAs(request);
      assertThat(wishes.minRemaining()).contains(Duration.ofMinutes(1));
      assertThat(wishes.timeout()).contains(Duration.ofSeconds(2));
      assertThat(wishes.isFresh()).isTrue();
      assertThat(wishes)
          .hasToString("TokenRequest[app 1001, node O_x, minRemaining=PT1M, timeout=PT2S, fresh]");
    }

    @Test
    void countsANodeIdInCodePoints() {
      String astral = "\ud83d\ude80";
      TokenRequest.installation(1, astral.repeat(256));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> TokenRequest.installation(1, astral.repeat(257)))
          .withMessageContaining("257");
      assertThatIllegalArgumentException().isThrownBy(() -> TokenRequest.installation(1, ""));
    }

    @Test
    void refusesNumbersThatMakeNoSense() {
      assertThatIllegalArgumentException().isThrownBy(() -> TokenRequest.app(0));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> request.withMinRemaining(Duration.ofSeconds(-1)));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> request.withMinRemaining(Duration.ofSeconds(Long.MAX_VALUE)));
      assertThatIllegalArgumentException().isThrownBy(() -> request.withTimeout(Duration.ZERO));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> request.withTimeout(Duration.ofSeconds(Long.MAX_VALUE)));
    }
  }

  @Nested
  class ASetting {
    @Test
    void isAPropertyInLowerCaseWithDotsBeforeItIsAVariable() {
      assertThat(Settings.propertyName("CREDENTIAL_MANAGER_APP_TOKEN_ENDPOINT"))
          .isEqualTo("credential.manager.app.token.endpoint");
      Settings settings =
          new Settings(Map.of("a.b", " property ")::get, Map.of("A_B", "variable", "C", "c")::get);
      assertThat(settings.first("A_B")).isEqualTo("property");
      assertThat(settings.first("C")).isEqualTo("c");
      assertThat(settings.first("C", "A_B")).isEqualTo("property");
      assertThat(settings.first("X")).isNull();
    }

    @Test
    void isNotSetIfItIsBlank() {
      Settings settings = new Settings(Map.of("a", " ")::get, Map.of("A", "variable")::get);
      assertThat(settings.first("A")).isEqualTo("variable");
    }
  }
}
