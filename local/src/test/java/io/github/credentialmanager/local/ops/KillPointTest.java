package io.github.credentialmanager.local.ops;

import static io.github.credentialmanager.local.ops.OperatorBench.id;
import static io.github.credentialmanager.local.ops.OperatorBench.newKey;
import static io.github.credentialmanager.local.ops.OperatorBench.write;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.credentialmanager.local.ops.OperatorBench.Run;
import io.github.credentialmanager.local.ops.WatchedHttpClient.Killed;
import io.github.credentialmanager.local.ops.WatchedHttpClient.Watch;
import io.github.credentialmanager.server.CredentialManagerServer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Kills the tool at each of its calls to AWS, before AWS sees the call and after AWS has done it,
 * while tag changes reach authorisation late. The App must go on signing, at once and at every
 * moment at which a late tag could hit it, for a server that is warm and for one that is new; and
 * the same command, run again, must finish.
 */
class KillPointTest {
  /** Around each delay, and late enough for the warm server to have signed anew. */
  private static final List<Duration> MOMENTS =
      List.of(Duration.ZERO, Duration.ofSeconds(61), Duration.ofSeconds(241));

  private static final KeyPair OLD = newKey();
  private static final KeyPair NEW = newKey();

  private static OperatorBench bench;

  @TempDir Path directory;

  @BeforeAll
  static void start() {
    bench = new OperatorBench();
  }

  @AfterAll
  static void stop() {
    bench.close();
  }

  @ParameterizedTest(name = "tags {0} s late")
  @ValueSource(ints = {0, 60, 300})
  void aRotationKilledAnywhereKeepsTheAppSigning(int delay) {
    bench.kms.delayTags(Duration.ofSeconds(delay));
    int points = 0;
    for (boolean afterwards : new boolean[] {false, true}) {
      for (int call = 1; rotationKilledAt(call, afterwards); call++) {
        points++;
      }
    }
    assertThat(points).isGreaterThanOrEqualTo(24);
  }

  /** Whether there was such a call to be killed at. */
  private boolean rotationKilledAt(int call, boolean afterwards) {
    long app = bench.newApp(OLD, NEW);
    String oldKey = bench.imported(directory, app, OLD);
    Path pem = write(directory.resolve("rotation-%d.pem".formatted(app)), NEW);
    String[] command = {"rotate-key", pem.toString(), id(app), bench.table};
    try (CredentialManagerServer warm = bench.newServer()) {
      bench.vend(warm, app);
      boolean killed = false;
      try {
        assertThat(bench.run(Watch.kill(call, afterwards), command).exitCode()).isZero();
      } catch (Killed e) {
        killed = true; // picocli and the SDK pass errors on
      }
      if (!killed) {
        return false;
      }
      assertSignsOn(app, warm);
      assertThat(Files.exists(pem)).as("nothing has proven the import yet").isTrue();

      Run again = bench.run(command);

      assertThat(again.exitCode()).as(again.err()).isZero();
      assertThat(pem).doesNotExist();
      String live = bench.row(app, "KmsKeyArn");
      assertThat(live).isNotEqualTo(oldKey);
      assertThat(bench.row(app, "PreviousKmsKeyArn")).isEqualTo(oldKey);
      assertThat(bench.tag(live, "Status")).isEqualTo("Active");
      assertThat(bench.tag(oldKey, "Status")).isEqualTo("Active");
      assertThat(bench.kmsClient.getPublicKey(b -> b.keyId(live)).publicKey().asByteArray())
          .isEqualTo(NEW.getPublic().getEncoded());
      assertSignsOn(app, warm);
      return true;
    }
  }

  @ParameterizedTest(name = "tags {0} s late")
  @ValueSource(ints = {0, 60, 300})
  void aFirstImportKilledAnywhereIsFinishedByTheSameCommand(int delay) {
    bench.kms.delayTags(Duration.ofSeconds(delay));
    int points = 0;
    for (boolean afterwards : new boolean[] {false, true}) {
      for (int call = 1; importKilledAt(call, afterwards); call++) {
        points++;
      }
    }
    assertThat(points).isGreaterThanOrEqualTo(16);
  }

  private boolean importKilledAt(int call, boolean afterwards) {
    long app = bench.newApp(OLD);
    Path pem = write(directory.resolve("first-%d.pem".formatted(app)), OLD);
    String[] command = {"import-private-key", pem.toString(), id(app), bench.table};
    try {
      assertThat(bench.run(Watch.kill(call, afterwards), command).exitCode()).isZero();
      return false;
    } catch (Killed e) {
      assertThat(pem).exists();
      assertThat(bench.run(command).exitCode()).isZero();
      assertThat(pem).doesNotExist();
      try (CredentialManagerServer warm = bench.newServer()) {
        assertSignsOn(app, warm);
      }
      assertThat(bench.tag(bench.row(app, "KmsKeyArn"), "Status")).isEqualTo("Active");
      return true;
    }
  }

  @ParameterizedTest(name = "tags {0} s late")
  @ValueSource(ints = {0, 60, 300})
  void aRetirementKilledAnywhereIsFinishedByTheSameCommand(int delay) {
    bench.kms.delayTags(Duration.ofSeconds(delay));
    int points = 0;
    for (boolean afterwards : new boolean[] {false, true}) {
      for (int call = 1; retirementKilledAt(call, afterwards); call++) {
        points++;
      }
    }
    assertThat(points).isGreaterThanOrEqualTo(24);
  }

  private boolean retirementKilledAt(int call, boolean afterwards) {
    long app = bench.newApp(OLD, NEW);
    String oldKey = bench.imported(directory, app, OLD);
    String live = bench.imported(directory, app, NEW);
    String[] command = {"retire-key", id(app), bench.table, "--yes", "--force"};
    try {
      assertThat(bench.run(Watch.kill(call, afterwards), command).exitCode()).isZero();
      return false;
    } catch (Killed e) {
      assertThat(bench.row(app, "KmsKeyArn")).isEqualTo(live);
      bench.vendCold(app);

      Run again = bench.run(command);

      assertThat(again.exitCode()).as(again.err()).isZero();
      assertThat(bench.row(app)).doesNotContainKeys("PreviousKmsKeyArn", "RetiringKmsKeyArn");
      assertThat(bench.tag(oldKey, "Status")).isEqualTo("Inactive");
      assertThat(bench.state(oldKey)).isEqualTo("PendingDeletion");
      assertThat(bench.tag(live, "Status")).isEqualTo("Active");
      bench.vendCold(app);
      return true;
    }
  }

  private static void assertSignsOn(long app, CredentialManagerServer warm) {
    for (Duration moment : MOMENTS) {
      bench.move(moment);
      bench.vend(warm, app);
      bench.vendCold(app);
      String live = bench.row(app, "KmsKeyArn");
      assertThat(bench.tag(live, "Status")).isEqualTo("Active");
    }
  }
}
