package io.github.credentialmanager.ops;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.Objects.requireNonNull;

import io.github.credentialmanager.ops.AppTable.Row;
import io.github.credentialmanager.ops.AppTable.SwitchException;
import io.github.credentialmanager.ops.KeyManagerException.Reason;
import java.net.URI;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.awssdk.services.kms.model.GetParametersForImportResponse;
import software.amazon.awssdk.services.kms.model.KeyMetadata;
import software.amazon.awssdk.services.kms.model.KeyState;

/**
 * Imports, rotates and retires a GitHub App's private key in KMS.
 *
 * <p>Whatever fails, and wherever the process is killed, the App's row names a key that has been
 * proven against GitHub and that is tagged {@code Active}; running the same command again finishes
 * or says what to do. A key that is live, or may have become live, is never tagged {@code Failed}.
 *
 * <p>Safe for use by multiple threads. Failures are {@link KeyManagerException}.
 */
public final class KeyManager {
  private final KmsKeys keys;
  private final DynamoDbClient dynamoDb;
  private final GitHubApi gitHub;
  private final InstantSource clock;
  private final ProgressListener progress;

  private KeyManager(Builder builder) {
    this.keys = new KmsKeys(requireNonNull(builder.kms, "kms"), builder.pause);
    this.dynamoDb = requireNonNull(builder.dynamoDb, "dynamoDb");
    this.clock = builder.clock;
    this.progress = builder.progress;
    this.gitHub = new GitHubApi(builder.gitHubApiUrl, clock, builder.pause);
  }

  public static Builder builder() {
    return new Builder();
  }

  /**
   * Makes {@code pem} the key of App {@code appId}: a first import if the App has no row in the
   * table, a rotation if it has one. After a rotation the replaced key stays usable and is the
   * row's previous key.
   *
   * <p>If the App's live key already is this one and is in order, it is proven again and nothing
   * changes, so the call can be repeated. {@code pem} stays open.
   *
   * @throws KeyManagerException if a step failed; a key created on the way is tagged {@code
   *     Failed}, unless it may have become live
   */
  public ImportedKey importPrivateKey(PrivateKeyPem pem, long appId, String appTableName) {
    requireNonNull(pem, "pem");
    if (appId < 1) {
      throw new IllegalArgumentException("appId must be positive: " + appId);
    }
    AppTable table = new AppTable(dynamoDb, requireNonNull(appTableName, "appTableName"));

    progress.started(ImportStep.READ_TABLE);
    Row before = table.row(appId).orElse(null);
    String live = before == null ? null : before.live();
    progress.finished(
        ImportStep.READ_TABLE,
        live == null ? "App %d is new".formatted(appId) : "live key " + live);

    progress.started(ImportStep.PROVE_PEM);
    GitHubApi.App app = gitHub.prove(appId, pem::sign, pem.fingerprint());
    progress.finished(
        ImportStep.PROVE_PEM, "App %s accepts %s".formatted(app.slug(), pem.fingerprint()));

    if (before != null && live != null && isInOrder(live, pem)) {
      proveKmsKey(live, pem, appId);
      return new ImportedKey(appId, live, before.previous(), pem.fingerprint(), false);
    }

    progress.started(ImportStep.CREATE_KEY);
    String keyArn = keys.create(appId, clock.instant());
    try {
      progress.finished(ImportStep.CREATE_KEY, keyArn);
      importMaterial(keyArn, pem);
      proveKmsKey(keyArn, pem, appId);
    } catch (RuntimeException e) {
      tagFailed(keyArn);
      throw e;
    }
    switchTo(keyArn, table, appId, before);
    return new ImportedKey(appId, keyArn, live, pem.fingerprint(), true);
  }

  /** Whether the live key holds the PEM's key and the server may sign with it. */
  private boolean isInOrder(String keyArn, PrivateKeyPem pem) {
    KeyMetadata key = keys.describe(keyArn);
    return key.keyState() == KeyState.ENABLED
        && KeyTags.ACTIVE.equals(keys.tags(keyArn).get(KeyTags.STATUS))
        && Arrays.equals(keys.publicKey(keyArn), pem.publicKey().getEncoded());
  }

  private void importMaterial(String keyArn, PrivateKeyPem pem) {
    progress.started(ImportStep.GET_PARAMETERS);
    GetParametersForImportResponse parameters = keys.importParameters(keyArn);
    progress.finished(ImportStep.GET_PARAMETERS, "RSA_AES_KEY_WRAP_SHA_256 under RSA_4096");

    progress.started(ImportStep.IMPORT_MATERIAL);
    keys.importMaterial(keyArn, pem, parameters);
    progress.finished(ImportStep.IMPORT_MATERIAL, "imported without expiry");
  }

