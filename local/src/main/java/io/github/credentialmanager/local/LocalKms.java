package io.github.credentialmanager.local;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.URI;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.interfaces.RSAPrivateCrtKey;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * An AWS KMS endpoint that really imports RSA private keys and really signs with them.
 *
 * <p>It knows what a GitHub App's key needs: {@code CreateKey} ({@code EXTERNAL}, {@code RSA_2048},
 * {@code SIGN_VERIFY}), {@code GetParametersForImport} and {@code ImportKeyMaterial} ({@code
 * RSA_AES_KEY_WRAP_SHA_256} under {@code RSA_4096}), {@code Sign} ({@code
 * RSASSA_PKCS1_V1_5_SHA_256}, digest or message), {@code GetPublicKey}, the key states with AWS's
 * exceptions, tags, deletion, and {@code tag:GetResources}. Anything else is an {@code
 * UnsupportedOperationException} that says so.
 *
 * <p>Tests move its clock, delay the effect of tags, and have calls fail. Safe for use by multiple
 * threads.
 */
public final class LocalKms implements AutoCloseable {
  private static final String WRAPPING_ALGORITHM = "RSA_AES_KEY_WRAP_SHA_256";
  private static final String SIGNING_ALGORITHM = "RSASSA_PKCS1_V1_5_SHA_256";
  private static final Duration IMPORT_TOKEN_LIFE = Duration.ofHours(24);
  private static final int LONGEST_MESSAGE = 4096;

  /** DER of {@code DigestInfo} up to the digest, for SHA-256: RFC 8017, section 9.2, note 1. */
  private static final byte[] SHA_256_DIGEST_INFO = {
    0x30,
    0x31,
    0x30,
    0x0d,
    0x06,
    0x09,
    0x60,
    (byte) 0x86,
    0x48,
    0x01,
    0x65,
    0x03,
    0x04,
    0x02,
    0x01,
    0x05,
    0x00,
    0x04,
    0x20
  };

  private record ImportToken(String keyArn, Instant validTo) {}

  private final InstantSource clock;
  private final String region;
  private final KmsStore store;
  private final AwsJsonEndpoint endpoint;
  private final SecureRandom random = new SecureRandom();

  // Guarded by this.
  private final Map<String, KmsKey> keys = new LinkedHashMap<>();
  private final Map<String, ImportToken> importTokens = new HashMap<>();
  private final Map<String, Map<String, String>> otherResources = new LinkedHashMap<>();
  private final Set<String> tagRestrictedSigners = new HashSet<>();
  private Duration tagDelay = Duration.ZERO;

  private LocalKms(
      InstantSource clock,
      String region,
      KmsStore store,
      AwsJsonEndpoint.OtherOperations others,
      Guard guard) {
    this.clock = requireNonNull(clock, "clock");
    this.region = requireNonNull(region, "region");
    this.store = store;
    store.load().forEach(key -> keys.put(key.arn(), key));
    if (keys.isEmpty()) {
      WrappingKey.prepare();
    }
    this.endpoint = new AwsJsonEndpoint("kms", operations(), others, guard);
  }

  /** A KMS without keys on a free port, that takes any credentials and forgets all when closed. */
  public static LocalKms start(InstantSource clock) {
    return new LocalKms(
        clock,
        "us-east-1",
        KmsStore.inMemory(),
        AwsJsonEndpoint.OtherOperations.none(),
        Guard.open());
  }

  /**
   * @param others operations of other services, served at the same endpoint
   */
  static LocalKms start(
      InstantSource clock,
      String region,
      KmsStore store,
      AwsJsonEndpoint.OtherOperations others,
      Guard guard) {
    return new LocalKms(clock, region, store, others, guard);
  }

  /** What {@code AWS_ENDPOINT_URL_KMS} and the tagging API's endpoint are set to. */
  public URI endpoint() {
    return endpoint.endpoint();
  }

  /** How often an operation was called, for example {@code Sign}; failed calls count. */
  public long calls(String operation) {
    return endpoint.calls("kms:" + operation);
  }

