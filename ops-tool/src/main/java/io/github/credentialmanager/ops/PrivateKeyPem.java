package io.github.credentialmanager.ops;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.Objects.requireNonNull;

import io.github.credentialmanager.ops.DerReader.MalformedDerException;
import io.github.credentialmanager.ops.KeyManagerException.Reason;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.interfaces.RSAPrivateCrtKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.RSAPublicKeySpec;
import java.util.Arrays;
import java.util.Base64;

/**
 * A GitHub App's private key as GitHub hands it out: one PEM block holding an unencrypted RSA key
 * of 2048 bits, in PKCS#1 (RFC 8017, what GitHub sends) or PKCS#8 (RFC 5958).
 *
 * <p>Reading is strict: the encoding must be DER to the last byte, the numbers must make a working
 * key, and nothing but white space may stand around the block (RFC 7468, section 3, without its
 * leniency).
 *
 * <p>{@link #close()} overwrites the key bytes; signing afterwards is an {@link
 * IllegalStateException}. The JDK's own key objects, made for the moment of a signature, cannot be
 * overwritten and are left to the garbage collector. Neither {@link #toString()} nor any exception
 * carries key material.
 *
 * <p>Not safe for use by multiple threads.
 */
public final class PrivateKeyPem implements AutoCloseable {
  static final int MAX_BYTES = 16 * 1024;

  /** OBJECT IDENTIFIER rsaEncryption (1.2.840.113549.1.1.1), its contents. */
  private static final byte[] RSA_ENCRYPTION = {
    0x2a, (byte) 0x86, 0x48, (byte) 0x86, (byte) 0xf7, 0x0d, 0x01, 0x01, 0x01
  };

  /** AlgorithmIdentifier { rsaEncryption, NULL }, whole. */
  private static final byte[] RSA_ALGORITHM = {
    0x30,
    0x0d,
    0x06,
    0x09,
    0x2a,
    (byte) 0x86,
    0x48,
    (byte) 0x86,
    (byte) 0xf7,
    0x0d,
    0x01,
    0x01,
    0x01,
    0x05,
    0x00
  };

  /** The optional, constructed [0] of PrivateKeyInfo. */
  private static final int ATTRIBUTES = 0xa0;

  private static final byte[] VERSION_0 = {0x02, 0x01, 0x00};
  private static final byte[] NULL = {0x05, 0x00};

  private static final int BITS = 2048;

  private final byte[] pkcs8;
  private final RSAPublicKey publicKey;
  private boolean closed;

  private PrivateKeyPem(byte[] pkcs8, RSAPublicKey publicKey) {
    this.pkcs8 = pkcs8;
    this.publicKey = publicKey;
  }

  /**
   * Reads the key out of a PEM file's bytes, which stay as they are: overwriting them is the
   * caller's.
   *
   * @throws KeyManagerException with {@link Reason#BAD_PRIVATE_KEY} if they hold anything else
   */
  public static PrivateKeyPem parse(byte[] pem) {
    requireNonNull(pem, "pem");
    byte[] der = {};
    byte[] pkcs8 = {};
    try {
      PemBlock block = PemBlock.find(pem);
      der = block.decode();
      pkcs8 =
          switch (block.label) {
            case "RSA PRIVATE KEY" -> pkcs8OfPkcs1(der);
            case "PRIVATE KEY" -> pkcs8OfPkcs8(der);
            default -> throw refused(refusalOf(block.label));
          };
      PrivateKeyPem key = new PrivateKeyPem(pkcs8, publicKeyOf(pkcs8));
      key.proveItself();
      return key;
    } catch (MalformedDerException e) {
      Arrays.fill(pkcs8, (byte) 0);
      throw refused("The private key is damaged: download a new one from the App's settings page");
    } catch (RuntimeException e) {
      Arrays.fill(pkcs8, (byte) 0);
      throw e;
    } finally {
      Arrays.fill(der, (byte) 0);
    }
  }

  /** The public half. */
  public RSAPublicKey publicKey() {
    return publicKey;
  }

  /** How the App's settings page shows this key: {@code SHA256:} and base64. */
  public String fingerprint() {
    return Fingerprint.of(publicKey.getEncoded());
  }

  /** The key in PKCS#8 DER, as KMS imports it. Not a copy: gone after {@link #close()}. */
  byte[] pkcs8() {
    checkOpen();
    return pkcs8;
  }

