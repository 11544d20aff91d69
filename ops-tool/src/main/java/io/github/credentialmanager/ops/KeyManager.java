package io.github.credentialmanager.ops;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.Objects.requireNonNull;

import io.github.credentialmanager.ops.AppTable.Row;
import io.github.credentialmanager.ops.AppTable.SwitchException;
import io.github.credentialmanager.ops.KeyManagerException.Reason;
import java.net.URI;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.awssdk.services.kms.model.GetParametersForImportResponse;
import software.amazon.awssdk.services.kms.model.KeyState;

/**
 * Imports and rotates a GitHub App's private key in KMS.
 *
 * <p>Whatever fails, and wherever the process is killed, the App's row names a key that has been
 * proven against GitHub and that is tagged {@code Active}; running the same again finishes or says
 * what to do. A key that is live, or may have become live, is never tagged {@code Failed}.
 *
 * <p>Safe for use by multiple threads. Failures are {@link KeyManagerException}.
 */
public final class KeyManager {
  private final KmsKeys keys;
  private final DynamoDbClient dynamoDb;
  private final GitHubApi gitHub;
  private final InstantSource clock;
  private final ProgressListener progress;

  /** What an import would do. */
  enum Plan {
    /** The App has no key yet. */
    FIRST_IMPORT,
    /** The App's key becomes its previous key. */
    ROTATION,
    /** The App signs with this very key already. */
    NOTHING
  }

  private KeyManager(Builder builder) {
    this.keys = new KmsKeys(requireNonNull(builder.kms, "kms"), builder.pause);
    this.dynamoDb = requireNonNull(builder.dynamoDb, "dynamoDb");
    this.clock = builder.clock;
    this.progress = builder.progress;
    this.gitHub = new GitHubApi(builder.gitHubApiUrl, clock, builder.pause, progress::call);
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
    return imported(pem, appId, appTableName, false);
  }

  /**
   * As {@link #importPrivateKey}, for an App that has a key: one without is refused, so that a
   * mistyped App id or table does not become a first import.
   */
  public ImportedKey rotateKey(PrivateKeyPem pem, long appId, String appTableName) {
    return imported(pem, appId, appTableName, true);
  }

  /** Takes the steps that change nothing: reads the table and proves the PEM against GitHub. */
  Plan plan(PrivateKeyPem pem, long appId, String appTableName, boolean rotation) {
    return planned(pem, appId, readRow(new AppTable(dynamoDb, appTableName), appId, rotation));
  }

  private ImportedKey imported(
      PrivateKeyPem pem, long appId, String appTableName, boolean rotation) {
    requireNonNull(pem, "pem");
    if (appId < 1) {
      throw new IllegalArgumentException("appId must be positive: " + appId);
    }
    AppTable table = new AppTable(dynamoDb, requireNonNull(appTableName, "appTableName"));
    Row before = readRow(table, appId, rotation);
    String live = before == null ? null : before.live();

    if (planned(pem, appId, before) == Plan.NOTHING) {
      proveKmsKey(requireNonNull(live, "live"), pem, appId);
      return new ImportedKey(
          appId, live, requireNonNull(before, "before").previous(), pem.fingerprint(), false);
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

  private @Nullable Row readRow(AppTable table, long appId, boolean required) {
    progress.started(ImportStep.READ_TABLE);
    Row row = table.row(appId).orElse(null);
    String live = row == null ? null : row.live();
    if (required && live == null) {
      throw new KeyManagerException(
          Reason.BAD_CONFIGURATION,
          "App %d has no key in this table: check App id and table, or use import-private-key"
              .formatted(appId));
    }
    progress.finished(
        ImportStep.READ_TABLE,
        live == null ? "App %d has no key yet".formatted(appId) : "live key " + live);
    return row;
  }

  private Plan planned(PrivateKeyPem pem, long appId, @Nullable Row before) {
    progress.started(ImportStep.PROVE_PEM);
    GitHubApi.App app = gitHub.prove(appId, pem::sign, pem.fingerprint());
    progress.finished(
        ImportStep.PROVE_PEM, "App %s accepts %s".formatted(app.slug(), pem.fingerprint()));
    String live = before == null ? null : before.live();
    if (live == null) {
      return Plan.FIRST_IMPORT;
    }
    return isInOrder(live, pem) ? Plan.NOTHING : Plan.ROTATION;
  }

  /** Whether the live key holds the PEM's key and the server may sign with it. */
  private boolean isInOrder(String keyArn, PrivateKeyPem pem) {
    return keys.describe(keyArn).filter(key -> key.keyState() == KeyState.ENABLED).isPresent()
        && KeyTags.allowSigning(keys.tags(keyArn))
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
          Reason.KEY_NOT_USABLE,
          "KMS key %s holds another key than the PEM: run the same command again"
              .formatted(keyArn));
    }
    progress.finished(ImportStep.COMPARE_PUBLIC_KEY, "equal to the PEM's");

    progress.started(ImportStep.VERIFY_SIGNATURE);
    byte[] message = UUID.randomUUID().toString().getBytes(US_ASCII);
    if (!RsaSignatures.verify(pem.publicKey(), message, keys.sign(keyArn, message))) {
      throw new KeyManagerException(
          Reason.KEY_NOT_USABLE,
          "A signature of KMS key %s does not verify: run the same command again"
              .formatted(keyArn));
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
    if (before != null && before.live() != null) {
      tagReplaced(before.live(), keyArn);
      if (before.previous() != null) {
        progress.warning(
            "Key %1$s was the previous key and is no longer in the table: `credential-manager retire-key --key %1$s` retires it"
                .formatted(before.previous()));
      }
    }
  }

  /** Notes on the replaced key what replaced it; its status stays, and so does its use. */
  private void tagReplaced(String replaced, String keyArn) {
    try {
      keys.tag(
          replaced,
          Map.of(
              KeyTags.REPLACED_BY,
              keyArn,
              KeyTags.REPLACED_ON,
              Timestamps.format(clock.instant())));
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
          Map.of(
              KeyTags.STATUS,
              KeyTags.FAILED,
              KeyTags.FAILED_ON,
              Timestamps.format(clock.instant())));
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
    private Consumer<Duration> pause = Pauses::sleep;

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

    /** How to wait between two attempts; by default the thread sleeps. */
    public Builder pause(Consumer<Duration> pause) {
      this.pause = requireNonNull(pause, "pause");
      return this;
    }

    /** Does no I/O. */
    public KeyManager build() {
      return new KeyManager(this);
    }
  }
}
