package io.github.credentialmanager.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.interfaces.RSAPrivateCrtKey;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.RSAPublicKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.crypto.Cipher;
import javax.crypto.spec.OAEPParameterSpec;
import javax.crypto.spec.PSource;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KeyWrappingTest {
  private static final SecureRandom RANDOM = new SecureRandom();

  @Nested
  class WycheproofVectors {
    @Test
    void aesKwpAnswersAll254() throws Exception {
      int agreed = 0;
      for (JsonNode group : vectors("aes_kwp_test.json").path("testGroups")) {
        for (JsonNode test : group.path("tests")) {
          byte[] key = hex(test, "key");
          byte[] message = hex(test, "msg");
          byte[] wrapped = hex(test, "ct");
          boolean valid = test.path("result").asText().equals("valid");
          assertThat(unwraps(key, wrapped, message))
              .as("tcId %s", test.path("tcId"))
              .isEqualTo(valid);
          if (valid) {
            assertThat(KeyWrapping.aesKwp(key, message)).isEqualTo(wrapped);
          }
          agreed++;
        }
      }
      assertThat(agreed).isEqualTo(254);
    }

    @Test
    void oaepAnswersAll37() throws Exception {
      int agreed = 0;
      for (JsonNode group :
          vectors("rsa_oaep_4096_sha256_mgf1sha256_test.json").path("testGroups")) {
        RSAPrivateCrtKey key =
            (RSAPrivateCrtKey)
                KeyFactory.getInstance("RSA")
                    .generatePrivate(new PKCS8EncodedKeySpec(hex(group, "privateKeyPkcs8")));
        PublicKey publicKey =
            KeyFactory.getInstance("RSA")
                .generatePublic(new RSAPublicKeySpec(key.getModulus(), key.getPublicExponent()));
        for (JsonNode test : group.path("tests")) {
          byte[] message = hex(test, "msg");
          byte[] label = hex(test, "label");
          boolean valid = test.path("result").asText().equals("valid");
          assertThat(decrypts(key, hex(test, "ct"), label, message))
              .as("tcId %s", test.path("tcId"))
              .isEqualTo(valid);
          if (valid) {
            byte[] ours = KeyWrapping.oaep(publicKey, message, RANDOM);
            assertThat(decrypts(key, ours, new byte[0], message)).isTrue();
          }
          agreed++;
        }
      }
      assertThat(agreed).isEqualTo(37);
    }

    @Test
    void rs256SignaturesAreEqual() throws Exception {
      int equal = 0;
      for (JsonNode group : vectors("rsa_pkcs1_2048_sig_gen_test.json").path("testGroups")) {
        if (!group.path("sha").asText().equals("SHA-256")) {
          continue;
        }
        byte[] pem = TestKeys.pem("PRIVATE KEY", hex(group, "privateKeyPkcs8"));
        try (PrivateKeyPem key = PrivateKeyPem.parse(pem)) {
          for (JsonNode test : group.path("tests")) {
            assertThat(key.sign(hex(test, "msg"))).isEqualTo(hex(test, "sig"));
            equal++;
          }
        }
      }
      assertThat(equal).isEqualTo(10);
    }
  }

  @Test
  void kmsFindsTheKeyInTheBlob() throws Exception {
    KeyPair wrapping = TestKeys.rsa(4096);
    byte[] material = TestKeys.rsa(2048).getPrivate().getEncoded();

    byte[] blob = KeyWrapping.wrap(material, wrapping.getPublic(), RANDOM);

    byte[] aesKey = decrypt(wrapping.getPrivate(), Arrays.copyOf(blob, 512), new byte[0]);
    assertThat(aesKey).hasSize(32);
    assertThat(unwrap(aesKey, Arrays.copyOfRange(blob, 512, blob.length))).isEqualTo(material);
  }

  @Test
  void wipesTheAesKeyItMade() throws Exception {
    List<byte[]> drawn = new ArrayList<>();
    SecureRandom watched =
        new SecureRandom() {
          @Override
          public void nextBytes(byte[] bytes) {
            super.nextBytes(bytes);
            drawn.add(bytes); // the AES key first, then OAEP's seed
          }
        };

    KeyWrapping.wrap(new byte[1200], TestKeys.rsa(4096).getPublic(), watched);

    assertThat(drawn.get(0)).hasSize(32).containsOnly(0);
  }

  @Test
  void openSslUnwrapsAHundredKeysByteForByte(@TempDir Path directory) throws Exception {
    assumeTrue(hasOpenSsl(), "openssl is not installed here");
    KeyPair wrapping = TestKeys.rsa(4096);
    Path wrappingKey = directory.resolve("wrapping.pem");
    Files.write(wrappingKey, TestKeys.pkcs8Pem(wrapping));
    for (int i = 0; i < 100; i++) {
      byte[] material = TestKeys.rsa(2048).getPrivate().getEncoded();
      byte[] blob = KeyWrapping.wrap(material, wrapping.getPublic(), RANDOM);
      Files.write(directory.resolve("aes.bin"), Arrays.copyOf(blob, 512));
      Files.write(directory.resolve("key.bin"), Arrays.copyOfRange(blob, 512, blob.length));
      openSsl(
          directory,
          "pkeyutl -decrypt -inkey wrapping.pem -in aes.bin -out aes.key"
              + " -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 -pkeyopt rsa_mgf1_md:sha256");
      String aesKey = HexFormat.of().formatHex(Files.readAllBytes(directory.resolve("aes.key")));
      openSsl(
          directory,
          "enc -d -id-aes256-wrap-pad -K " + aesKey + " -iv A65959A6 -in key.bin -out key.der");
      assertThat(Files.readAllBytes(directory.resolve("key.der"))).isEqualTo(material);
    }
  }

  private static boolean hasOpenSsl() throws InterruptedException {
    try {
      return new ProcessBuilder("openssl", "version").start().waitFor() == 0;
    } catch (IOException e) {
      return false;
    }
  }

  private static void openSsl(Path directory, String arguments) throws Exception {
    Process process =
        new ProcessBuilder(("openssl " + arguments).split(" "))
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .start();
    byte[] output = process.getInputStream().readAllBytes();
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(new String(output)).isZero();
  }

  private static JsonNode vectors(String file) throws IOException {
    Path path = Path.of(System.getProperty("conformance.dir", ""), "wycheproof", file);
    assumeTrue(Files.exists(path), "no conformance vectors at " + path);
    return new ObjectMapper().readTree(path.toFile());
  }

  private static byte[] hex(JsonNode node, String name) {
    return HexFormat.of().parseHex(node.path(name).asText());
  }

  private static boolean unwraps(byte[] key, byte[] wrapped, byte[] expected) {
    try {
      return Arrays.equals(unwrap(key, wrapped), expected);
    } catch (GeneralSecurityException e) {
      return false;
    }
  }

  private static byte[] unwrap(byte[] key, byte[] wrapped) throws GeneralSecurityException {
    Cipher cipher = Cipher.getInstance("AES/KWP/NoPadding");
    cipher.init(Cipher.DECRYPT_MODE, new SecretKeySpec(key, "AES"));
    return cipher.doFinal(wrapped);
  }

  private static boolean decrypts(PrivateKey key, byte[] encrypted, byte[] label, byte[] expected) {
    try {
      return Arrays.equals(decrypt(key, encrypted, label), expected);
    } catch (GeneralSecurityException e) {
      return false;
    }
  }

  private static byte[] decrypt(PrivateKey key, byte[] encrypted, byte[] label)
      throws GeneralSecurityException {
    Cipher cipher = Cipher.getInstance("RSA/ECB/OAEPPadding");
    cipher.init(
        Cipher.DECRYPT_MODE,
        key,
        new OAEPParameterSpec(
            "SHA-256", "MGF1", MGF1ParameterSpec.SHA256, new PSource.PSpecified(label)));
    return cipher.doFinal(encrypted);
  }
}
