package io.github.credentialmanager.local;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.X509EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import javax.crypto.Cipher;
import javax.crypto.KeyGenerator;
import javax.crypto.SecretKey;
import javax.crypto.spec.OAEPParameterSpec;
import javax.crypto.spec.PSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.retries.DefaultRetryStrategy;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.awssdk.services.kms.model.AlgorithmSpec;
import software.amazon.awssdk.services.kms.model.CreateKeyRequest;
import software.amazon.awssdk.services.kms.model.DisabledException;
import software.amazon.awssdk.services.kms.model.ExpirationModelType;
import software.amazon.awssdk.services.kms.model.ExpiredImportTokenException;
import software.amazon.awssdk.services.kms.model.GetParametersForImportResponse;
import software.amazon.awssdk.services.kms.model.IncorrectKeyMaterialException;
import software.amazon.awssdk.services.kms.model.InvalidCiphertextException;
import software.amazon.awssdk.services.kms.model.InvalidImportTokenException;
import software.amazon.awssdk.services.kms.model.KeyMetadata;
import software.amazon.awssdk.services.kms.model.KeySpec;
import software.amazon.awssdk.services.kms.model.KeyState;
import software.amazon.awssdk.services.kms.model.KeyUsageType;
import software.amazon.awssdk.services.kms.model.KmsException;
import software.amazon.awssdk.services.kms.model.KmsInternalException;
import software.amazon.awssdk.services.kms.model.KmsInvalidStateException;
import software.amazon.awssdk.services.kms.model.MessageType;
import software.amazon.awssdk.services.kms.model.NotFoundException;
import software.amazon.awssdk.services.kms.model.OriginType;
import software.amazon.awssdk.services.kms.model.SignResponse;
import software.amazon.awssdk.services.kms.model.SigningAlgorithmSpec;
import software.amazon.awssdk.services.kms.model.Tag;
import software.amazon.awssdk.services.kms.model.TagException;
import software.amazon.awssdk.services.kms.model.UnsupportedOperationException;
import software.amazon.awssdk.services.kms.model.WrappingKeySpec;

/**
 * Drives the local KMS with the AWS SDK's client, and wraps keys with the JCA as an operator does.
 */
class LocalKmsTest {
  private static final Instant NOW = Instant.parse("2026-11-23T08:51:02Z");
  private static final AwsCredentials OPERATOR =
      AwsBasicCredentials.create("AKIAOPERATOR", "secret-of-the-operator");
  private static final AwsCredentials SERVER =
      AwsBasicCredentials.create("AKIASERVER", "secret-of-the-server");
  private static final Map<String, String> ACTIVE =
      Map.of("FrameworkForGitHubAppOnAwsManaged", "true", "Status", "Active");

  private static KeyPair appKey;
  private static KeyPair otherKey;

  private final MovableClock clock = new MovableClock(NOW);
  private LocalKms kms;
  private KmsClient client;

  @BeforeAll
  static void makeKeys() throws Exception {
    appKey = rsa(2048);
    otherKey = rsa(2048);
  }

  @BeforeEach
  void start() {
    kms = LocalKms.start(clock);
    client = client(kms, OPERATOR);
  }

  @AfterEach
  void stop() {
    client.close();
    kms.close();
  }

  @Nested
  class WhileAKeyIsImported {
    @Test
    void itGoesFromPendingImportToEnabled() throws Exception {
      KeyMetadata created = create(ACTIVE);
      assertThat(created.keyState()).isEqualTo(KeyState.PENDING_IMPORT);
      assertThat(created.enabled()).isFalse();
      assertThat(created.arn())
          .isEqualTo("arn:aws:kms:us-east-1:111122223333:key/" + created.keyId());
      assertThat(created.creationDate()).isEqualTo(NOW);
      assertThat(created.description()).isEqualTo("key of App 1001");

      importKey(created.keyId(), appKey);

      KeyMetadata imported = describe(created.arn());
      assertThat(imported.keyState()).isEqualTo(KeyState.ENABLED);
      assertThat(imported.origin()).isEqualTo(OriginType.EXTERNAL);
      assertThat(imported.expirationModel())
          .isEqualTo(ExpirationModelType.KEY_MATERIAL_DOES_NOT_EXPIRE);
      assertThat(publicKey(created.keyId())).isEqualTo(appKey.getPublic().getEncoded());
    }

