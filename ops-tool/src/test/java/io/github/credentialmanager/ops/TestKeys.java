package io.github.credentialmanager.ops;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.util.Arrays;
import java.util.Base64;

/** Fresh keys in the forms an operator's file may have. */
final class TestKeys {
  private static final int PKCS8_HEADER = 26;

  private TestKeys() {}

  static KeyPair rsa(int bits) {
    return generate("RSA", bits);
  }

  static KeyPair ec() {
    return generate("EC", 256);
  }

  /** As GitHub hands it out. */
  static byte[] pkcs1Pem(KeyPair key) {
    return pem("RSA PRIVATE KEY", pkcs1Der(key));
  }

  static byte[] pkcs8Pem(KeyPair key) {
    return pem("PRIVATE KEY", key.getPrivate().getEncoded());
  }

  /**
   * The PKCS#1 structure inside PKCS#8, whose header has this length for RSA of 2048 bits and up.
   */
  static byte[] pkcs1Der(KeyPair key) {
    byte[] pkcs8 = key.getPrivate().getEncoded();
    return Arrays.copyOfRange(pkcs8, PKCS8_HEADER, pkcs8.length);
  }

  static byte[] pem(String label, byte[] der) {
    String base64 = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
    return "-----BEGIN %1$s-----\n%2$s\n-----END %1$s-----\n"
        .formatted(label, base64)
        .getBytes(US_ASCII);
  }

  private static KeyPair generate(String algorithm, int bits) {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
      generator.initialize(bits);
      return generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }
}
