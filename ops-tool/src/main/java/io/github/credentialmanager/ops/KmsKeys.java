package io.github.credentialmanager.ops;

import io.github.credentialmanager.ops.KeyManagerException.Reason;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.spec.X509EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.awssdk.services.kms.model.AlgorithmSpec;
import software.amazon.awssdk.services.kms.model.ExpirationModelType;
import software.amazon.awssdk.services.kms.model.ExpiredImportTokenException;
import software.amazon.awssdk.services.kms.model.GetParametersForImportResponse;
import software.amazon.awssdk.services.kms.model.InvalidArnException;
import software.amazon.awssdk.services.kms.model.KeyMetadata;
import software.amazon.awssdk.services.kms.model.KeySpec;
import software.amazon.awssdk.services.kms.model.KeyUsageType;
import software.amazon.awssdk.services.kms.model.KmsInvalidStateException;
import software.amazon.awssdk.services.kms.model.MessageType;
import software.amazon.awssdk.services.kms.model.NotFoundException;
import software.amazon.awssdk.services.kms.model.OriginType;
import software.amazon.awssdk.services.kms.model.SigningAlgorithmSpec;
import software.amazon.awssdk.services.kms.model.Tag;
import software.amazon.awssdk.services.kms.model.WrappingKeySpec;

/** GitHub Apps' keys in KMS. */
final class KmsKeys {
  /** KMS is eventually consistent: a new key or its new state may take this long to be seen. */
  private static final Duration CONSISTENT_WITHIN = Duration.ofSeconds(60);

  private final KmsClient kms;
  private final Consumer<Duration> pause;
  private final SecureRandom random = new SecureRandom();

  KmsKeys(KmsClient kms, Consumer<Duration> pause) {
    this.kms = kms;
    this.pause = pause;
  }

  /**
   * Creates a key that waits for its material.
   *
   * <p>It is tagged {@code Active} from the start: a changed tag can take five minutes to reach
   * authorisation (AWS KMS Developer Guide, "ABAC for AWS KMS"), so that a key tagged later could
   * go live before the server may sign with it.
   */
  String create(long appId, Instant now) {
    KeyMetadata key =
        AwsFailures.explained(
            "kms:CreateKey (with kms:TagResource)",
            () ->
                kms.createKey(
                        b ->
                            b.description("Private key of GitHub App " + appId)
                                .keySpec(KeySpec.RSA_2048)
                                .keyUsage(KeyUsageType.SIGN_VERIFY)
                                .origin(OriginType.EXTERNAL)
                                .tags(
                                    tag(KeyTags.MANAGED, "true"),
                                    tag(KeyTags.STATUS, KeyTags.ACTIVE),
                                    tag(KeyTags.APP_ID, Long.toString(appId)),
                                    tag(KeyTags.CREATED_ON, Timestamps.format(now))))
                    .keyMetadata());
    return key.arn();
  }

  GetParametersForImportResponse importParameters(String keyArn) {
    return settled(
        "kms:GetParametersForImport",
        () ->
            kms.getParametersForImport(
                b ->
                    b.keyId(keyArn)
                        .wrappingAlgorithm(AlgorithmSpec.RSA_AES_KEY_WRAP_SHA_256)
                        .wrappingKeySpec(WrappingKeySpec.RSA_4096)));
  }

  /** Imports the key's material, asking for new parameters once if the token has expired. */
  void importMaterial(String keyArn, PrivateKeyPem pem, GetParametersForImportResponse parameters) {
    try {
      sendMaterial(keyArn, pem, parameters);
    } catch (ExpiredImportTokenException e) {
      try {
        sendMaterial(keyArn, pem, importParameters(keyArn));
      } catch (SdkException again) {
        throw AwsFailures.explain("kms:ImportKeyMaterial", again);
      }
    } catch (SdkException e) {
      throw AwsFailures.explain("kms:ImportKeyMaterial", e);
    }
  }

