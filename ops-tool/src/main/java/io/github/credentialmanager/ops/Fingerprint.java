package io.github.credentialmanager.ops;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;

/**
 * The fingerprint by which a GitHub App's settings page names a private key: SHA-256 over the
 * public key's SubjectPublicKeyInfo (GitHub, "Managing private keys for GitHub Apps", verifying
 * private keys).
 */
final class Fingerprint {
  private Fingerprint() {}

  static String of(byte[] subjectPublicKeyInfo) {
    return "SHA256:" + Base64.getEncoder().encodeToString(sha256(subjectPublicKeyInfo));
  }

  static byte[] sha256(byte[] bytes) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(bytes);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("Every Java platform has SHA-256", e);
    }
  }
}
