package io.github.credentialmanager.local;

import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.spec.MGF1ParameterSpec;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import javax.crypto.Cipher;
import javax.crypto.spec.OAEPParameterSpec;
import javax.crypto.spec.PSource;
import javax.crypto.spec.SecretKeySpec;

/**
 * The RSA-4096 key under which key material travels into the local KMS.
 *
 * <p>One for each process: it takes about a second and a half to make. AWS makes one for each
 * {@code GetParametersForImport}; a client cannot tell.
 */
final class WrappingKey {
  /** SHA-256 in both places. Without this the JCA takes SHA-1 for MGF1, which KMS refuses. */
  private static final OAEPParameterSpec OAEP_SHA_256 =
      new OAEPParameterSpec(
          "SHA-256", "MGF1", MGF1ParameterSpec.SHA256, PSource.PSpecified.DEFAULT);

  private static final CompletableFuture<WrappingKey> SHARED =
      CompletableFuture.supplyAsync(WrappingKey::generate);

  private final KeyPair pair;

  private WrappingKey(KeyPair pair) {
    this.pair = pair;
  }

  /** Starts to make the key, if that has not begun. */
  static void prepare() {
    // Loading the class did it.
  }

  /** The process's key; waits while it is being made. */
  static WrappingKey shared() {
    return SHARED.join();
  }

  private static WrappingKey generate() {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
      generator.initialize(4096);
      return new WrappingKey(generator.generateKeyPair());
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("RSA is required of every Java platform", e);
    }
  }

  /** DER of the public key, as {@code SubjectPublicKeyInfo}. */
  byte[] publicKey() {
    return pair.getPublic().getEncoded();
  }

  /**
   * Undoes {@code RSA_AES_KEY_WRAP_SHA_256}: an AES-256 key under RSAES-OAEP, then the material
   * under that key by AES key wrap with padding (RFC 5649).
   *
   * @throws GeneralSecurityException if the blob was not made for this key in this way
   */
  byte[] unwrap(byte[] blob) throws GeneralSecurityException {
    int modulusBytes = 4096 / 8;
    if (blob.length <= modulusBytes) {
      throw new GeneralSecurityException("too short");
    }
    Cipher rsa = Cipher.getInstance("RSA/ECB/OAEPPadding");
    rsa.init(Cipher.DECRYPT_MODE, pair.getPrivate(), OAEP_SHA_256);
    byte[] aesKey = rsa.doFinal(blob, 0, modulusBytes);
    try {
      if (aesKey.length != 32) {
        throw new GeneralSecurityException("not an AES-256 key");
      }
      Cipher aes = Cipher.getInstance("AES/KWP/NoPadding");
      aes.init(Cipher.DECRYPT_MODE, new SecretKeySpec(aesKey, "AES"));
      return aes.doFinal(blob, modulusBytes, blob.length - modulusBytes);
    } finally {
      Arrays.fill(aesKey, (byte) 0);
    }
  }
}
