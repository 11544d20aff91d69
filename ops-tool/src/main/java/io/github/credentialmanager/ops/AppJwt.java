package io.github.credentialmanager.ops;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.UUID;

/**
 * The JWT by which a GitHub App authenticates (GitHub, "Generating a JSON Web Token for a GitHub
 * App"): RS256, issued 60 s in the past against clock drift, ten minutes of life at most, the
 * back-dating included.
 *
 * <p>A {@code jti} keeps two JWTs of one second apart: identical ones gave transient 404s.
 */
final class AppJwt {
  private static final Duration BACK_DATED = Duration.ofSeconds(60);
  private static final Duration LIFE = Duration.ofSeconds(480);
  private static final String HEADER =
      base64Url("{\"alg\":\"RS256\",\"typ\":\"JWT\"}".getBytes(US_ASCII));

  /** Signs {@code header.payload} with RS256. */
  @FunctionalInterface
  interface Signer {
    byte[] sign(byte[] signingInput);
  }

  private AppJwt() {}

  /** A bearer credential for App {@code appId}, good for eight minutes from {@code now}. */
  static String signedBy(Signer signer, long appId, Instant now) {
    String payload =
        "{\"iat\":%d,\"exp\":%d,\"iss\":\"%d\",\"jti\":\"%s\"}"
            .formatted(
                now.minus(BACK_DATED).getEpochSecond(),
                now.plus(LIFE).getEpochSecond(),
                appId,
                UUID.randomUUID());
    String signingInput = HEADER + "." + base64Url(payload.getBytes(US_ASCII));
    return signingInput + "." + base64Url(signer.sign(signingInput.getBytes(US_ASCII)));
  }

  private static String base64Url(byte[] bytes) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }
}