  /** RSASSA-PKCS1-v1_5 with SHA-256 over {@code message}: the {@code RS256} of RFC 7518. */
  byte[] sign(byte[] message) {
    checkOpen();
    try {
      Signature signature = Signature.getInstance("SHA256withRSA");
      signature.initSign(privateKeyOf(pkcs8));
      signature.update(message);
      return signature.sign();
    } catch (GeneralSecurityException e) {
      throw damaged();
    }
  }

  @Override
  public void close() {
    closed = true;
    Arrays.fill(pkcs8, (byte) 0);
  }

  @Override
  public String toString() {
    return "PrivateKeyPem[" + fingerprint() + "]";
  }

  private void checkOpen() {
    if (closed) {
      throw new IllegalStateException("The private key has been wiped");
    }
  }

  private void proveItself() {
    byte[] message = "credential-manager".getBytes(US_ASCII);
    if (!RsaSignatures.verify(publicKey, message, sign(message))) {
      throw damaged();
    }
  }

  private static byte[] pkcs8OfPkcs1(byte[] pkcs1) {
    checkPkcs1(new DerReader(pkcs1));
    byte[] octets = DerWriter.element(DerReader.OCTET_STRING, pkcs1);
    try {
      return DerWriter.element(DerReader.SEQUENCE, VERSION_0, RSA_ALGORITHM, octets);
    } finally {
      Arrays.fill(octets, (byte) 0);
    }
  }

  /** The same key with nothing else in the structure: no attributes, no stray parameters. */
  private static byte[] pkcs8OfPkcs8(byte[] der) {
    DerReader whole = new DerReader(der);
    DerReader info = whole.next(DerReader.SEQUENCE);
    whole.end();
    if (!info.next(DerReader.INTEGER).remainsEqualTo(new byte[] {0})) {
      throw new MalformedDerException();
    }
    DerReader algorithm = info.next(DerReader.SEQUENCE);
    if (!algorithm.next(DerReader.OBJECT_IDENTIFIER).remainsEqualTo(RSA_ENCRYPTION)) {
      throw refused("The private key is no RSA key: GitHub Apps sign with RSA");
    }
    if (!algorithm.remainsEqualTo(NULL)) {
      throw new MalformedDerException();
    }
    byte[] pkcs1 = info.next(DerReader.OCTET_STRING).copy();
    try {
      while (info.hasMore()) {
        info.next(ATTRIBUTES);
      }
      return pkcs8OfPkcs1(pkcs1);
    } finally {
      Arrays.fill(pkcs1, (byte) 0);
    }
  }

  /** RSAPrivateKey of RFC 8017, A.1.2: the version and eight numbers. */
  private static void checkPkcs1(DerReader whole) {
    DerReader key = whole.next(DerReader.SEQUENCE);
    whole.end();
    if (!key.next(DerReader.INTEGER).remainsEqualTo(new byte[] {0})) {
      throw new MalformedDerException();
    }
    for (int number = 0; number < 8; number++) {
      key.skipInteger();
    }
    key.end();
  }

  private static RSAPublicKey publicKeyOf(byte[] pkcs8) {
    try {
      RSAPrivateCrtKey key = privateKeyOf(pkcs8);
      int bits = key.getModulus().bitLength();
      if (bits != BITS) {
        throw refused("The private key has %d bits: a GitHub App's has %d".formatted(bits, BITS));
      }
      if (!key.getPrimeP().multiply(key.getPrimeQ()).equals(key.getModulus())
          || !isInverse(key, key.getPrimeP())
          || !isInverse(key, key.getPrimeQ())) {
        throw damaged();
      }
      return (RSAPublicKey)
          KeyFactory.getInstance("RSA")
              .generatePublic(new RSAPublicKeySpec(key.getModulus(), key.getPublicExponent()));
    } catch (GeneralSecurityException e) {
      throw damaged();
    }
  }

  /** Whether the exponents undo each other modulo a prime; signatures by CRT do not show it. */
  private static boolean isInverse(RSAPrivateCrtKey key, BigInteger prime) {
    return key.getPublicExponent()
        .multiply(key.getPrivateExponent())
        .mod(prime.subtract(BigInteger.ONE))
        .equals(BigInteger.ONE);
  }

  private static RSAPrivateCrtKey privateKeyOf(byte[] pkcs8) throws GeneralSecurityException {
    PrivateKey key = KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
    if (key instanceof RSAPrivateCrtKey crt) {
      return crt;
    }
    throw damaged();
  }

