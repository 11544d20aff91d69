package io.github.credentialmanager.local;

import static java.nio.charset.StandardCharsets.US_ASCII;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.Signature;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/**
 * The JWT with which a GitHub App says who it is, read as GitHub reads it.
 *
 * <p>GitHub's rules: RS256 with a key registered for the App; {@code iat} not ahead; {@code exp}
 * ahead, and at most ten minutes after now and after {@code iat}; {@code iss} the App's id or
 * client id. The messages are GitHub's own.
 */
record AppJwt(String signedPart, byte[] signature, JsonNode claims) {
  static final String NOT_DECODED = "A JSON web token could not be decoded";

  private static final long LONGEST_LIFE = Duration.ofMinutes(10).toSeconds();
  private static final ObjectMapper JSON = new ObjectMapper();

  /** The parts of a token, nothing of them verified; null if it is none. */
  static @Nullable AppJwt parse(String token) {
    String[] parts = token.split("\\.", -1);
    if (parts.length != 3) {
      return null;
    }
    try {
      Base64.Decoder base64 = Base64.getUrlDecoder();
      JsonNode header = JSON.readTree(base64.decode(parts[0]));
      JsonNode claims = JSON.readTree(base64.decode(parts[1]));
      byte[] signature = base64.decode(parts[2]);
      return "RS256".equals(header.path("alg").textValue()) && claims.isObject()
          ? new AppJwt(parts[0] + "." + parts[1], signature, claims)
          : null;
    } catch (IllegalArgumentException | IOException e) {
      return null;
    }
  }

  /** Who it claims to be of: an id or a client id, as text. Empty if it does not say. */
  String issuer() {
    JsonNode issuer = claims.path("iss");
    return issuer.isTextual() || issuer.isIntegralNumber() ? issuer.asText() : "";
  }

  boolean signedByOneOf(Collection<PublicKey> keys) {
    return keys.stream().anyMatch(this::signedBy);
  }

  private boolean signedBy(PublicKey key) {
    try {
      Signature rs256 = Signature.getInstance("SHA256withRSA");
      rs256.initVerify(key);
      rs256.update(signedPart.getBytes(US_ASCII));
      return rs256.verify(signature);
    } catch (GeneralSecurityException e) {
      return false;
    }
  }

  /** What GitHub has to say against its times; null if nothing. */
  @Nullable String complaint(Instant now) {
    long second = now.getEpochSecond();
    JsonNode exp = claims.path("exp");
    JsonNode iat = claims.path("iat");
    if (!exp.isNumber() || exp.longValue() <= second) {
      return "'Expiration time' claim ('exp') must be a numeric value representing the future time"
          + " at which the assertion expires";
    }
    if (!iat.isIntegralNumber() || iat.longValue() > second) {
      return "'Issued at' claim ('iat') must be an Integer representing the time that the"
          + " assertion was issued";
    }
    if (exp.longValue() > second + LONGEST_LIFE
        || exp.longValue() > iat.longValue() + LONGEST_LIFE) {
      return "'Expiration time' claim ('exp') is too far in the future";
    }
    return null;
  }
}
