package io.github.credentialmanager.server.signing;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.github.credentialmanager.server.json.JsonText;
import io.github.credentialmanager.server.outbound.Deadline;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.Map;
import java.util.UUID;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.awssdk.services.kms.model.DisabledException;
import software.amazon.awssdk.services.kms.model.InvalidKeyUsageException;
import software.amazon.awssdk.services.kms.model.KmsInvalidStateException;
import software.amazon.awssdk.services.kms.model.MessageType;
import software.amazon.awssdk.services.kms.model.NotFoundException;
import software.amazon.awssdk.services.kms.model.SigningAlgorithmSpec;

/**
 * Builds a JWT and has KMS sign its digest.
 *
 * <p>{@code iat} lies 60 s back and {@code exp} 480 s ahead, within the ten minutes that GitHub
 * allows including the back-dating ("Generating a JSON Web Token for a GitHub App"). The {@code
 * jti} keeps two JWTs of the same second apart: identical ones, used at once, met transient 404s.
 */
final class KmsAppJwtSigner implements AppJwtSigner {
  private static final Duration CLOCK_SKEW = Duration.ofSeconds(60);
  private static final Duration LIFE = Duration.ofSeconds(480);
  private static final Duration CALL_TIMEOUT = Duration.ofSeconds(3);
  private static final Base64.Encoder BASE64URL = Base64.getUrlEncoder().withoutPadding();
  private static final String HEADER =
      BASE64URL.encodeToString("{\"alg\":\"RS256\",\"typ\":\"JWT\"}".getBytes(US_ASCII));

  private final KmsClient client;
  private final InstantSource clock;

  KmsAppJwtSigner(KmsClient client, InstantSource clock) {
    this.client = client;
    this.clock = clock;
  }

  @Override
  public AppJwt sign(long appId, String keyArn, Deadline deadline) {
    Instant now = clock.instant().truncatedTo(ChronoUnit.SECONDS);
    Instant expiresAt = now.plus(LIFE);
    String claims =
        JsonText.line(
            Map.of(
                "iat", now.minus(CLOCK_SKEW).getEpochSecond(),
                "exp", expiresAt.getEpochSecond(),
                "iss", Long.toString(appId),
                "jti", UUID.randomUUID().toString()));
    String signed = HEADER + "." + BASE64URL.encodeToString(claims.getBytes(US_ASCII));
    byte[] signature = sign(keyArn, sha256(signed.getBytes(US_ASCII)), deadline);
    return new AppJwt(signed + "." + BASE64URL.encodeToString(signature), keyArn, now, expiresAt);
  }

  private byte[] sign(String keyArn, byte[] digest, Deadline deadline) {
    try {
      SdkBytes signature =
          client
              .sign(
                  request ->
                      request
                          .keyId(keyArn)
                          .message(SdkBytes.fromByteArray(digest))
                          .messageType(MessageType.DIGEST)
                          .signingAlgorithm(SigningAlgorithmSpec.RSASSA_PKCS1_V1_5_SHA_256)
                          .overrideConfiguration(
                              call -> call.apiCallTimeout(deadline.atMost(CALL_TIMEOUT))))
              .signature();
      if (signature == null) {
        throw new SigningException(
            SigningException.Cause.UNAVAILABLE, "KMS answers without a signature", null);
      }
      return signature.asByteArray();
    } catch (SdkException e) {
      throw failure(keyArn, e);
    }
  }

  private static SigningException failure(String keyArn, SdkException e) {
    if (e instanceof AwsServiceException service && service.isThrottlingException()) {
      return new SigningException(
          SigningException.Cause.THROTTLED, "KMS throttles signing with " + keyArn, e);
    }
    if (isAboutTheKey(e)) {
      return new SigningException(
          SigningException.Cause.KEY_UNAVAILABLE, "KMS does not sign with " + keyArn, e);
    }
    return new SigningException(
        SigningException.Cause.UNAVAILABLE, "KMS does not answer for " + keyArn, e);
  }

  private static boolean isAboutTheKey(SdkException e) {
    return e instanceof DisabledException
        || e instanceof KmsInvalidStateException
        || e instanceof NotFoundException
        || e instanceof InvalidKeyUsageException
        || (e instanceof AwsServiceException service
            && service.awsErrorDetails() != null
            && "AccessDeniedException".equals(service.awsErrorDetails().errorCode()));
  }

  private static byte[] sha256(byte[] bytes) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(bytes);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