    @Test
    void theSameMaterialMayComeAgain() throws Exception {
      String key = imported();

      importKey(key, appKey);

      assertThat(describe(key).keyState()).isEqualTo(KeyState.ENABLED);
    }

    @Test
    void otherMaterialMayNotReplaceIt() throws Exception {
      String key = imported();
      client.deleteImportedKeyMaterial(request -> request.keyId(key));
      assertThat(describe(key).keyState()).isEqualTo(KeyState.PENDING_IMPORT);

      assertThatExceptionOfType(IncorrectKeyMaterialException.class)
          .isThrownBy(() -> importKey(key, otherKey));

      importKey(key, appKey);
      assertThat(describe(key).keyState()).isEqualTo(KeyState.ENABLED);
    }

    @Test
    void materialMayExpire() throws Exception {
      String key = create(ACTIVE).keyId();
      GetParametersForImportResponse parameters = parameters(key);
      client.importKeyMaterial(
          request ->
              request
                  .keyId(key)
                  .importToken(parameters.importToken())
                  .encryptedKeyMaterial(wrap(parameters, appKey.getPrivate().getEncoded(), true))
                  .expirationModel(ExpirationModelType.KEY_MATERIAL_EXPIRES)
                  .validTo(NOW.plus(Duration.ofHours(1))));
      assertThat(describe(key).validTo()).isEqualTo(NOW.plus(Duration.ofHours(1)));

      clock.move(Duration.ofHours(1));

      assertThat(describe(key).keyState()).isEqualTo(KeyState.PENDING_IMPORT);
      assertThatExceptionOfType(KmsInvalidStateException.class)
          .isThrownBy(() -> sign(key, new byte[32], MessageType.DIGEST))
          .withMessageContaining("is pending import.");
    }

    @Test
    void theImportTokenLivesADay() {
      String key = create(ACTIVE).keyId();
      GetParametersForImportResponse parameters = parameters(key);
      assertThat(parameters.parametersValidTo()).isEqualTo(NOW.plus(Duration.ofHours(24)));

      clock.move(Duration.ofHours(24));

      assertThatExceptionOfType(ExpiredImportTokenException.class)
          .isThrownBy(() -> importKey(key, appKey, parameters));
    }

    @Test
    void theImportTokenIsForItsKeyOnly() {
      GetParametersForImportResponse parameters = parameters(create(ACTIVE).keyId());
      String other = create(ACTIVE).keyId();

      assertThatExceptionOfType(InvalidImportTokenException.class)
          .isThrownBy(() -> importKey(other, appKey, parameters));
    }

    @Test
    void sha1ForTheMaskIsRefused() {
      String key = create(ACTIVE).keyId();
      GetParametersForImportResponse parameters = parameters(key);

      assertThatExceptionOfType(InvalidCiphertextException.class)
          .isThrownBy(
              () ->
                  importMaterial(
                      key, parameters, wrap(parameters, appKey.getPrivate().getEncoded(), false)));
    }

    @ParameterizedTest
    @ValueSource(ints = {1024, 3072, 4096})
    void onlyKeysOf2048BitsAreTaken(int bits) throws Exception {
      String key = create(ACTIVE).keyId();
      KeyPair wrongSize = rsa(bits);

      assertThatExceptionOfType(IncorrectKeyMaterialException.class)
          .isThrownBy(() -> importKey(key, wrongSize));
      assertThat(describe(key).keyState()).isEqualTo(KeyState.PENDING_IMPORT);
    }

