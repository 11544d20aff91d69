package io.github.credentialmanager.local.ops;

import static io.github.credentialmanager.local.ops.OperatorBench.id;
import static io.github.credentialmanager.local.ops.OperatorBench.newKey;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.credentialmanager.local.ops.OperatorBench.Run;
import java.nio.file.Path;
import java.security.KeyPair;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RetireKeyTest {
  private static final KeyPair OLD = newKey();
  private static final KeyPair NEW = newKey();

  private static OperatorBench bench;

  @TempDir Path directory;
  private long app;
  private String old;
  private String live;

  @BeforeAll
  static void start() {
    bench = new OperatorBench();
  }

  @AfterAll
  static void stop() {
    bench.close();
  }

  @BeforeEach
  void rotate() {
    app = bench.newApp(OLD, NEW);
    old = bench.imported(directory, app, OLD);
    live = bench.imported(directory, app, NEW);
  }

  private Run retire(String... more) {
    return bench.run(
        Stream.concat(Stream.of("retire-key", id(app), bench.table), Stream.of(more))
            .toArray(String[]::new));
  }

  @Nested
  class AfterADay {
    @BeforeEach
    void wait24Hours() {
      bench.move(Duration.ofHours(24));
    }

    @Test
    void tagsTheKeyInactiveAndSchedulesItsDeletion() {
      Run run = retire("--yes", "--pending-days", "7", "--output", "json");

      assertThat(run.exitCode()).as(run.err()).isZero();
      assertThat(run.json().at("/retired/0/keyArn").asText()).isEqualTo(old);
      assertThat(run.json().at("/retired/0/fingerprint").asText()).startsWith("SHA256:");
      assertThat(bench.tag(old, "Status")).isEqualTo("Inactive");
      assertThat(bench.state(old)).isEqualTo("PendingDeletion");
      assertThat(bench.kmsClient.describeKey(b -> b.keyId(old)).keyMetadata().deletionDate())
          .isBetween(
              bench.now().plus(Duration.ofDays(7)).minusSeconds(60),
              bench.now().plus(Duration.ofDays(7)));
      assertThat(bench.row(app)).containsOnlyKeys("AppId", "KmsKeyArn", "KmsKeySwitchedOn");
      assertThat(bench.row(app, "KmsKeyArn")).isEqualTo(live);
      bench.vendCold(app);
    }

    @Test
    void hasNothingToDoTheSecondTime() {
      retire("--yes");
      Run run = retire("--yes");
      assertThat(run.exitCode()).isZero();
      assertThat(run.out()).contains("has no previous key");
    }

    @Test
    void changesNothingInADryRun() {
      Run run = retire("--dry-run");
      assertThat(run.exitCode()).isZero();
      assertThat(run.out()).contains("Would retire " + old);
      assertThat(bench.row(app, "PreviousKmsKeyArn")).isEqualTo(old);
      assertThat(bench.state(old)).isEqualTo("Enabled");
    }

    @Test
    void changesNothingWithoutAYes() {
      Run run = retire();
      assertThat(run.exitCode()).isEqualTo(7);
      assertThat(run.err()).contains("[y/N]", "nothing was changed");
      assertThat(bench.state(old)).isEqualTo("Enabled");
    }

    @Test
    void refusesWhileTheLiveKeyDoesNotSign() {
      bench.kmsClient.disableKey(b -> b.keyId(live));
      Run run = retire("--yes", "--force");
      assertThat(run.exitCode()).isEqualTo(7);
      assertThat(run.err()).contains("live key is not in order", "is Disabled");
      assertThat(bench.row(app, "PreviousKmsKeyArn")).isEqualTo(old);
      assertThat(bench.tag(old, "Status")).isEqualTo("Active");
    }

    @Test
    void refusesWhileGitHubDoesNotAcceptTheLiveKey() {
      bench.gitHub.app(app).orElseThrow().removeKey(NEW.getPublic());
      assertThat(retire("--yes", "--force").exitCode()).isEqualTo(7);
      assertThat(bench.state(old)).isEqualTo("Enabled");
    }

    @Test
    void finishesWhatAPreviousKeyThatIsGoneLeftInTheRow() {
      bench.kmsClient.scheduleKeyDeletion(b -> b.keyId(old).pendingWindowInDays(7));
      bench.move(Duration.ofDays(8));
      assertThat(retire("--yes").exitCode()).isZero();
      assertThat(bench.row(app)).doesNotContainKeys("PreviousKmsKeyArn", "RetiringKmsKeyArn");
    }
  }

  @Nested
  class WithinADay {
    @Test
    void isRefused() {
      bench.move(Duration.ofHours(23));
      Run run = retire("--yes");
      assertThat(run.exitCode()).isEqualTo(7);
      assertThat(run.err()).contains("was replaced only at", "--force");
      assertThat(bench.tag(old, "Status")).isEqualTo("Active");
    }

    @Test
    void isDoneIfForced() {
      assertThat(retire("--yes", "--force").exitCode()).isZero();
      assertThat(bench.state(old)).isEqualTo("PendingDeletion");
    }

    @Test
    void isRefusedWhereNobodyKnowsSinceWhen() {
      bench.putRow(app, Map.of("KmsKeyArn", live, "PreviousKmsKeyArn", old));
      bench.kmsClient.untagResource(b -> b.keyId(old).tagKeys("ReplacedOn"));
      Run run = retire("--yes");
      assertThat(run.exitCode()).isEqualTo(7);
      assertThat(run.err()).contains("not known since when");
    }
  }

  @Nested
  class OfAGivenKey {
    @Test
    void refusesTheLiveOneEvenIfForcedByWhateverNameItIsGiven() {
      for (String name : new String[] {live, live.substring(live.lastIndexOf('/') + 1)}) {
        Run run = retire("--yes", "--force", "--key", name);
        assertThat(run.exitCode()).isEqualTo(7);
        assertThat(run.err()).contains("is the key App %d in %s signs".formatted(app, bench.table));
      }
      assertThat(bench.state(live)).isEqualTo("Enabled");
    }

    @Test
    void refusesTheLiveOneOfARowThatNamesItByItsBareId() {
      bench.putRow(app, Map.of("KmsKeyArn", live.substring(live.lastIndexOf('/') + 1)));
      assertThat(retire("--yes", "--force", "--key", live).exitCode()).isEqualTo(7);
      assertThat(bench.state(live)).isEqualTo("Enabled");
    }

    @Test
    void refusesAKeyThatIsLiveInATableCopiedFromThisOne() {
      String copy = bench.copyOfTheTable();
      bench.putRow(copy, app, Map.of("KmsKeyArn", old));
      try {
        Run run = retire("--yes", "--force");
        assertThat(run.exitCode()).isEqualTo(7);
        assertThat(run.err()).contains("in %s signs with".formatted(copy));
        assertThat(bench.state(old)).isEqualTo("Enabled");
        assertThat(bench.row(app, "PreviousKmsKeyArn")).isEqualTo(old);
      } finally {
        bench.putRow(copy, app, Map.of());
      }
    }

    @Test
    void refusesAnotherAppsKeysLiveAndPrevious() {
      long other = bench.newApp(OLD, NEW);
      String previous = bench.imported(directory, other, OLD);
      String current = bench.imported(directory, other, NEW);

      assertThat(retire("--yes", "--force", "--key", current).err())
          .contains("is the key App %d in".formatted(other));
      Run run = retire("--yes", "--force", "--key", previous);
      assertThat(run.exitCode()).isEqualTo(7);
      assertThat(run.err()).contains("not tagged as a key of App " + app);
      assertThat(bench.state(previous)).isEqualTo("Enabled");
      assertThat(bench.state(current)).isEqualTo("Enabled");
    }

    @Test
    void takesOneThatTheTypeScriptToolReplaced() {
      bench.putRow(app, Map.of("KmsKeyArn", live));
      bench.kmsClient.tagResource(
          b -> b.keyId(old).tags(tag -> tag.tagKey("Status").tagValue("Inactive")));
      bench.move(Duration.ofDays(2));

      Run run = retire("--yes", "--key", old);

      assertThat(run.exitCode()).as(run.err()).isZero();
      assertThat(bench.state(old)).isEqualTo("PendingDeletion");
    }

    @Test
    void thatIsNotThereIsAnError() {
      String none =
          live.substring(0, live.lastIndexOf('/') + 1) + "00000000-0000-0000-0000-000000000000";
      assertThat(retire("--yes", "--key", none).exitCode()).isEqualTo(4);
    }
  }
}