  private static String refusalOf(String label) {
    return switch (label) {
      case "ENCRYPTED PRIVATE KEY" ->
          "The private key is encrypted: decrypt it first, `openssl rsa -in KEY.pem -out PLAIN.pem`";
      case "EC PRIVATE KEY" -> "The private key is no RSA key: GitHub Apps sign with RSA";
      case "OPENSSH PRIVATE KEY" ->
          "This is an SSH key: download the App's private key from its settings page";
      case "PUBLIC KEY", "RSA PUBLIC KEY" -> "This is a public key: the private key is needed";
      case "CERTIFICATE" -> "This is a certificate: the private key is needed";
      default -> "This PEM holds no private key: download one from the App's settings page";
    };
  }

  private static KeyManagerException damaged() {
    return refused("The private key is damaged: download a new one from the App's settings page");
  }

  private static KeyManagerException refused(String message) {
    return new KeyManagerException(Reason.BAD_PRIVATE_KEY, message);
  }

  /** The one PEM block of a file. */
  private static final class PemBlock {
    private static final String BEGIN = "-----BEGIN ";
    private static final String END = "-----END ";
    private static final String DASHES = "-----";

    final String label;
    private final byte[] pem;
    private final int from;
    private final int to;

    private PemBlock(String label, byte[] pem, int from, int to) {
      this.label = label;
      this.pem = pem;
      this.from = from;
      this.to = to;
    }

    static PemBlock find(byte[] pem) {
      if (pem.length > MAX_BYTES) {
        throw refused("The file is too large for a private key (%d bytes)".formatted(pem.length));
      }
      int begin = skipBlanks(pem, 0);
      if (!startsWith(pem, begin, BEGIN)) {
        throw refused(
            "The file does not start with a PEM block (`-----BEGIN RSA PRIVATE KEY-----`): give"
                + " the .pem file downloaded from the App's settings page, unchanged");
      }
      int labelStart = begin + BEGIN.length();
      int labelEnd = indexOf(pem, labelStart, DASHES);
      if (labelEnd < 0 || labelEnd - labelStart > 40) {
        throw damaged();
      }
      String label = new String(pem, labelStart, labelEnd - labelStart, US_ASCII);
      int from = labelEnd + DASHES.length();
      String lastLine = END + label + DASHES;
      int to = indexOf(pem, from, lastLine);
      if (to < 0) {
        throw refused("The PEM block has no end (`%s`): the file is cut".formatted(lastLine));
      }
      int encryption = indexOf(pem, from, "Proc-Type:"); // RFC 1421; base64 has no colon
      if (encryption >= 0 && encryption < to) {
        throw refused(refusalOf("ENCRYPTED PRIVATE KEY"));
      }
      if (skipBlanks(pem, to + lastLine.length()) != pem.length) {
        throw refused("Something follows the PEM block: give a file with the private key alone");
      }
      return new PemBlock(label, pem, from, to);
    }

    byte[] decode() {
      byte[] base64 = new byte[to - from];
      int length = 0;
      for (int i = from; i < to; i++) {
        if (!isBlank(pem[i])) {
          base64[length++] = pem[i];
        }
      }
      byte[] trimmed = Arrays.copyOf(base64, length);
      try {
        return Base64.getDecoder().decode(trimmed);
      } catch (IllegalArgumentException e) {
        throw damaged();
      } finally {
        Arrays.fill(base64, (byte) 0);
        Arrays.fill(trimmed, (byte) 0);
      }
    }

    private static int skipBlanks(byte[] bytes, int from) {
      int i = from;
      while (i < bytes.length && isBlank(bytes[i])) {
        i++;
      }
      return i;
    }

    private static boolean isBlank(byte b) {
      return b == ' ' || b == '\t' || b == '\r' || b == '\n';
    }

    private static boolean startsWith(byte[] bytes, int at, String text) {
      if (at + text.length() > bytes.length) {
        return false;
      }
      for (int i = 0; i < text.length(); i++) {
        if (bytes[at + i] != text.charAt(i)) {
          return false;
        }
      }
      return true;
    }

    private static int indexOf(byte[] bytes, int from, String text) {
      for (int i = from; i <= bytes.length - text.length(); i++) {
        if (startsWith(bytes, i, text)) {
          return i;
        }
      }
      return -1;
    }
  }
}