  /**
   * Has later tag changes take effect late: {@code ListResourceTags} shows them at once, but what
   * policies see ({@link #restrictSigning}) and what {@code tag:GetResources} finds follows after
   * the delay.
   *
   * <p>AWS says that a tag change takes up to five minutes to reach authorisation. The tags a key
   * is created with are there from the start.
   */
  public synchronized void delayTags(Duration delay) {
    tagDelay = requireNonNull(delay, "delay");
  }

  /**
   * Lets one signer use {@code Sign} only on keys tagged {@code
   * FrameworkForGitHubAppOnAwsManaged=true} and {@code Status=Active}, as the deployed server's
   * role may. Others are not restricted.
   */
  public synchronized void restrictSigning(String accessKeyId) {
    tagRestrictedSigners.add(requireNonNull(accessKeyId, "accessKeyId"));
  }

  /** Has the next calls of an operation answer {@code ThrottlingException}. */
  public void throttle(String operation, int calls) {
    endpoint.fail(
        "kms:" + operation,
        calls,
        new AwsJsonException(
            "ThrottlingException",
            "You have exceeded the rate at which you may call KMS. Reduce the frequency of your"
                + " calls."));
  }

  /**
   * Has the next calls of an operation fail and do nothing.
   *
   * @param errorType an exception of KMS by its name, for example {@code KMSInternalException}
   */
  public void fail(String operation, int calls, String errorType) {
    endpoint.fail(
        "kms:" + operation,
        calls,
        new AwsJsonException(errorType, "Failed because a test asked for it."));
  }

  /** Makes something that is no key known to {@code tag:GetResources}. */
  synchronized void register(String arn, Map<String, String> tags) {
    otherResources.put(arn, Map.copyOf(tags));
  }

  /** The public half of an enabled key; empty if there is no such key, or it is not enabled. */
  synchronized Optional<PublicKey> publicKey(String arn) {
    KmsKey key = keys.get(arn);
    return key != null && key.state(clock.instant()) == KmsKey.State.ENABLED
        ? Optional.of(key.publicKey())
        : Optional.empty();
  }

  @Override
  public void close() {
    endpoint.close();
  }

  private Map<String, AwsJsonEndpoint.Operation> operations() {
    Map<String, AwsJsonEndpoint.Operation> operations = new HashMap<>();
    operations.put("kms:CreateKey", (input, caller) -> createKey(input));
    operations.put("kms:DescribeKey", (input, caller) -> describeKey(input));
    operations.put("kms:ListKeys", (input, caller) -> listKeys(input));
    operations.put("kms:GetParametersForImport", (input, caller) -> getParametersForImport(input));
    operations.put("kms:ImportKeyMaterial", (input, caller) -> importKeyMaterial(input));
    operations.put(
        "kms:DeleteImportedKeyMaterial", (input, caller) -> deleteImportedKeyMaterial(input));
    operations.put("kms:GetPublicKey", (input, caller) -> getPublicKey(input));
    operations.put("kms:Sign", this::sign);
    operations.put("kms:EnableKey", (input, caller) -> setDisabled(input, false));
    operations.put("kms:DisableKey", (input, caller) -> setDisabled(input, true));
    operations.put("kms:ScheduleKeyDeletion", (input, caller) -> scheduleKeyDeletion(input));
    operations.put("kms:CancelKeyDeletion", (input, caller) -> cancelKeyDeletion(input));
    operations.put("kms:TagResource", (input, caller) -> tagResource(input));
    operations.put("kms:UntagResource", (input, caller) -> untagResource(input));
    operations.put("kms:ListResourceTags", (input, caller) -> listResourceTags(input));
    operations.put("tag:GetResources", (input, caller) -> getResources(input));
    return operations;
  }

  private synchronized ObjectNode createKey(ObjectNode input) {
    require(input, "Origin", "AWS_KMS", "EXTERNAL");
    require(
        input,
        input.has("KeySpec") ? "KeySpec" : "CustomerMasterKeySpec",
        "SYMMETRIC_DEFAULT",
        "RSA_2048");
    require(input, "KeyUsage", "ENCRYPT_DECRYPT", "SIGN_VERIFY");
    Map<String, String> tags = tags(input.path("Tags"), new LinkedHashMap<>());
    String arn =
        "arn:aws:kms:%s:%s:key/%s".formatted(region, Identities.ACCOUNT, UUID.randomUUID());
    KmsKey key = new KmsKey(arn, input.path("Description").asText(""), clock.instant(), tags);
    keys.put(arn, key);
    save();
    return object().set("KeyMetadata", metadata(key));
  }

