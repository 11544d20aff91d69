package io.github.credentialmanager.sdk;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.interfaces.RSAPrivateKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Instant;
import java.util.Base64;
import java.util.HexFormat;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A GitHub App's private key in this process, which signs the App's tokens. */
final class AppKey {
  /**
   * GitHub refuses a token from its future; a minute allows for clocks (GitHub documentation,
   * "Generating a JWT").
   */
  private static final long BACKDATED_SECONDS = 60;

  /** GitHub's limit is 10 minutes from {@code iat}. */
  private static final long LIFE_SECONDS = 480;

  /**
   * What a user of the token does not get to see of its life, so that it does not end under way.
   */
  private static final long SPARE_SECONDS = 10;

  private static final Pattern PEM =
      Pattern.compile(
          "\\s*-----BEGIN (RSA )?PRIVATE KEY-----([A-Za-z0-9+/=\\s]+)-----END (RSA )?PRIVATE KEY-----\\s*");

  /** {@code SEQUENCE { rsaEncryption, NULL }} (RFC 8017, appendix C). */
  private static final byte[] RSA_ALGORITHM =
      HexFormat.of().parseHex("300d06092a864886f70d0101010500");

  private static final byte[] VERSION_0 = {2, 1, 0};
  private static final byte SEQUENCE = 0x30;
  private static final byte OCTET_STRING = 0x04;

  private final PrivateKey key;

  private AppKey(PrivateKey key) {
    this.key = key;
  }

  /** A token and its end, less what is kept back. */
  record Jwt(Secret token, Instant expirationTime) {}

  /**
   * The key of a PEM file: PKCS#1, as GitHub hands it out, or PKCS#8, unencrypted.
   *
   * @throws GeneralSecurityException if it is anything else; the message does not quote it
   */
  static AppKey parse(String pem) throws GeneralSecurityException {
    Matcher matcher = PEM.matcher(pem);
    if (!matcher.matches()) {
      throw new GeneralSecurityException(
          "Not one unencrypted PEM private key (PKCS#1, as GitHub hands it out, or PKCS#8).");
    }
    byte[] der;
    try {
      der = Base64.getMimeDecoder().decode(matcher.group(2));
    } catch (IllegalArgumentException e) {
      throw new GeneralSecurityException("The PEM's content is not base64.");
    }
    if (!isOneSequence(der)) {
      throw new GeneralSecurityException("The PEM's content is not one whole key.");
    }
    byte[] pkcs8 =
        matcher.group(1) == null
            ? der
            : element(SEQUENCE, VERSION_0, RSA_ALGORITHM, element(OCTET_STRING, der));
    PrivateKey key;
    try {
      key = KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
    } catch (GeneralSecurityException e) {
      throw new GeneralSecurityException("The PEM's content is not an RSA private key.");
    }
    if (!(key instanceof RSAPrivateKey rsa) || rsa.getModulus().bitLength() < 2048) {
      throw new GeneralSecurityException("The key is shorter than GitHub's 2048 bits.");
    }
    return new AppKey(key);
  }

  /**
   * The App's own token (RS256), with an id of its own: GitHub has stumbled over two alike in one
   * second.
   */
  Jwt sign(long appId, Instant now) throws GeneralSecurityException {
    long issuedAt = now.getEpochSecond() - BACKDATED_SECONDS;
    long expires = now.getEpochSecond() + LIFE_SECONDS;
    String claims =
        "{\"iat\":%d,\"exp\":%d,\"iss\":\"%d\",\"jti\":\"%s\"}"
            .formatted(issuedAt, expires, appId, UUID.randomUUID());
    String signed = base64("{\"alg\":\"RS256\",\"typ\":\"JWT\"}") + "." + base64(claims);
    Signature signature = Signature.getInstance("SHA256withRSA");
    signature.initSign(key);
    signature.update(signed.getBytes(US_ASCII));
    String jwt =
        signed + "." + Base64.getUrlEncoder().withoutPadding().encodeToString(signature.sign());
    return new Jwt(Secret.of(jwt), Instant.ofEpochSecond(expires - SPARE_SECONDS));
  }

  @Override
  public String toString() {
    return "AppKey[…]";
  }

  private static String base64(String text) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(text.getBytes(UTF_8));
  }

  /** Whether this is one DER sequence with nothing behind it, which the JDK would not mind. */
  private static boolean isOneSequence(byte[] der) {
    return der.length > 4
        && der[0] == SEQUENCE
        && der[1] == (byte) 0x82
        && der.length == 4 + ((der[2] & 0xff) << 8) + (der[3] & 0xff);
  }

  /** One DER element (X.690, section 8.1). */
  private static byte[] element(byte tag, byte[]... contents) {
    ByteArrayOutputStream content = new ByteArrayOutputStream();
    for (byte[] part : contents) {
      content.writeBytes(part);
    }
    ByteArrayOutputStream element = new ByteArrayOutputStream();
    element.write(tag);
    int length = content.size();
    if (length < 0x80) {
      element.write(length);
    } else {
      // Two length bytes: an RSA key is longer than 255 bytes and shorter than 64 KiB.
      element.write(0x82);
      element.write(length >> 8);
      element.write(length);
    }
    element.writeBytes(content.toByteArray());
    return element.toByteArray();
  }
}
