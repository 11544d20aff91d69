package io.github.credentialmanager.server.installations;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.credentialmanager.server.store.InstallationTable.Key;
import java.util.Base64;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PageTokenTest {
  private static final Key KEY = new Key(5_000_000_001L, "O_kgDO\"1😀");

  @Test
  void isReadAsItWasMade() {
    assertThat(PageToken.read(PageToken.of(KEY))).contains(KEY);
    assertThat(PageToken.of(KEY)).matches("[A-Za-z0-9_-]+");
  }

  @Test
  void isRefusedOnceAnyCharacterHasChanged() {
    String token = PageToken.of(KEY);
    Random random = new Random(1);
    for (int i = 0; i < token.length(); i++) {
      char[] damaged = token.toCharArray();
      do {
        damaged[i] = (char) ('!' + random.nextInt(94));
      } while (damaged[i] == token.charAt(i));
      assertThat(PageToken.read(new String(damaged))).isEmpty();
      assertThat(PageToken.read(token.substring(0, i))).isEmpty();
    }
    assertThat(PageToken.read(token + "=")).isEmpty();
    assertThat(PageToken.read(token + "A")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "not a token",
        "{\"a\":1,\"n\":\"O_1\"}",
        "{\"AppId\":{\"N\":\"1\"},\"NodeId\":{\"S\":\"O_1\"}}"
      })
  void isNotMadeUp(String text) {
    assertThat(PageToken.read(text)).isEmpty();
    assertThat(PageToken.read(Base64.getEncoder().encodeToString(text.getBytes(UTF_8)))).isEmpty();
    assertThat(PageToken.read(Base64.getUrlEncoder().encodeToString(text.getBytes(UTF_8))))
        .isEmpty();
  }
}