  private static void require(ObjectNode input, String member, String unset, String supported) {
    String value = input.path(member).asText(unset);
    if (!value.equals(supported)) {
      throw new AwsJsonException(
          "UnsupportedOperationException",
          "This KMS is a local one: it takes no %s but %s (asked for: %s)."
              .formatted(member, supported, value));
    }
  }

  private synchronized ObjectNode describeKey(ObjectNode input) {
    return object().set("KeyMetadata", metadata(key(input)));
  }

  private ObjectNode metadata(KmsKey key) {
    KmsKey.State state = key.state(clock.instant());
    ObjectNode metadata = object();
    metadata.put("AWSAccountId", Identities.ACCOUNT);
    metadata.put("KeyId", key.id());
    metadata.put("Arn", key.arn());
    metadata.put("CreationDate", seconds(key.created()));
    metadata.put("Enabled", state == KmsKey.State.ENABLED);
    metadata.put("Description", key.description());
    metadata.put("KeyUsage", "SIGN_VERIFY");
    metadata.put("KeyState", state.wireName);
    metadata.put("Origin", "EXTERNAL");
    metadata.put("KeyManager", "CUSTOMER");
    metadata.put("CustomerMasterKeySpec", "RSA_2048");
    metadata.put("KeySpec", "RSA_2048");
    metadata.putArray("SigningAlgorithms").add(SIGNING_ALGORITHM);
    metadata.put("MultiRegion", false);
    Instant deletion = key.deletion();
    if (deletion != null) {
      metadata.put("DeletionDate", seconds(deletion));
    }
    if (key.hasMaterial()) {
      Instant validTo = key.validTo();
      metadata.put(
          "ExpirationModel",
          validTo == null ? "KEY_MATERIAL_DOES_NOT_EXPIRE" : "KEY_MATERIAL_EXPIRES");
      if (validTo != null) {
        metadata.put("ValidTo", seconds(validTo));
      }
    }
    return metadata;
  }

  private synchronized ObjectNode listKeys(ObjectNode input) {
    return page(
        input,
        "Keys",
        List.copyOf(present()),
        1000,
        key -> object().put("KeyId", key.id()).put("KeyArn", key.arn()));
  }

  private synchronized ObjectNode getParametersForImport(ObjectNode input) {
    KmsKey key = key(input);
    require(input, "WrappingAlgorithm", "", WRAPPING_ALGORITHM);
    require(input, "WrappingKeySpec", "", "RSA_4096");
    key.requireNotPendingDeletion(clock.instant());
    byte[] token = new byte[64];
    random.nextBytes(token);
    Instant validTo = clock.instant().plus(IMPORT_TOKEN_LIFE);
    String encoded = Base64.getEncoder().encodeToString(token);
    importTokens.put(encoded, new ImportToken(key.arn(), validTo));
    ObjectNode output = object();
    output.put("KeyId", key.arn());
    output.put("ImportToken", encoded);
    output.put("PublicKey", WrappingKey.shared().publicKey());
    output.put("ParametersValidTo", seconds(validTo));
    return output;
  }

  private synchronized ObjectNode importKeyMaterial(ObjectNode input) {
    KmsKey key = key(input);
    Instant now = clock.instant();
    key.requireNotPendingDeletion(now);
    Instant validTo = validTo(input);
    ImportToken token = importTokens.get(required(input, "ImportToken"));
    if (token == null || !token.keyArn().equals(key.arn())) {
      throw new AwsJsonException(
          "InvalidImportTokenException", "The import token is not one for " + key.arn() + ".");
    }
    if (!now.isBefore(token.validTo())) {
      throw new AwsJsonException(
          "ExpiredImportTokenException", "The import token expired at " + token.validTo() + ".");
    }
    byte[] material;
    try {
      material = WrappingKey.shared().unwrap(binary(input, "EncryptedKeyMaterial"));
    } catch (GeneralSecurityException e) {
      throw new AwsJsonException(
          "InvalidCiphertextException",
          "The key material cannot be unwrapped: it takes " + WRAPPING_ALGORITHM + ".");
    }
    try {
      key.importMaterial(material, validTo, now);
    } finally {
      Arrays.fill(material, (byte) 0);
    }
    save();
    return object().put("KeyId", key.arn());
  }

