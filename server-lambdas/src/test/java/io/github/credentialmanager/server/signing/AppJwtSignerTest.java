package io.github.credentialmanager.server.signing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.github.credentialmanager.server.DynamoDbLocal;
import io.github.credentialmanager.server.KmsDouble;
import io.github.credentialmanager.server.outbound.Deadline;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.kms.KmsClient;

class AppJwtSignerTest {
  private static final String KEY = "arn:aws:kms:us-east-1:111122223333:key/k";
  private static final Instant NOW = Instant.parse("2026-11-23T08:51:02.750Z");

  private final KmsDouble kms = new KmsDouble().key(KEY);
  private final KmsClient client =
      KmsClient.builder()
          .endpointOverride(kms.endpoint())
          .region(Region.US_EAST_1)
          .credentialsProvider(DynamoDbLocal.credentials())
          .httpClientBuilder(UrlConnectionHttpClient.builder())
          .overrideConfiguration(
              override -> override.retryStrategy(retries -> retries.maxAttempts(1)))
          .build();
  private final AppJwtSigner signer = AppJwtSigner.kms(client, () -> NOW);
  private final Deadline deadline = Deadline.in(Duration.ofSeconds(10));

  @AfterEach
  void close() {
    client.close();
    kms.close();
  }

  @Test
  void saysWhatItSignedWithAndUntilWhen() {
    AppJwt jwt = signer.sign(1001, KEY, deadline);
    assertThat(jwt.keyArn()).isEqualTo(KEY);
    assertThat(jwt.expiresAt())
        .as("whole seconds, as the claim is")
        .isEqualTo(Instant.parse("2026-11-23T08:59:02Z"));
    assertThat(jwt.toString()).doesNotContain(jwt.value()).contains(KEY);
  }

  @Test
  void hasHalfItsLifeUntilFourMinutesLater() {
    AppJwt jwt = signer.sign(1001, KEY, deadline);
    Instant signed = jwt.signedAt();
    assertThat(jwt.hasHalfItsLifeAt(signed)).isTrue();
    assertThat(jwt.hasHalfItsLifeAt(signed.plusSeconds(240))).isTrue();
    assertThat(jwt.hasHalfItsLifeAt(signed.plusSeconds(241))).isFalse();
    assertThat(jwt.hasHalfItsLifeAt(signed.minusSeconds(1))).as("a clock that went back").isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "DisabledException, KEY_UNAVAILABLE",
    "KMSInvalidStateException, KEY_UNAVAILABLE",
    "NotFoundException, KEY_UNAVAILABLE",
    "InvalidKeyUsageException, KEY_UNAVAILABLE",
    "AccessDeniedException, KEY_UNAVAILABLE",
    "ThrottlingException, THROTTLED",
    "KMSInternalException, UNAVAILABLE",
    "DependencyTimeoutException, UNAVAILABLE",
    "UnrecognizedClientException, UNAVAILABLE",
  })
  void tellsWhyThereIsNoSignature(String errorCode, SigningException.Cause cause) {
    kms.failWith(KEY, errorCode);
    SigningException failure =
        catchThrowableOfType(SigningException.class, () -> signer.sign(1001, KEY, deadline));
    assertThat(failure.reason()).isEqualTo(cause);
  }

  @Test
  void doesNotTakeSilenceForASignature() {
    kms.answerWithoutSignature();
    SigningException failure =
        catchThrowableOfType(SigningException.class, () -> signer.sign(1001, KEY, deadline));
    assertThat(failure.reason()).isEqualTo(SigningException.Cause.UNAVAILABLE);
  }
}
