package io.github.credentialmanager.ops;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import software.amazon.awssdk.services.kms.model.KeyMetadata;
import software.amazon.awssdk.services.kms.model.KeyState;

/** Looks whether the server can sign for an App with a KMS key, by doing what the server does. */
final class KeyInspector {
  private final KmsKeys keys;
  private final GitHubApi gitHub;

  KeyInspector(KmsKeys keys, GitHubApi gitHub) {
    this.keys = keys;
    this.gitHub = gitHub;
  }

  /** All that is to be said of the key, in the order in which one thing rests on another. */
  List<Check> inspect(String keyArn, long appId) {
    List<Check> checks = new ArrayList<>();
    String fingerprint;
    try {
      checks.add(state(keyArn));
      if (checks.get(0).isFailed()) {
        return checks;
      }
      checks.add(tags(keyArn, appId));
      byte[] publicKey = keys.publicKey(keyArn);
      fingerprint = Fingerprint.of(publicKey);
      checks.add(signature(keyArn, publicKey, fingerprint));
    } catch (KeyManagerException e) {
      checks.add(Check.failed("KMS", e));
      return checks;
    }
    try {
      GitHubApi.App app = gitHub.prove(appId, input -> keys.sign(keyArn, input), fingerprint);
      checks.add(Check.ok("GitHub", "App %s accepts the key's JWT".formatted(app.slug())));
    } catch (KeyManagerException e) {
      checks.add(Check.failed("GitHub", e));
    }
    return checks;
  }

  private Check state(String keyArn) {
    Optional<KeyMetadata> key = keys.describe(keyArn);
    if (key.isEmpty()) {
      return Check.failed(
          "key state",
          keyArn + " does not exist in this account and region",
          "import a new key: credential-manager rotate-key");
    }
    KeyState state = key.get().keyState();
    if (state == KeyState.ENABLED) {
      return Check.ok("key state", keyArn + " is Enabled");
    }
    String fix =
        switch (state) {
          case DISABLED -> "aws kms enable-key --key-id " + keyArn;
          case PENDING_DELETION ->
              "aws kms cancel-key-deletion --key-id %1$s && aws kms enable-key --key-id %1$s"
                  .formatted(keyArn);
          default -> "import a new key: credential-manager rotate-key";
        };
    return Check.failed(
        "key state", "%s is %s".formatted(keyArn, key.get().keyStateAsString()), fix);
  }

  private Check tags(String keyArn, long appId) {
    Map<String, String> tags = keys.tags(keyArn);
    String status = tags.getOrDefault(KeyTags.STATUS, "(none)");
    String fix =
        "aws kms tag-resource --key-id %s --tags TagKey=%s,TagValue=true TagKey=%s,TagValue=%s TagKey=%s,TagValue=%d (takes up to 5 minutes)"
            .formatted(
                keyArn, KeyTags.MANAGED, KeyTags.STATUS, KeyTags.ACTIVE, KeyTags.APP_ID, appId);
    if (!KeyTags.allowSigning(tags)) {
      return Check.failed(
          "key tags",
          "%s=%s, %s=%s: the server is not allowed to sign with it"
              .formatted(
                  KeyTags.STATUS,
                  status,
                  KeyTags.MANAGED,
                  tags.getOrDefault(KeyTags.MANAGED, "(none)")),
          fix);
    }
    if (!Long.toString(appId).equals(tags.get(KeyTags.APP_ID))) {
      return Check.warning(
          "key tags",
          "%s=%s".formatted(KeyTags.APP_ID, tags.getOrDefault(KeyTags.APP_ID, "(none)")),
          fix);
    }
    return Check.ok("key tags", "Status=Active");
  }

  private Check signature(String keyArn, byte[] publicKey, String fingerprint) {
    return verifies(keyArn, publicKey)
        ? Check.ok("signature", "verifies with " + fingerprint)
        : Check.failed(
            "signature",
            "does not verify with " + fingerprint,
            "import a new key: credential-manager rotate-key");
  }

  private boolean verifies(String keyArn, byte[] publicKey) {
    try {
      PublicKey key = KmsKeys.rsaPublicKey(publicKey);
      byte[] message = UUID.randomUUID().toString().getBytes(US_ASCII);
      return RsaSignatures.verify(key, message, keys.sign(keyArn, message));
    } catch (GeneralSecurityException e) {
      return false;
    }
  }
}
