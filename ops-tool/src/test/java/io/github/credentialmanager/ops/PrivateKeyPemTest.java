package io.github.credentialmanager.ops;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.credentialmanager.ops.KeyManagerException.Reason;
import java.io.ByteArrayOutputStream;
import java.security.KeyPair;
import java.util.Arrays;
import java.util.Base64;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class PrivateKeyPemTest {
  private static final KeyPair KEY = TestKeys.rsa(2048);
  private static final byte[] MESSAGE = "message".getBytes(US_ASCII);

  @Nested
  class Reads {
    @Test
    void pkcs1AsGitHubHandsItOut() {
      assertIsTheKey(TestKeys.pkcs1Pem(KEY));
    }

    @Test
    void pkcs8() {
      assertIsTheKey(TestKeys.pkcs8Pem(KEY));
    }

    @Test
    void windowsLineEndsAndBlankLinesAround() {
      String pem = new String(TestKeys.pkcs1Pem(KEY), US_ASCII);
      assertIsTheKey(("\r\n" + pem.replace("\n", "\r\n") + "\r\n\r\n").getBytes(US_ASCII));
    }

    @Test
    void bothFormsToTheSamePkcs8ThatTheJdkEncodes() {
      try (PrivateKeyPem fromPkcs1 = PrivateKeyPem.parse(TestKeys.pkcs1Pem(KEY));
          PrivateKeyPem fromPkcs8 = PrivateKeyPem.parse(TestKeys.pkcs8Pem(KEY))) {
        assertThat(fromPkcs1.pkcs8()).isEqualTo(KEY.getPrivate().getEncoded());
        assertThat(fromPkcs8.pkcs8()).isEqualTo(KEY.getPrivate().getEncoded());
      }
    }

    @Test
    void pkcs8WithAttributesAndDropsThem() {
      byte[] plain = KEY.getPrivate().getEncoded();
      byte[] attributes = {(byte) 0xa0, 0x02, 0x31, 0x00};
      byte[] content = Arrays.copyOfRange(plain, 4, plain.length);
      try (PrivateKeyPem key =
          PrivateKeyPem.parse(
              TestKeys.pem("PRIVATE KEY", DerWriter.element(0x30, content, attributes)))) {
        assertThat(key.pkcs8()).isEqualTo(plain);
      }
    }

    private void assertIsTheKey(byte[] pem) {
      byte[] before = pem.clone();
      try (PrivateKeyPem key = PrivateKeyPem.parse(pem)) {
        assertThat(key.publicKey()).isEqualTo(KEY.getPublic());
        assertThat(RsaSignatures.verify(KEY.getPublic(), MESSAGE, key.sign(MESSAGE))).isTrue();
      }
      assertThat(pem).isEqualTo(before);
    }
  }

  @Nested
  class Refuses {
    @Test
    void encryptedKeys() {
      assertRefused(
          TestKeys.pem("ENCRYPTED PRIVATE KEY", KEY.getPrivate().getEncoded()), "encrypted");
      String traditional =
          """
          -----BEGIN RSA PRIVATE KEY-----
          Proc-Type: 4,ENCRYPTED
          DEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF

          AAAA
          -----END RSA PRIVATE KEY-----
          """;
      assertRefused(traditional.getBytes(US_ASCII), "encrypted");
    }

    @Test
    void keysOfOtherKindsAndSizes() {
      assertRefused(TestKeys.pkcs8Pem(TestKeys.ec()), "no RSA key");
      assertRefused(TestKeys.pem("EC PRIVATE KEY", new byte[] {1}), "no RSA key");
      assertRefused(TestKeys.pem("OPENSSH PRIVATE KEY", new byte[] {1}), "SSH key");
      assertRefused(TestKeys.pem("PUBLIC KEY", KEY.getPublic().getEncoded()), "public key");
      assertRefused(TestKeys.pkcs8Pem(TestKeys.rsa(1024)), "1024 bits");
      assertRefused(TestKeys.pkcs8Pem(TestKeys.rsa(4096)), "4096 bits");
    }

    @Test
    void anythingAroundTheBlock() {
      byte[] pem = TestKeys.pkcs1Pem(KEY);
      assertRefused(concat(pem, "x".getBytes(US_ASCII)), "follows");
      assertRefused(concat(pem, pem), "follows");
      assertRefused(concat("Bag Attributes\n".getBytes(US_ASCII), pem), "does not start");
      assertRefused(new byte[0], "does not start");
      assertRefused(KEY.getPrivate().getEncoded(), "does not start");
      assertRefused(Arrays.copyOf(pem, pem.length - 5), "cut");
      assertRefused(new byte[PrivateKeyPem.MAX_BYTES + 1], "too large");
    }

    @Test
    void trailingBytesInsideTheStructure() {
      assertRefused(
          TestKeys.pem("RSA PRIVATE KEY", concat(TestKeys.pkcs1Der(KEY), new byte[] {0})),
          "damaged");
      assertRefused(
          TestKeys.pem("PRIVATE KEY", concat(KEY.getPrivate().getEncoded(), new byte[] {0})),
          "damaged");
    }

    @Test
    void base64ThatIsNone() {
      assertRefused(
          "-----BEGIN RSA PRIVATE KEY-----\n!!!!\n-----END RSA PRIVATE KEY-----".getBytes(US_ASCII),
          "damaged");
    }

    @Test
    void everyKeyWithOneByteChangedAndNeverShowsAnyOfIt() {
      Random random = new Random(20261123);
      byte[] der = TestKeys.pkcs1Der(KEY);
      for (int i = 0; i < 300; i++) {
        byte[] changed = der.clone();
        int at = random.nextInt(der.length);
        changed[at] ^= (byte) (1 << random.nextInt(8));
        byte[] pem = TestKeys.pem("RSA PRIVATE KEY", changed);
        assertThatThrownBy(() -> PrivateKeyPem.parse(pem))
            .as("bit changed at byte %d", at)
            .isInstanceOf(KeyManagerException.class)
            .hasNoCause()
            .satisfies(e -> assertThat(e.toString()).doesNotContain(base64Of(changed)));
      }
    }

    private void assertRefused(byte[] pem, String because) {
      assertThatThrownBy(() -> PrivateKeyPem.parse(pem))
          .isInstanceOfSatisfying(
              KeyManagerException.class,
              e -> {
                assertThat(e.reason()).isEqualTo(Reason.BAD_PRIVATE_KEY);
                assertThat(e).hasMessageContaining(because).hasNoCause();
                assertThat(e.getMessage()).doesNotContain("\n");
              });
    }
  }

  @Nested
  class OnceClosed {
    @Test
    void theKeyBytesAreOverwritten() {
      PrivateKeyPem key = PrivateKeyPem.parse(TestKeys.pkcs1Pem(KEY));
      byte[] pkcs8 = key.pkcs8();
      key.close();
      assertThat(pkcs8).containsOnly(0);
      assertThatThrownBy(() -> key.sign(MESSAGE)).isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(key::pkcs8).isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void printsItsFingerprintAlone() throws Exception {
    try (PrivateKeyPem key = PrivateKeyPem.parse(TestKeys.pkcs1Pem(KEY))) {
      assertThat(key.toString()).isEqualTo("PrivateKeyPem[" + key.fingerprint() + "]");
      assertThat(key.fingerprint())
          .isEqualTo(
              "SHA256:"
                  + Base64.getEncoder()
                      .encodeToString(
                          java.security.MessageDigest.getInstance("SHA-256")
                              .digest(KEY.getPublic().getEncoded())));
    }
  }

  private static String base64Of(byte[] der) {
    return Base64.getEncoder().encodeToString(der).substring(64, 128).toLowerCase(Locale.ROOT);
  }

  private static byte[] concat(byte[] first, byte[] second) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(first);
    out.writeBytes(second);
    return out.toByteArray();
  }
}