  private @Nullable Instant validTo(ObjectNode input) {
    switch (input.path("ExpirationModel").asText("KEY_MATERIAL_EXPIRES")) {
      case "KEY_MATERIAL_DOES_NOT_EXPIRE" -> {
        return null;
      }
      case "KEY_MATERIAL_EXPIRES" -> {
        if (input.path("ValidTo").isNumber()) {
          Instant validTo = Instant.ofEpochMilli((long) (input.get("ValidTo").doubleValue() * 1e3));
          if (validTo.isAfter(clock.instant())) {
            return validTo;
          }
        }
        throw new AwsJsonException(
            "ValidationException",
            "ValidTo must be set to a time ahead where ExpirationModel is KEY_MATERIAL_EXPIRES.");
      }
      default ->
          throw new AwsJsonException("ValidationException", "ExpirationModel is not one known.");
    }
  }

  private synchronized ObjectNode deleteImportedKeyMaterial(ObjectNode input) {
    KmsKey key = key(input);
    key.requireNotPendingDeletion(clock.instant());
    key.deleteMaterial();
    save();
    return object().put("KeyId", key.arn());
  }

  private synchronized ObjectNode getPublicKey(ObjectNode input) {
    KmsKey key = key(input);
    key.requireEnabled(clock.instant());
    ObjectNode output = object();
    output.put("KeyId", key.arn());
    output.put("PublicKey", key.publicKey().getEncoded());
    output.put("CustomerMasterKeySpec", "RSA_2048");
    output.put("KeySpec", "RSA_2048");
    output.put("KeyUsage", "SIGN_VERIFY");
    output.putArray("SigningAlgorithms").add(SIGNING_ALGORITHM);
    return output;
  }

  private ObjectNode sign(ObjectNode input, String caller) {
    String arn;
    RSAPrivateCrtKey privateKey;
    synchronized (this) {
      KmsKey key = key(input);
      authorizeSigning(key, caller);
      key.requireEnabled(clock.instant());
      arn = key.arn();
      privateKey = key.privateKey();
    }
    String algorithm = required(input, "SigningAlgorithm");
    if (!algorithm.equals(SIGNING_ALGORITHM)) {
      throw new AwsJsonException(
          "InvalidKeyUsageException",
          "This KMS is a local one: it signs with " + SIGNING_ALGORITHM + " only.");
    }
    byte[] message = binary(input, "Message");
    byte[] signature =
        switch (input.path("MessageType").asText("RAW")) {
          case "DIGEST" -> signDigest(privateKey, message);
          case "RAW" -> signMessage(privateKey, message);
          default ->
              throw new AwsJsonException("ValidationException", "MessageType is not one known.");
        };
    ObjectNode output = object();
    output.put("KeyId", arn);
    output.put("Signature", signature);
    output.put("SigningAlgorithm", SIGNING_ALGORITHM);
    return output;
  }

  private void authorizeSigning(KmsKey key, String caller) {
    Map<String, String> tags = key.effectiveTags(clock.instant());
    boolean active =
        "true".equals(tags.get("FrameworkForGitHubAppOnAwsManaged"))
            && "Active".equals(tags.get("Status"));
    if (!active && tagRestrictedSigners.contains(caller)) {
      throw new AwsJsonException(
          "AccessDeniedException",
          "User is not authorized to perform: kms:Sign on resource: "
              + key.arn()
              + " because no identity-based policy allows the kms:Sign action");
    }
  }

  private static byte[] signDigest(RSAPrivateCrtKey key, byte[] digest) {
    if (digest.length != 32) {
      throw new AwsJsonException(
          "ValidationException",
          "Digest is invalid length for algorithm " + SIGNING_ALGORITHM + ".");
    }
    byte[] info = Arrays.copyOf(SHA_256_DIGEST_INFO, SHA_256_DIGEST_INFO.length + 32);
    System.arraycopy(digest, 0, info, SHA_256_DIGEST_INFO.length, 32);
    return sign("NONEwithRSA", key, info);
  }

