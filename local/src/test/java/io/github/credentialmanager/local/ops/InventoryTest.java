package io.github.credentialmanager.local.ops;

import static io.github.credentialmanager.local.ops.OperatorBench.id;
import static io.github.credentialmanager.local.ops.OperatorBench.newKey;
import static io.github.credentialmanager.local.ops.OperatorBench.write;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.tuple;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.credentialmanager.local.ops.OperatorBench.Run;
import io.github.credentialmanager.local.ops.WatchedHttpClient.Killed;
import io.github.credentialmanager.local.ops.WatchedHttpClient.Watch;
import java.nio.file.Path;
import java.security.KeyPair;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code list-keys}, {@code verify-key} and {@code cleanup} see. */
class InventoryTest {
  private static final KeyPair OLD = newKey();
  private static final KeyPair NEW = newKey();

  private static OperatorBench bench;

  @TempDir Path directory;
  private long app;
  private String old;
  private String live;
  private String failed;
  private String neverImported;

  @BeforeAll
  static void start() {
    bench = new OperatorBench();
  }

  @AfterAll
  static void stop() {
    bench.close();
  }

  /** An App that was rotated, with what a failed and a killed import left over. */
  @BeforeEach
  void leaveThingsLyingAround() {
    app = bench.newApp(OLD, NEW);
    old = bench.imported(directory, app, OLD);
    List<String> before = bench.keys();
    Path pem = write(directory.resolve("key.pem"), NEW);
    bench.kms.fail("ImportKeyMaterial", 1, "AccessDeniedException");
    bench.run("rotate-key", pem.toString(), id(app), bench.table);
    failed = added(before);
    before = bench.keys();
    assertThatExceptionOfType(Killed.class)
        .isThrownBy(
            () ->
                bench.run(
                    Watch.before(
                        "ImportKeyMaterial",
                        () -> {
                          throw new Killed();
                        }),
                    "rotate-key",
                    pem.toString(),
                    id(app),
                    bench.table));
    neverImported = added(before);
    live = bench.imported(directory, app, NEW);
  }

  private static String added(List<String> before) {
    List<String> now = new ArrayList<>(bench.keys());
    now.removeAll(before);
    assertThat(now).hasSize(1);
    return now.get(0);
  }

  private static void tag(String key, String name, String value) {
    bench.kmsClient.tagResource(b -> b.keyId(key).tags(tag -> tag.tagKey(name).tagValue(value)));
  }

  @Nested
  class ListKeys {
    @Test
    void tellsWhatEachKeyIsToItsApp() {
      Run run = bench.run("list-keys", "--app-id", id(app), "--output", "json");

      assertThat(run.exitCode()).as(run.err()).isZero();
      assertThat(run.json().path("keys"))
          .extracting(
              key -> key.path("keyArn").asText(),
              key -> key.path("role").asText(),
              key -> key.path("status").asText(),
              key -> key.path("state").asText())
          .containsExactlyInAnyOrder(
              tuple(live, "LIVE", "Active", "Enabled"),
              tuple(old, "PREVIOUS", "Active", "Enabled"),
              tuple(failed, "UNUSED", "Failed", "PendingImport"),
              tuple(neverImported, "UNUSED", "Active", "PendingImport"));
      JsonNode first = run.json().path("keys").path(0);
      assertThat(first.path("fingerprint").asText()).startsWith("SHA256:");
    }

    @Test
    void listsThemForPeopleLiveFirst() {
      Run run = bench.run("list-keys", "--app-id", id(app));
      assertThat(run.out().lines().toList()).hasSize(5);
      assertThat(run.out().lines().toList().get(1)).contains("LIVE", live);
    }

    @Test
    void findsAKeyThatOnlyTheTableKnows() {
      bench.kmsClient.untagResource(
          b -> b.keyId(live).tagKeys("FrameworkForGitHubAppOnAwsManaged"));
      Run run = bench.run("list-keys", "--app-id", id(app));
      assertThat(run.out()).contains(live);
    }
  }

  @Nested
  class VerifyKey {
    private Run verify() {
      return bench.run("verify-key", id(app), bench.table);
    }

    @Test
    void findsNothingWrongWithAGoodKey() {
      Run run = verify();
      assertThat(run.exitCode()).as(run.out()).isZero();
      assertThat(run.out()).contains("GitHub: App app-" + app + " accepts").doesNotContain("fix:");
    }

    @Test
    void namesTheTagThatKeepsTheServerFromSigning() {
      tag(live, "Status", "Failed");
      Run run = verify();
      assertThat(run.exitCode()).isEqualTo(8);
      assertThat(run.out()).contains("FAILED", "fix: aws kms tag-resource --key-id " + live);
    }

    @Test
    void saysHowADisabledKeyIsEnabled() {
      bench.kmsClient.disableKey(b -> b.keyId(live));
      Run run = verify();
      assertThat(run.exitCode()).isEqualTo(8);
      assertThat(run.out()).contains("aws kms enable-key --key-id " + live);
    }

    @Test
    void takesAPreviousKeyThatIsOutOfOrderForAWarning() {
      bench.kmsClient.disableKey(b -> b.keyId(old));
      Run run = verify();
      assertThat(run.exitCode()).isZero();
      assertThat(run.out()).contains("warning previous key state");
    }

    @Test
    void seesThatGitHubNoLongerKnowsTheKey() {
      bench.gitHub.app(app).orElseThrow().removeKey(NEW.getPublic());
      Run run = verify();
      assertThat(run.exitCode()).isEqualTo(8);
      assertThat(run.out()).contains("FAILED  GitHub");
    }
  }

  @Nested
  class Cleanup {
    private Run cleanup(String... more) {
      return bench.run(Stream.concat(Stream.of("cleanup"), Stream.of(more)).toArray(String[]::new));
    }

    @Test
    void deletesWhatImportsLeftOverAndNothingElse() {
      bench.move(Duration.ofHours(2));
      Run run = cleanup("--yes");

      assertThat(run.exitCode()).as(run.err()).isZero();
      assertThat(bench.state(failed)).isEqualTo("PendingDeletion");
      assertThat(bench.state(neverImported)).isEqualTo("PendingDeletion");
      assertThat(bench.state(live)).isEqualTo("Enabled");
      assertThat(bench.state(old)).isEqualTo("Enabled");
      assertThat(cleanup("--yes").out()).contains("Nothing is left over");
      bench.vendCold(app);
    }

    @Test
    void leavesAnImportThatMayBeUnderWay() {
      cleanup("--yes");
      assertThat(bench.state(neverImported)).isEqualTo("PendingImport");
      assertThat(bench.state(failed)).isEqualTo("PendingDeletion");
    }

    @Test
    void neverTouchesAKeyInUseWhateverItsTags() {
      tag(live, "Status", "Failed");
      tag(old, "Status", "Failed");
      Run run = cleanup("--yes");
      assertThat(bench.state(live)).isEqualTo("Enabled");
      assertThat(bench.state(old)).isEqualTo("Enabled");
      assertThat(run.err())
          .contains("Key %s is tagged Failed but is App %d's live key".formatted(live, app));
    }

    @Test
    void changesNothingInADryRun() {
      Run run = cleanup("--dry-run");
      assertThat(run.out()).contains("Would delete  App " + app, failed);
      assertThat(bench.state(failed)).isEqualTo("PendingImport");
    }

    @Test
    void asksFirst() {
      Run run = cleanup();
      assertThat(run.exitCode()).isEqualTo(7);
      assertThat(run.err()).contains(failed, "[y/N]");
      assertThat(bench.state(failed)).isEqualTo("PendingImport");
    }
  }
}