  private void proveKmsKey(String keyArn, PrivateKeyPem pem, long appId) {
    progress.started(ImportStep.COMPARE_PUBLIC_KEY);
    if (!Arrays.equals(keys.publicKey(keyArn), pem.publicKey().getEncoded())) {
      throw new KeyManagerException(
          Reason.KEY_NOT_USABLE, "KMS key %s holds another key than the PEM".formatted(keyArn));
    }
    progress.finished(ImportStep.COMPARE_PUBLIC_KEY, "equal to the PEM's");

    progress.started(ImportStep.VERIFY_SIGNATURE);
    byte[] message = UUID.randomUUID().toString().getBytes(US_ASCII);
    if (!RsaSignatures.verify(pem.publicKey(), message, keys.sign(keyArn, message))) {
      throw new KeyManagerException(
          Reason.KEY_NOT_USABLE, "A signature of KMS key %s does not verify".formatted(keyArn));
    }
    progress.finished(ImportStep.VERIFY_SIGNATURE, "RSASSA_PKCS1_V1_5_SHA_256");

    progress.started(ImportStep.PROVE_KMS_KEY);
    GitHubApi.App app = gitHub.prove(appId, input -> keys.sign(keyArn, input), pem.fingerprint());
    progress.finished(ImportStep.PROVE_KMS_KEY, "App %s accepts the KMS key".formatted(app.slug()));
  }

  private void switchTo(String keyArn, AppTable table, long appId, @Nullable Row before) {
    progress.started(ImportStep.SWITCH);
    try {
      table.switchTo(keyArn, appId, before, clock.instant());
    } catch (SwitchException e) {
      if (e.certainlyNotSwitched) {
        tagFailed(keyArn);
      } else {
        progress.warning(
            "Key %s may have become live and stays as it is: `credential-manager list-keys` tells"
                .formatted(keyArn));
      }
      throw e.failure;
    }
    progress.finished(ImportStep.SWITCH, "App %d signs with %s".formatted(appId, keyArn));
    String replaced = before == null ? null : before.live();
    if (replaced != null) {
      tagReplaced(replaced, keyArn);
    }
  }

  /** Notes on the replaced key what replaced it; its status stays, and so does its use. */
  private void tagReplaced(String replaced, String keyArn) {
    try {
      keys.tag(
          replaced,
          Map.of(KeyTags.REPLACED_BY, keyArn, KeyTags.REPLACED_ON, clock.instant().toString()));
    } catch (KeyManagerException e) {
      progress.warning(
          "The previous key %s could not be tagged as replaced: %s"
              .formatted(replaced, e.getMessage()));
    }
  }

  private void tagFailed(String keyArn) {
    try {
      keys.tag(
          keyArn,
          Map.of(KeyTags.STATUS, KeyTags.FAILED, KeyTags.FAILED_ON, clock.instant().toString()));
      progress.warning(
          "Key %s is tagged Failed: `credential-manager cleanup` deletes it".formatted(keyArn));
    } catch (KeyManagerException e) {
      progress.warning(
          "Key %s is left over and could not be tagged Failed: %s"
              .formatted(keyArn, e.getMessage()));
    }
  }

  /** Builds a {@link KeyManager}. The clients stay the caller's, who closes them. */
  public static final class Builder {
    private @Nullable KmsClient kms;
    private @Nullable DynamoDbClient dynamoDb;
    private URI gitHubApiUrl = GitHubApi.GITHUB_COM;
    private InstantSource clock = InstantSource.system();
    private ProgressListener progress = ProgressListener.NONE;
    private Pause pause = Pause.SLEEP;

    private Builder() {}

    /** Required. */
    public Builder kms(KmsClient kms) {
      this.kms = requireNonNull(kms, "kms");
      return this;
    }

    /** Required. */
    public Builder dynamoDb(DynamoDbClient dynamoDb) {
      this.dynamoDb = requireNonNull(dynamoDb, "dynamoDb");
      return this;
    }

    /**
     * GitHub's API root, {@code https://HOST/api/v3} for GitHub Enterprise Server; by default
     * {@code https://api.github.com}. Plain http is for loopback addresses alone.
     */
    public Builder gitHubApiUrl(URI gitHubApiUrl) {
      this.gitHubApiUrl = requireNonNull(gitHubApiUrl, "gitHubApiUrl");
      return this;
    }

    /** By default the system's. */
    public Builder clock(InstantSource clock) {
      this.clock = requireNonNull(clock, "clock");
      return this;
    }

    /** By default {@link ProgressListener#NONE}. */
    public Builder progress(ProgressListener progress) {
      this.progress = requireNonNull(progress, "progress");
      return this;
    }

    Builder pause(Pause pause) {
      this.pause = requireNonNull(pause, "pause");
      return this;
    }

    /** Does no I/O. */
    public KeyManager build() {
      return new KeyManager(this);
    }
  }
}
