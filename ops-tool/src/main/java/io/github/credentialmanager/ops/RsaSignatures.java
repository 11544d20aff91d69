package io.github.credentialmanager.ops;

import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.Signature;

/** RSASSA-PKCS1-v1_5 with SHA-256, the {@code RS256} of RFC 7518. */
final class RsaSignatures {
  private RsaSignatures() {}

  /** Whether {@code signature} is over {@code message}; a signature of the wrong length is not. */
  static boolean verify(PublicKey key, byte[] message, byte[] signature) {
    try {
      Signature verifier = Signature.getInstance("SHA256withRSA");
      verifier.initVerify(key);
      verifier.update(message);
      return verifier.verify(signature);
    } catch (GeneralSecurityException e) {
      return false;
    }
  }
}
