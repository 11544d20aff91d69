package io.github.credentialmanager.server.audit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;

/** The form in which a token may be written down. */
public final class HashedToken {
  private HashedToken() {}

  /**
   * Base64 of the SHA-256 of the token: what GitHub's audit log calls {@code hashed_token}
   * ("Identifying audit log events performed by an access token").
   */
  public static String of(String token) {
    return Base64.getEncoder().encodeToString(sha256(token.getBytes(UTF_8)));
  }

  private static byte[] sha256(byte[] bytes) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(bytes);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