  private void sendMaterial(
      String keyArn, PrivateKeyPem pem, GetParametersForImportResponse parameters) {
    SdkBytes wrapped;
    try {
      wrapped =
          SdkBytes.fromByteArrayUnsafe(
              KeyWrapping.wrap(
                  pem.pkcs8(), rsaPublicKey(parameters.publicKey().asByteArray()), random));
    } catch (GeneralSecurityException e) {
      throw new KeyManagerException(
          Reason.KEY_NOT_USABLE, "KMS gave a wrapping key that cannot be used", e);
    }
    kms.importKeyMaterial(
        b ->
            b.keyId(keyArn)
                .importToken(parameters.importToken())
                .encryptedKeyMaterial(wrapped)
                .expirationModel(ExpirationModelType.KEY_MATERIAL_DOES_NOT_EXPIRE));
  }

  /** The key's public half, as SubjectPublicKeyInfo. */
  byte[] publicKey(String keyArn) {
    return settled(
        "kms:GetPublicKey", () -> kms.getPublicKey(b -> b.keyId(keyArn)).publicKey().asByteArray());
  }

  /** RS256 over {@code message}, which KMS sees as a digest only. */
  byte[] sign(String keyArn, byte[] message) {
    SdkBytes digest = SdkBytes.fromByteArrayUnsafe(Fingerprint.sha256(message));
    return settled(
        "kms:Sign",
        () ->
            kms.sign(
                    b ->
                        b.keyId(keyArn)
                            .message(digest)
                            .messageType(MessageType.DIGEST)
                            .signingAlgorithm(SigningAlgorithmSpec.RSASSA_PKCS1_V1_5_SHA_256))
                .signature()
                .asByteArray());
  }

  /** The key's state, or empty if there is no such key, or the name cannot be one's. */
  Optional<KeyMetadata> describe(String keyArn) {
    return AwsFailures.explained(
        "kms:DescribeKey",
        () -> {
          try {
            return Optional.of(kms.describeKey(b -> b.keyId(keyArn)).keyMetadata());
          } catch (NotFoundException | InvalidArnException e) {
            return Optional.empty();
          }
        });
  }

  /** All tags of the key. */
  Map<String, String> tags(String keyArn) {
    return AwsFailures.explained(
        "kms:ListResourceTags",
        () -> {
          Map<String, String> tags = new HashMap<>();
          kms.listResourceTagsPaginator(b -> b.keyId(keyArn))
              .tags()
              .forEach(tag -> tags.put(tag.tagKey(), tag.tagValue()));
          return tags;
        });
  }

  void tag(String keyArn, Map<String, String> tags) {
    AwsFailures.explained(
        "kms:TagResource",
        () ->
            kms.tagResource(
                b ->
                    b.keyId(keyArn)
                        .tags(
                            tags.entrySet().stream()
                                .map(entry -> tag(entry.getKey(), entry.getValue()))
                                .toList())));
  }

  /**
   * Has KMS delete the key after {@code days}, 7 to 30. Until then it signs nothing, and its
   * deletion can be cancelled.
   */
  Instant scheduleDeletion(String keyArn, int days) {
    return AwsFailures.explained(
        "kms:ScheduleKeyDeletion",
        () ->
            kms.scheduleKeyDeletion(b -> b.keyId(keyArn).pendingWindowInDays(days)).deletionDate());
  }

  static PublicKey rsaPublicKey(byte[] subjectPublicKeyInfo) throws GeneralSecurityException {
    return KeyFactory.getInstance("RSA")
        .generatePublic(new X509EncodedKeySpec(subjectPublicKeyInfo));
  }

  /** Calls again while KMS does not know the key, or knows it in the state before. */
  private <T> T settled(String action, Supplier<T> call) {
    Duration waited = Duration.ZERO;
    Duration wait = Duration.ofMillis(250);
    while (true) {
      try {
        return call.get();
      } catch (NotFoundException | KmsInvalidStateException e) {
        if (waited.compareTo(CONSISTENT_WITHIN) >= 0) {
          throw new KeyManagerException(
              Reason.KEY_NOT_USABLE,
              "KMS does not do %s with the key (%s): see its state with `credential-manager list-keys`"
                  .formatted(action, e.awsErrorDetails().errorCode()),
              e);
        }
        pause.accept(wait);
        waited = waited.plus(wait);
        wait = wait.multipliedBy(2);
      } catch (SdkException e) {
        throw AwsFailures.explain(action, e);
      }
    }
  }

  private static Tag tag(String key, String value) {
    return Tag.builder().tagKey(key).tagValue(value).build();
  }
}
