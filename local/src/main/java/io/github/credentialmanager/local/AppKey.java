package io.github.credentialmanager.local;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayOutputStream;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.util.Arrays;
import java.util.Base64;

/** Makes private keys as GitHub hands them out: RSA of 2048 bits, PKCS#1, PEM. */
final class AppKey {
  /** What PKCS#8 puts before the PKCS#1 part of a 2048-bit key: versions, algorithm, lengths. */
  private static final int PKCS8_HEADER = 26;

  private AppKey() {}

  /** A fresh private key; the caller wipes it. */
  static byte[] generatePem() {
    byte[] pkcs8 = generate().getPrivate().getEncoded();
    byte[] pkcs1 = Arrays.copyOfRange(pkcs8, PKCS8_HEADER, pkcs8.length);
    byte[] base64 = Base64.getMimeEncoder(64, new byte[] {'\n'}).encode(pkcs1);
    ByteArrayOutputStream pem = new ByteArrayOutputStream();
    pem.writeBytes("-----BEGIN RSA PRIVATE KEY-----\n".getBytes(US_ASCII));
    pem.writeBytes(base64);
    pem.writeBytes("\n-----END RSA PRIVATE KEY-----\n".getBytes(US_ASCII));
    return pem.toByteArray();
  }

  private static KeyPair generate() {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
      generator.initialize(2048);
      return generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("RSA is required of every Java platform", e);
    }
  }
}