    @Test
    void trailingBytesAreRefused() {
      String key = create(ACTIVE).keyId();
      GetParametersForImportResponse parameters = parameters(key);
      byte[] pkcs8 = appKey.getPrivate().getEncoded();

      assertThatExceptionOfType(IncorrectKeyMaterialException.class)
          .isThrownBy(
              () ->
                  importMaterial(
                      key,
                      parameters,
                      wrap(parameters, Arrays.copyOf(pkcs8, pkcs8.length + 8), true)));
    }

    @Test
    void anotherKindOfKeyIsUnsupported() {
      assertThatExceptionOfType(UnsupportedOperationException.class)
          .isThrownBy(() -> client.createKey())
          .withMessageContaining("takes no Origin but EXTERNAL");
      assertThatExceptionOfType(UnsupportedOperationException.class)
          .isThrownBy(
              () ->
                  client.createKey(
                      request -> request.origin(OriginType.EXTERNAL).keySpec(KeySpec.RSA_4096)))
          .withMessageContaining("takes no KeySpec but RSA_2048");
    }
  }

  @Nested
  class OnceImported {
    @Test
    void signsADigest() throws Exception {
      String key = imported();
      byte[] message = "header.payload".getBytes(UTF_8);

      SignResponse signed =
          sign(key, MessageDigest.getInstance("SHA-256").digest(message), MessageType.DIGEST);

      assertThat(signed.keyId()).endsWith(key);
      assertThat(verifies(message, signed)).isTrue();
      assertThat(verifies("header.forged".getBytes(UTF_8), signed)).isFalse();
    }

    @Test
    void signsAMessageToTheSameBytes() throws Exception {
      String key = imported();
      byte[] message = "header.payload".getBytes(UTF_8);

      SignResponse raw = sign(key, message, MessageType.RAW);

      assertThat(raw.signature())
          .isEqualTo(
              sign(key, MessageDigest.getInstance("SHA-256").digest(message), MessageType.DIGEST)
                  .signature());
    }

    @Test
    void refusesADigestOfAnotherLength() throws Exception {
      String key = imported();

      assertThatExceptionOfType(KmsException.class)
          .isThrownBy(() -> sign(key, new byte[20], MessageType.DIGEST))
          .withMessageContaining("Digest is invalid length");
    }

    @Test
    void disablingAndEnabling() throws Exception {
      String key = imported();

      client.disableKey(request -> request.keyId(key));
      assertThat(describe(key).keyState()).isEqualTo(KeyState.DISABLED);
      assertThatExceptionOfType(DisabledException.class)
          .isThrownBy(() -> sign(key, new byte[32], MessageType.DIGEST));
      assertThatExceptionOfType(DisabledException.class).isThrownBy(() -> publicKey(key));

      client.enableKey(request -> request.keyId(key));
      assertThat(sign(key, new byte[32], MessageType.DIGEST).signature()).isNotNull();
    }