  private static byte[] signMessage(RSAPrivateCrtKey key, byte[] message) {
    if (message.length == 0 || message.length > LONGEST_MESSAGE) {
      throw new AwsJsonException(
          "ValidationException", "A message has 1 to " + LONGEST_MESSAGE + " bytes.");
    }
    return sign("SHA256withRSA", key, message);
  }

  private static byte[] sign(String algorithm, RSAPrivateCrtKey key, byte[] input) {
    try {
      Signature signature = Signature.getInstance(algorithm);
      signature.initSign(key);
      signature.update(input);
      return signature.sign();
    } catch (GeneralSecurityException e) {
      throw new AwsJsonException("KMSInternalException", e.getClass().getName());
    }
  }

  private synchronized ObjectNode setDisabled(ObjectNode input, boolean disabled) {
    key(input).setDisabled(disabled, clock.instant());
    save();
    return object();
  }

  private synchronized ObjectNode scheduleKeyDeletion(ObjectNode input) {
    KmsKey key = key(input);
    int days = input.path("PendingWindowInDays").asInt(30);
    if (days < 7 || days > 30) {
      throw new AwsJsonException(
          "ValidationException", "PendingWindowInDays must be between 7 and 30.");
    }
    Instant now = clock.instant();
    Instant deletion = now.plus(Duration.ofDays(days));
    key.scheduleDeletion(deletion, now);
    save();
    ObjectNode output = object();
    output.put("KeyId", key.arn());
    output.put("DeletionDate", seconds(deletion));
    output.put("KeyState", KmsKey.State.PENDING_DELETION.wireName);
    output.put("PendingWindowInDays", days);
    return output;
  }

  private synchronized ObjectNode cancelKeyDeletion(ObjectNode input) {
    KmsKey key = key(input);
    key.cancelDeletion(clock.instant());
    save();
    return object().put("KeyId", key.arn());
  }

  private synchronized ObjectNode tagResource(ObjectNode input) {
    KmsKey key = key(input);
    key.requireNotPendingDeletion(clock.instant());
    setTags(key, tags(input.path("Tags"), new LinkedHashMap<>(key.tags())));
    return object();
  }

  private synchronized ObjectNode untagResource(ObjectNode input) {
    KmsKey key = key(input);
    key.requireNotPendingDeletion(clock.instant());
    Map<String, String> tags = new LinkedHashMap<>(key.tags());
    input.path("TagKeys").forEach(name -> tags.remove(name.asText()));
    setTags(key, tags);
    return object();
  }

  private void setTags(KmsKey key, Map<String, String> tags) {
    key.setTags(tags, clock.instant().plus(tagDelay));
    save();
  }

  private static Map<String, String> tags(JsonNode list, Map<String, String> tags) {
    Set<String> names = new HashSet<>();
    for (JsonNode tag : list) {
      String name = tag.path("TagKey").asText();
      String value = tag.path("TagValue").asText();
      if (name.isEmpty()
          || name.length() > 128
          || value.length() > 256
          || name.startsWith("aws:")
          || !names.add(name)) {
        throw new AwsJsonException("TagException", "A tag is malformed, reserved or sent twice.");
      }
      tags.put(name, value);
    }
    if (tags.size() > 50) {
      throw new AwsJsonException("LimitExceededException", "A key takes 50 tags.");
    }
    return tags;
  }

  private synchronized ObjectNode listResourceTags(ObjectNode input) {
    return page(
        input,
        "Tags",
        List.copyOf(key(input).tags().entrySet()),
        50,
        tag -> object().put("TagKey", tag.getKey()).put("TagValue", tag.getValue()));
  }

