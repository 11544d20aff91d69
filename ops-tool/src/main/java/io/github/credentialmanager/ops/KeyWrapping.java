package io.github.credentialmanager.ops;

import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.spec.MGF1ParameterSpec;
import java.util.Arrays;
import javax.crypto.Cipher;
import javax.crypto.spec.OAEPParameterSpec;
import javax.crypto.spec.PSource;
import javax.crypto.spec.SecretKeySpec;

/**
 * KMS's {@code RSA_AES_KEY_WRAP_SHA_256}: an AES key of 256 bits under RSAES-OAEP, then the private
 * key under that AES key with AES-KWP (AWS KMS Developer Guide, "Encrypt the key material").
 *
 * <p>OAEP uses SHA-256 for both the label and MGF1. The JDK's {@code OAEPWithSHA-256AndMGF1Padding}
 * alone would take SHA-1 for MGF1, which KMS refuses.
 */
final class KeyWrapping {
  private static final OAEPParameterSpec OAEP_SHA_256 =
      new OAEPParameterSpec(
          "SHA-256", "MGF1", MGF1ParameterSpec.SHA256, PSource.PSpecified.DEFAULT);

  private KeyWrapping() {}

  /** The blob for {@code ImportKeyMaterial}. The AES key inside is made here and wiped here. */
  static byte[] wrap(byte[] keyMaterial, PublicKey wrappingKey, SecureRandom random)
      throws GeneralSecurityException {
    byte[] aesKey = new byte[32];
    try {
      random.nextBytes(aesKey);
      byte[] wrappedAesKey = oaep(wrappingKey, aesKey, random);
      byte[] wrappedMaterial = aesKwp(aesKey, keyMaterial);
      return ByteBuffer.allocate(wrappedAesKey.length + wrappedMaterial.length)
          .put(wrappedAesKey)
          .put(wrappedMaterial)
          .array();
    } finally {
      Arrays.fill(aesKey, (byte) 0);
    }
  }

  /** RSAES-OAEP (RFC 8017) with SHA-256, MGF1 with SHA-256 and no label. */
  static byte[] oaep(PublicKey key, byte[] message, SecureRandom random)
      throws GeneralSecurityException {
    Cipher cipher = Cipher.getInstance("RSA/ECB/OAEPPadding");
    cipher.init(Cipher.ENCRYPT_MODE, key, OAEP_SHA_256, random);
    return cipher.doFinal(message);
  }

  /** AES key wrap with padding (RFC 5649). */
  static byte[] aesKwp(byte[] key, byte[] data) throws GeneralSecurityException {
    Cipher cipher = Cipher.getInstance("AES/KWP/NoPadding");
    cipher.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(key, "AES"));
    return cipher.doFinal(data);
  }
}