    @Test
    void deletionCanBeCancelledUntilItHappens() throws Exception {
      String key = imported();
      client.scheduleKeyDeletion(request -> request.keyId(key).pendingWindowInDays(7));
      KeyMetadata pending = describe(key);
      assertThat(pending.keyState()).isEqualTo(KeyState.PENDING_DELETION);
      assertThat(pending.deletionDate()).isEqualTo(NOW.plus(Duration.ofDays(7)));
      assertThatExceptionOfType(KmsInvalidStateException.class)
          .isThrownBy(() -> sign(key, new byte[32], MessageType.DIGEST))
          .withMessageContaining("is pending deletion.");
      assertThatExceptionOfType(KmsInvalidStateException.class)
          .isThrownBy(() -> tag(key, Map.of("Status", "Inactive")));

      client.cancelKeyDeletion(request -> request.keyId(key));
      assertThat(describe(key).keyState()).isEqualTo(KeyState.DISABLED);
      assertThatExceptionOfType(KmsInvalidStateException.class)
          .isThrownBy(() -> client.cancelKeyDeletion(request -> request.keyId(key)))
          .withMessageContaining("is not pending deletion.");

      client.scheduleKeyDeletion(request -> request.keyId(key));
      clock.move(Duration.ofDays(30));
      assertThatExceptionOfType(NotFoundException.class).isThrownBy(() -> describe(key));
      assertThat(client.listKeys().keys()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(ints = {6, 31})
    void refusesAnotherWaitingPeriod(int days) throws Exception {
      String key = imported();

      assertThatExceptionOfType(KmsException.class)
          .isThrownBy(
              () ->
                  client.scheduleKeyDeletion(
                      request -> request.keyId(key).pendingWindowInDays(days)))
          .satisfies(
              error ->
                  assertThat(error.awsErrorDetails().errorCode()).isEqualTo("ValidationException"));
    }

    @Test
    void anUnknownKeyIsNotFound() {
      assertThatExceptionOfType(NotFoundException.class)
          .isThrownBy(() -> describe("1234abcd-12ab-34cd-56ef-1234567890ab"))
          .withMessageContaining("does not exist");
    }
  }

  @Nested
  class OfTags {
    @Test
    void changesShowAtOnce() {
      String key = create(ACTIVE).keyId();

      tag(key, Map.of("Status", "Inactive", "ReplacedBy", "x"));
      client.untagResource(request -> request.keyId(key).tagKeys("ReplacedBy"));

      assertThat(tags(key))
          .isEqualTo(Map.of("FrameworkForGitHubAppOnAwsManaged", "true", "Status", "Inactive"));
    }

    @Test
    void reservedAndRepeatedNamesAreRefused() {
      String key = create(ACTIVE).keyId();

      assertThatExceptionOfType(TagException.class)
          .isThrownBy(() -> tag(key, Map.of("aws:thing", "1")));
      Tag twice = Tag.builder().tagKey("a").tagValue("b").build();
      assertThatExceptionOfType(TagException.class)
          .isThrownBy(() -> client.tagResource(request -> request.keyId(key).tags(twice, twice)));
    }

    @Test
    void theRestrictedSignerNeedsAnActiveKey() throws Exception {
      kms.restrictSigning(SERVER.accessKeyId());
      String key = imported();
      try (KmsClient server = client(kms, SERVER)) {
        assertThat(sign(server, key).signature()).isNotNull();

        tag(key, Map.of("Status", "Inactive"));

        assertThatThrownBy(() -> sign(server, key))
            .isInstanceOf(KmsException.class)
            .hasMessageContaining("not authorized to perform: kms:Sign");
        assertThat(sign(client, key).signature()).isNotNull();
      }
    }

    @Test
    void aDelayedChangeReachesAuthorizationLate() throws Exception {
      kms.restrictSigning(SERVER.accessKeyId());
      kms.delayTags(Duration.ofSeconds(300));
      String key = imported();
      try (KmsClient server = client(kms, SERVER)) {
        tag(key, Map.of("Status", "Failed"));
        clock.move(Duration.ofSeconds(60));
        tag(key, Map.of("Status", "Active"));
        assertThat(tags(key)).containsEntry("Status", "Active");
        assertThat(found("Status", "Active")).hasSize(1);

        clock.move(Duration.ofSeconds(239));
        assertThat(sign(server, key).signature()).isNotNull();

        clock.move(Duration.ofSeconds(1));
        assertThatThrownBy(() -> sign(server, key)).isInstanceOf(KmsException.class);
        assertThat(found("Status", "Active")).isEmpty();

        clock.move(Duration.ofSeconds(60));
        assertThat(sign(server, key).signature()).isNotNull();
      }
    }

    @Test
    void resourcesAreFoundByTagAndType() throws Exception {
      String first = create(Map.of("AppId", "1001", "Status", "Active")).arn();
      String second = create(Map.of("AppId", "1002", "Status", "Failed")).arn();
      kms.register(
          "arn:aws:dynamodb:us-east-1:111122223333:table/apps",
          Map.of("CredentialManager", "AppTable"));

      assertThat(found("AppId", "1001", "1002")).containsExactly(first, second);
      assertThat(found("Status", "Failed")).containsExactly(second);
      assertThat(found("Status")).containsExactly(first, second);
      assertThat(found("CredentialManager", "AppTable"))
          .containsExactly("arn:aws:dynamodb:us-east-1:111122223333:table/apps");
      assertThat(
              resources("{\"ResourceTypeFilters\":[\"dynamodb:table\"]}")
                  .path("ResourceTagMappingList"))
          .hasSize(1);
    }

    @Test
    void listsComeInPages() throws Exception {
      for (int i = 0; i < 5; i++) {
        create(Map.of("AppId", "" + i));
      }

      assertThat(client.listKeysPaginator(request -> request.limit(2)).keys()).hasSize(5);
      JsonNode first = resources("{\"ResourcesPerPage\":3}");
      assertThat(first.path("ResourceTagMappingList")).hasSize(3);
      JsonNode second =
          resources(
              "{\"ResourcesPerPage\":3,\"PaginationToken\":" + first.path("PaginationToken") + "}");
      assertThat(second.path("ResourceTagMappingList")).hasSize(2);
      assertThat(second.path("PaginationToken").textValue()).isEmpty();
    }
  }

  @Nested
  class WhenTestsAskForFaults {
    @Test
    void theNextCallsAreThrottled() throws Exception {
      String key = imported();
      kms.throttle("Sign", 2);

      for (int i = 0; i < 2; i++) {
        assertThatThrownBy(() -> sign(key, new byte[32], MessageType.DIGEST))
            .isInstanceOfSatisfying(
                KmsException.class, error -> assertThat(error.isThrottlingException()).isTrue());
      }
      assertThat(sign(key, new byte[32], MessageType.DIGEST).signature()).isNotNull();
      assertThat(kms.calls("Sign")).isEqualTo(3);
    }

    @Test
    void theNextCallsFailByName() {
      kms.fail("CreateKey", 1, "KMSInternalException");

      assertThatExceptionOfType(KmsInternalException.class).isThrownBy(() -> create(ACTIVE));
      assertThat(client.listKeys().keys()).isEmpty();
      assertThatThrownBy(() -> kms.fail("Sing", 1, "KMSInternalException"))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Nested
  class WithSignaturesVerified {
    @Test
    void refusesStrangers() {
      Identities identities = new Identities();
      AwsCredentials operator = identities.add("operator", Set.of(), true).credentials();
      AwsCredentials stranger = identities.add("stranger", Set.of(), false).credentials();
      AwsCredentials impostor = AwsBasicCredentials.create(operator.accessKeyId(), "guess");
      try (LocalKms guarded = start(KmsStore.inMemory(), identities.guard("us-east-1"));
          KmsClient asOperator = client(guarded, operator);
          KmsClient asStranger = client(guarded, stranger);
          KmsClient asImpostor = client(guarded, impostor);
          KmsClient asNobody = client(guarded, OPERATOR)) {
        assertThat(asOperator.listKeys().keys()).isEmpty();
        assertThatThrownBy(asStranger::listKeys)
            .hasMessageContaining("is not authorized to perform: kms:ListKeys");
        assertThatThrownBy(asImpostor::listKeys)
            .hasMessageContaining("The security token included in the request is invalid.");
        assertThatThrownBy(asNobody::listKeys)
            .hasMessageContaining("The security token included in the request is invalid.");
      }
    }
  }

  @Nested
  class WithAFile {
    @Test
    void keepsKeysAndTheirStates(@TempDir Path directory) throws Exception {
      Path file = directory.resolve("kms.json");
      String enabled;
      String pending;
      try (LocalKms first = start(KmsStore.file(file), Guard.open())) {
        client.close();
        client = client(first, OPERATOR);
        enabled = imported();
        pending = create(Map.of("AppId", "7")).keyId();
        client.scheduleKeyDeletion(request -> request.keyId(pending));
      }
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
          .isEqualTo("rw-------");
      try (LocalKms second = start(KmsStore.file(file), Guard.open())) {
        client.close();
        client = client(second, OPERATOR);
        assertThat(publicKey(enabled)).isEqualTo(appKey.getPublic().getEncoded());
        assertThat(tags(enabled)).isEqualTo(ACTIVE);
        assertThat(describe(pending).keyState()).isEqualTo(KeyState.PENDING_DELETION);
        assertThatExceptionOfType(IncorrectKeyMaterialException.class)
            .isThrownBy(() -> importKey(enabled, otherKey));
      }
    }
  }

  private LocalKms start(KmsStore store, Guard guard) {
    return LocalKms.start(clock, "us-east-1", store, AwsJsonEndpoint.OtherOperations.none(), guard);
  }

  private KeyMetadata create(Map<String, String> tags) {
    return client
        .createKey(
            CreateKeyRequest.builder()
                .origin(OriginType.EXTERNAL)
                .keySpec(KeySpec.RSA_2048)
                .keyUsage(KeyUsageType.SIGN_VERIFY)
                .description("key of App 1001")
                .tags(
                    tags.entrySet().stream()
                        .map(
                            it -> Tag.builder().tagKey(it.getKey()).tagValue(it.getValue()).build())
                        .toList())
                .build())
        .keyMetadata();
  }

  private String imported() throws Exception {
    String key = create(ACTIVE).keyId();
    importKey(key, appKey);
    return key;
  }

  private GetParametersForImportResponse parameters(String key) {
    return client.getParametersForImport(
        request ->
            request
                .keyId(key)
                .wrappingAlgorithm(AlgorithmSpec.RSA_AES_KEY_WRAP_SHA_256)
                .wrappingKeySpec(WrappingKeySpec.RSA_4096));
  }

  private void importKey(String key, KeyPair pair) {
    importKey(key, pair, parameters(key));
  }

  private void importKey(String key, KeyPair pair, GetParametersForImportResponse parameters) {
    importMaterial(key, parameters, wrap(parameters, pair.getPrivate().getEncoded(), true));
  }

  private void importMaterial(
      String key, GetParametersForImportResponse parameters, SdkBytes material) {
    client.importKeyMaterial(
        request ->
            request
                .keyId(key)
                .importToken(parameters.importToken())
                .encryptedKeyMaterial(material)
                .expirationModel(ExpirationModelType.KEY_MATERIAL_DOES_NOT_EXPIRE));
  }

  /** RSA_AES_KEY_WRAP_SHA_256 with the JCA; with the mask's digest left at SHA-1 on request. */
  private static SdkBytes wrap(
      GetParametersForImportResponse parameters, byte[] pkcs8, boolean sha256ForTheMask) {
    try {
      KeyGenerator generator = KeyGenerator.getInstance("AES");
      generator.init(256, new SecureRandom());
      SecretKey aesKey = generator.generateKey();
      Cipher rsa = Cipher.getInstance("RSA/ECB/OAEPPadding");
      rsa.init(
          Cipher.ENCRYPT_MODE,
          KeyFactory.getInstance("RSA")
              .generatePublic(new X509EncodedKeySpec(parameters.publicKey().asByteArray())),
          new OAEPParameterSpec(
              "SHA-256",
              "MGF1",
              sha256ForTheMask ? MGF1ParameterSpec.SHA256 : MGF1ParameterSpec.SHA1,
              PSource.PSpecified.DEFAULT));
      byte[] wrappedKey = rsa.doFinal(aesKey.getEncoded());
      Cipher aes = Cipher.getInstance("AES/KWP/NoPadding");
      aes.init(Cipher.ENCRYPT_MODE, aesKey);
      byte[] wrappedMaterial = aes.doFinal(pkcs8);
      byte[] blob = Arrays.copyOf(wrappedKey, wrappedKey.length + wrappedMaterial.length);
      System.arraycopy(wrappedMaterial, 0, blob, wrappedKey.length, wrappedMaterial.length);
      return SdkBytes.fromByteArray(blob);
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private KeyMetadata describe(String key) {
    return client.describeKey(request -> request.keyId(key)).keyMetadata();
  }

  private byte[] publicKey(String key) {
    return client.getPublicKey(request -> request.keyId(key)).publicKey().asByteArray();
  }

  private SignResponse sign(String key, byte[] message, MessageType type) {
    return client.sign(
        request ->
            request
                .keyId(key)
                .message(SdkBytes.fromByteArray(message))
                .messageType(type)
                .signingAlgorithm(SigningAlgorithmSpec.RSASSA_PKCS1_V1_5_SHA_256));
  }

  private static SignResponse sign(KmsClient as, String key) {
    return as.sign(
        request ->
            request
                .keyId(key)
                .message(SdkBytes.fromByteArray(new byte[32]))
                .messageType(MessageType.DIGEST)
                .signingAlgorithm(SigningAlgorithmSpec.RSASSA_PKCS1_V1_5_SHA_256));
  }

  private static boolean verifies(byte[] message, SignResponse signed) throws Exception {
    Signature signature = Signature.getInstance("SHA256withRSA");
    signature.initVerify(appKey.getPublic());
    signature.update(message);
    return signature.verify(signed.signature().asByteArray());
  }

  private void tag(String key, Map<String, String> tags) {
    client.tagResource(
        request ->
            request
                .keyId(key)
                .tags(
                    tags.entrySet().stream()
                        .map(
                            it -> Tag.builder().tagKey(it.getKey()).tagValue(it.getValue()).build())
                        .toList()));
  }

  private Map<String, String> tags(String key) {
    return client.listResourceTags(request -> request.keyId(key)).tags().stream()
        .collect(Collectors.toMap(Tag::tagKey, Tag::tagValue));
  }

  private List<String> found(String tag, String... values) throws Exception {
    ObjectMapper json = new ObjectMapper();
    String filter =
        json.writeValueAsString(
            Map.of("TagFilters", List.of(Map.of("Key", tag, "Values", List.of(values)))));
    return resources(filter).path("ResourceTagMappingList").findValuesAsText("ResourceARN");
  }

  private JsonNode resources(String input) throws Exception {
    HttpResponse<String> response =
        HttpClient.newHttpClient()
            .send(
                HttpRequest.newBuilder(kms.endpoint())
                    .header("X-Amz-Target", "ResourceGroupsTaggingAPI_20170126.GetResources")
                    .header("Content-Type", "application/x-amz-json-1.1")
                    .POST(HttpRequest.BodyPublishers.ofString(input))
                    .build(),
                HttpResponse.BodyHandlers.ofString());
    assertThat(response.statusCode()).isEqualTo(200);
    return new ObjectMapper().readTree(response.body());
  }

  private static KmsClient client(LocalKms kms, AwsCredentials credentials) {
    return KmsClient.builder()
        .endpointOverride(kms.endpoint())
        .region(Region.US_EAST_1)
        .credentialsProvider(StaticCredentialsProvider.create(credentials))
        .httpClientBuilder(UrlConnectionHttpClient.builder())
        .overrideConfiguration(
            override -> override.retryStrategy(DefaultRetryStrategy.doNotRetry()))
        .build();
  }

  private static KeyPair rsa(int bits) throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
    generator.initialize(bits);
    return generator.generateKeyPair();
  }
}
