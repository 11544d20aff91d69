package io.github.credentialmanager.local;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.interfaces.RSAPrivateCrtKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.RSAPublicKeySpec;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One asymmetric signing key (RSA_2048) with imported material, and the state it is in.
 *
 * <p>What each state allows is the table "Key states of AWS KMS keys" of the KMS Developer Guide.
 * Not safe for use by multiple threads.
 */
final class KmsKey {
  /** With the names on the wire. */
  enum State {
    PENDING_IMPORT("PendingImport"),
    ENABLED("Enabled"),
    DISABLED("Disabled"),
    PENDING_DELETION("PendingDeletion");

    final String wireName;

    State(String wireName) {
      this.wireName = wireName;
    }
  }

  /** The tags as policies see them from a moment on. */
  private record TagView(Instant from, Map<String, String> tags) {}

  private final String arn;
  private final String description;
  private final Instant created;
  private final List<TagView> views = new ArrayList<>();
  private Map<String, String> tags;
  private boolean disabled;
  private @Nullable Instant deletion;
  private @Nullable RSAPrivateCrtKey material;
  private @Nullable Instant validTo;
  private byte @Nullable [] materialDigest;

  KmsKey(String arn, String description, Instant created, Map<String, String> tags) {
    this.arn = arn;
    this.description = description;
    this.created = created;
    this.tags = new LinkedHashMap<>(tags);
    views.add(new TagView(Instant.MIN, Map.copyOf(tags)));
  }

  String arn() {
    return arn;
  }

  String id() {
    return arn.substring(arn.lastIndexOf('/') + 1);
  }

  String description() {
    return description;
  }

  Instant created() {
    return created;
  }

  @Nullable Instant deletion() {
    return deletion;
  }

  @Nullable Instant validTo() {
    return validTo;
  }

  boolean hasMaterial() {
    return material != null;
  }

  State state(Instant now) {
    if (deletion != null) {
      return State.PENDING_DELETION;
    }
    expire(now);
    if (material == null) {
      return State.PENDING_IMPORT;
    }
    return disabled ? State.DISABLED : State.ENABLED;
  }

  private void expire(Instant now) {
    if (validTo != null && !now.isBefore(validTo)) {
      deleteMaterial();
    }
  }

  /** Whether the waiting period is over: then the key is as if it had never been. */
  boolean deleted(Instant now) {
    return deletion != null && !now.isBefore(deletion);
  }

  void requireNotPendingDeletion(Instant now) {
    if (state(now) == State.PENDING_DELETION) {
      throw invalidState("is pending deletion.");
    }
  }

  /** For Sign, GetPublicKey and Verify: only an enabled key will do. */
  void requireEnabled(Instant now) {
    switch (state(now)) {
      case ENABLED -> {}
      case DISABLED -> throw new AwsJsonException("DisabledException", arn + " is disabled.");
      case PENDING_IMPORT -> throw invalidState("is pending import.");
      case PENDING_DELETION -> throw invalidState("is pending deletion.");
    }
  }

  void setDisabled(boolean disabled, Instant now) {
    switch (state(now)) {
      case ENABLED, DISABLED -> this.disabled = disabled;
      case PENDING_IMPORT -> throw invalidState("is pending import.");
      case PENDING_DELETION -> throw invalidState("is pending deletion.");
    }
  }

  void scheduleDeletion(Instant when, Instant now) {
    requireNotPendingDeletion(now);
    deletion = when;
  }

  void cancelDeletion(Instant now) {
    if (state(now) != State.PENDING_DELETION) {
      throw invalidState("is not pending deletion.");
    }
    deletion = null;
    disabled = material != null;
  }

  private AwsJsonException invalidState(String text) {
    return new AwsJsonException("KMSInvalidStateException", arn + " " + text);
  }

  /**
   * Takes key material, or the same once more.
   *
   * @param pkcs8 DER of an RSA private key of 2048 bits
   * @param validTo when it is forgotten again; null for never
   */
  void importMaterial(byte[] pkcs8, @Nullable Instant validTo, Instant now) {
    requireNotPendingDeletion(now);
    byte[] digest = Sha256.of(pkcs8);
    if (materialDigest != null && !Arrays.equals(materialDigest, digest)) {
      throw new AwsJsonException(
          "IncorrectKeyMaterialException",
          "The key material in the request is not the one imported into " + arn + " before.");
    }
    RSAPrivateCrtKey parsed = parse(pkcs8);
    if (material == null) {
      disabled = false;
    }
    material = parsed;
    materialDigest = digest;
    this.validTo = validTo;
  }

  void deleteMaterial() {
    material = null;
    validTo = null;
  }

  private static RSAPrivateCrtKey parse(byte[] pkcs8) {
    try {
      if (KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(pkcs8))
              instanceof RSAPrivateCrtKey rsa
          && rsa.getModulus().bitLength() == 2048
          && Arrays.equals(rsa.getEncoded(), pkcs8)) {
        return rsa;
      }
    } catch (GeneralSecurityException e) {
      // Falls through: the message says nothing of the bytes.
    }
    throw new AwsJsonException(
        "IncorrectKeyMaterialException",
        "The key material is not the PKCS#8 encoding of an RSA_2048 private key.");
  }

  RSAPrivateCrtKey privateKey() {
    if (material == null) {
      throw invalidState("is pending import.");
    }
    return material;
  }

  PublicKey publicKey() {
    RSAPrivateCrtKey key = privateKey();
    try {
      return KeyFactory.getInstance("RSA")
          .generatePublic(new RSAPublicKeySpec(key.getModulus(), key.getPublicExponent()));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("A private key has a public key", e);
    }
  }

  Map<String, String> tags() {
    return Map.copyOf(tags);
  }

  /** The tags as policies and the tagging index see them at a moment. */
  Map<String, String> effectiveTags(Instant now) {
    Map<String, String> effective = views.get(0).tags();
    for (TagView view : views) {
      if (!view.from().isAfter(now)) {
        effective = view.tags();
      }
    }
    return effective;
  }

  void setTags(Map<String, String> tags, Instant effective) {
    this.tags = new LinkedHashMap<>(tags);
    views.add(new TagView(effective, Map.copyOf(tags)));
  }

  /** All there is to know of the key, its private part included. */
  ObjectNode toJson() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("arn", arn);
    json.put("description", description);
    json.put("created", created.toString());
    json.put("disabled", disabled);
    json.put("deletion", deletion == null ? null : deletion.toString());
    json.put("validTo", validTo == null ? null : validTo.toString());
    json.put("materialDigest", materialDigest);
    json.put("material", material == null ? null : material.getEncoded());
    ObjectNode list = json.putObject("tags");
    tags.forEach(list::put);
    return json;
  }

  static KmsKey fromJson(JsonNode json) throws IOException {
    Map<String, String> tags = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> tag : json.get("tags").properties()) {
      tags.put(tag.getKey(), tag.getValue().textValue());
    }
    KmsKey key =
        new KmsKey(
            json.get("arn").textValue(),
            json.get("description").textValue(),
            Instant.parse(json.get("created").textValue()),
            tags);
    key.disabled = json.get("disabled").booleanValue();
    key.deletion = instant(json.get("deletion"));
    key.validTo = instant(json.get("validTo"));
    key.materialDigest = json.get("materialDigest").binaryValue();
    if (!json.get("material").isNull()) {
      key.material = parse(json.get("material").binaryValue());
    }
    return key;
  }

  private static @Nullable Instant instant(JsonNode json) {
    return json.isNull() ? null : Instant.parse(json.textValue());
  }
}