  /** The one operation here of the Resource Groups Tagging API. */
  private synchronized ObjectNode getResources(ObjectNode input) {
    Map<String, Map<String, String>> resources = new LinkedHashMap<>(otherResources);
    present().forEach(key -> resources.put(key.arn(), key.effectiveTags(clock.instant())));
    List<Map.Entry<String, Map<String, String>>> found =
        resources.entrySet().stream()
            .filter(resource -> ofType(resource.getKey(), input.path("ResourceTypeFilters")))
            .filter(resource -> tagged(resource.getValue(), input.path("TagFilters")))
            .toList();
    int limit = input.path("ResourcesPerPage").asInt(50);
    int from = position(input.path("PaginationToken").asText(""));
    int to = Math.min(found.size(), from + limit);
    ObjectNode output = object();
    ArrayNode list = output.putArray("ResourceTagMappingList");
    for (Map.Entry<String, Map<String, String>> resource : found.subList(from, to)) {
      ObjectNode mapping = list.addObject().put("ResourceARN", resource.getKey());
      ArrayNode tags = mapping.putArray("Tags");
      resource
          .getValue()
          .forEach((key, value) -> tags.addObject().put("Key", key).put("Value", value));
    }
    return output.put("PaginationToken", to < found.size() ? Integer.toString(to) : "");
  }

  /** Whether an ARN is of one of the types given, each {@code service} or {@code service:type}. */
  private static boolean ofType(String arn, JsonNode types) {
    String[] parts = arn.split(":", 6);
    String service = parts[2];
    String type = parts[5].split("[:/]", 2)[0];
    boolean found = types.isEmpty();
    for (JsonNode filter : types) {
      found |= filter.asText().equals(service) || filter.asText().equals(service + ":" + type);
    }
    return found;
  }

  private static boolean tagged(Map<String, String> tags, JsonNode filters) {
    for (JsonNode filter : filters) {
      String value = tags.get(filter.path("Key").asText());
      boolean matches = filter.path("Values").isEmpty() && value != null;
      for (JsonNode wanted : filter.path("Values")) {
        matches |= wanted.asText().equals(value);
      }
      if (!matches) {
        return false;
      }
    }
    return true;
  }

  private <T> ObjectNode page(
      ObjectNode input, String member, List<T> all, int limit, Function<T, ObjectNode> entry) {
    int from = position(input.path("Marker").asText(""));
    int to = Math.min(all.size(), from + Math.min(limit, input.path("Limit").asInt(limit)));
    ObjectNode output = object();
    ArrayNode list = output.putArray(member);
    all.subList(Math.min(from, to), to).forEach(item -> list.add(entry.apply(item)));
    output.put("Truncated", to < all.size());
    if (to < all.size()) {
      output.put("NextMarker", Integer.toString(to));
    }
    return output;
  }

  private static int position(String marker) {
    try {
      return marker.isEmpty() ? 0 : Integer.parseUnsignedInt(marker);
    } catch (NumberFormatException e) {
      throw new AwsJsonException("InvalidMarkerException", "The marker is not one of ours.");
    }
  }

  private KmsKey key(ObjectNode input) {
    String id = required(input, input.has("ResourceId") ? "ResourceId" : "KeyId");
    return key(
        id.startsWith("arn:")
            ? id
            : "arn:aws:kms:%s:%s:key/%s".formatted(region, Identities.ACCOUNT, id));
  }

  private KmsKey key(String arn) {
    KmsKey key = keys.get(arn);
    if (key == null || key.deleted(clock.instant())) {
      throw new AwsJsonException("NotFoundException", "Key '" + arn + "' does not exist");
    }
    return key;
  }

  private List<KmsKey> present() {
    Instant now = clock.instant();
    return keys.values().stream().filter(key -> !key.deleted(now)).toList();
  }

  private static String required(ObjectNode input, String member) {
    String value = input.path(member).asText("");
    if (value.isEmpty()) {
      throw new AwsJsonException(
          "ValidationException",
          "1 validation error detected: Value at '%s' failed to satisfy constraint: Member must not be null"
              .formatted(Character.toLowerCase(member.charAt(0)) + member.substring(1)));
    }
    return value;
  }

  private static byte[] binary(ObjectNode input, String member) {
    try {
      return Base64.getDecoder().decode(required(input, member));
    } catch (IllegalArgumentException e) {
      throw new AwsJsonException("SerializationException", member + " is not base64.");
    }
  }

  private static double seconds(Instant instant) {
    return instant.toEpochMilli() / 1e3;
  }

  private static ObjectNode object() {
    return JsonNodeFactory.instance.objectNode();
  }

  private void save() {
    store.save(keys.values());
  }
}
