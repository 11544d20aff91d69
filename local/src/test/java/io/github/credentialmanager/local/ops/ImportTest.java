package io.github.credentialmanager.local.ops;

import static io.github.credentialmanager.local.ops.OperatorBench.id;
import static io.github.credentialmanager.local.ops.OperatorBench.newKey;
import static io.github.credentialmanager.local.ops.OperatorBench.pem;
import static io.github.credentialmanager.local.ops.OperatorBench.write;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.credentialmanager.local.ops.OperatorBench.Run;
import io.github.credentialmanager.local.ops.WatchedHttpClient.Watch;
import io.github.credentialmanager.ops.KeyManager;
import io.github.credentialmanager.ops.PrivateKeyPem;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.security.interfaces.RSAPrivateCrtKey;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ImportTest {
  private static final KeyPair KEY = newKey();
  private static final KeyPair NEXT = newKey();

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

  private Path file(KeyPair key) {
    return write(directory.resolve("key.pem"), key);
  }

  private static Set<String> keysAddedBy(Runnable action) {
    Set<String> before = new HashSet<>(bench.keys());
    action.run();
    Set<String> added = new HashSet<>(bench.keys());
    added.removeAll(before);
    return added;
  }

  @Nested
  class AFirstImport {
    @Test
    void makesATaggedKeyThatSignsAndRemovesThePem() {
      long app = bench.newApp(KEY);
      Path pem = file(KEY);

      Run run =
          bench.run("import-private-key", pem.toString(), id(app), bench.table, "--output", "json");

      assertThat(run.exitCode()).as(run.err()).isZero();
      String keyArn = bench.row(app, "KmsKeyArn");
      assertThat(run.json().path("keyArn").asText()).isEqualTo(keyArn);
      assertThat(run.json().path("previousKeyArn").isNull()).isTrue();
      assertThat(run.json().path("pem").asText()).isEqualTo("removed");
      assertThat(pem).doesNotExist();
      assertThat(bench.tag(keyArn, "FrameworkForGitHubAppOnAwsManaged")).isEqualTo("true");
      assertThat(bench.tag(keyArn, "Status")).isEqualTo("Active");
      assertThat(bench.tag(keyArn, "AppId")).isEqualTo(id(app));
      assertThat(bench.tag(keyArn, "CreatedOn")).isNotEmpty();
      assertThat(bench.state(keyArn)).isEqualTo("Enabled");
      bench.vendCold(app);
    }

    @Test
    void tellsEachStepToAPersonAndOnlyTheResultToAPipe() {
      long app = bench.newApp(KEY);
      Run run = bench.run("import-private-key", file(KEY).toString(), id(app), bench.table);
      assertThat(run.err().lines().filter(line -> line.startsWith("["))).hasSize(9);
      assertThat(run.out().lines().findFirst())
          .hasValue("App %d signs with %s".formatted(app, bench.row(app, "KmsKeyArn")));
    }

    @Test
    void keepsThePemIfAskedTo() {
      long app = bench.newApp(KEY);
      Path pem = file(KEY);
      Run run = bench.run("import-private-key", pem.toString(), id(app), bench.table, "--keep-pem");
      assertThat(run.exitCode()).isZero();
      assertThat(pem).exists();
      assertThat(run.err()).contains("warning: The private key is still in " + pem);
    }

    @Test
    void takesThePemFromStandardInput() {
      long app = bench.newApp(KEY);
      Run run =
          bench.run(
              new ByteArrayInputStream(pem(KEY).getBytes(StandardCharsets.US_ASCII)),
              "import-private-key",
              "-",
              id(app),
              bench.table);
      assertThat(run.exitCode()).as(run.err()).isZero();
      assertThat(run.out()).doesNotContain("Removed");
      bench.vendCold(app);
    }

    @Test
    void warnsOfAPemThatOthersMayRead() throws IOException {
      long app = bench.newApp(KEY);
      Path pem = file(KEY);
      Files.setPosixFilePermissions(pem, PosixFilePermissions.fromString("rw-r--r--"));
      Run run = bench.run("import-private-key", pem.toString(), id(app), bench.table);
      assertThat(run.exitCode()).isZero();
      assertThat(run.err()).contains("warning: Others may read " + pem, "chmod 600");
    }

    @Test
    void changesNothingInADryRun() {
      long app = bench.newApp(KEY);
      Path pem = file(KEY);
      Set<String> added =
          keysAddedBy(
              () -> {
                Run run =
                    bench.run(
                        "import-private-key", pem.toString(), id(app), bench.table, "--dry-run");
                assertThat(run.exitCode()).isZero();
                assertThat(run.out()).contains("Would create a KMS key", "nothing was changed");
              });
      assertThat(added).isEmpty();
      assertThat(bench.row(app)).isEmpty();
      assertThat(pem).exists();
    }

    @Test
    void succeedsWithAWarningIfThePemCannotBeRemoved() {
      long app = bench.newApp(KEY);
      Path pem = file(KEY);
      Path other = write(directory.resolve("other.pem"), NEXT);

      Run run =
          bench.run(
              Watch.before("CreateKey", () -> replace(pem, other)),
              "import-private-key",
              pem.toString(),
              id(app),
              bench.table);

      assertThat(run.exitCode()).isZero();
      assertThat(run.err()).contains("warning: The key is imported, but " + pem);
      assertThat(pem).hasContent(pem(NEXT));
      assertThat(bench.tag(bench.row(app, "KmsKeyArn"), "Status")).isEqualTo("Active");
      bench.vendCold(app);
    }

    @Test
    void succeedsWithAWarningIfRemovingThePemFails() throws IOException {
      long app = bench.newApp(KEY);
      Path folder = Files.createDirectory(directory.resolve("folder"));
      Path pem = write(folder.resolve("key.pem"), KEY);

      Run run =
          bench.run(
              // Under a file in its place there is nothing to be removed, not even for root.
              Watch.before(
                  "CreateKey",
                  () -> {
                    replace(directory.resolve("elsewhere"), folder);
                    write(folder, NEXT);
                  }),
              "import-private-key",
              pem.toString(),
              id(app),
              bench.table);

      assertThat(run.exitCode()).as(run.err()).isZero();
      assertThat(run.err())
          .contains("warning: The key is imported, but %s could not be removed".formatted(pem));
      assertThat(bench.tag(bench.row(app, "KmsKeyArn"), "Status")).isEqualTo("Active");
      bench.vendCold(app);
    }

    private static void replace(Path file, Path by) {
      try {
        Files.move(by, file, StandardCopyOption.REPLACE_EXISTING);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Test
    void asksForNewParametersIfTheImportTokenHasExpired() {
      long app = bench.newApp(KEY);
      Run run =
          bench.run(
              Watch.before("ImportKeyMaterial", () -> bench.move(Duration.ofHours(25))),
              "import-private-key",
              file(KEY).toString(),
              id(app),
              bench.table);
      assertThat(run.exitCode()).as(run.err()).isZero();
      bench.vendCold(app);
    }

    @Test
    void isThereForProgramsToo() {
      long app = bench.newApp(KEY);
      KeyManager manager =
          KeyManager.builder()
              .kms(bench.kmsClient)
              .dynamoDb(bench.dynamoDb)
              .gitHubApiUrl(bench.gitHub.apiUrl())
              .clock(bench::now)
              .build();
      try (PrivateKeyPem pem = PrivateKeyPem.parse(pem(KEY).getBytes(StandardCharsets.US_ASCII))) {
        assertThat(manager.importPrivateKey(pem, app, bench.table).created()).isTrue();
        assertThat(manager.importPrivateKey(pem, app, bench.table).created()).isFalse();
      }
      bench.vendCold(app);
    }
  }

  @Nested
  class ARotation {
    @Test
    void keepsTheOldKeyAsThePreviousOneAndActive() {
      long app = bench.newApp(KEY, NEXT);
      String old = bench.imported(directory, app, KEY);

      Run run = bench.run("rotate-key", file(NEXT).toString(), id(app), bench.table);

      assertThat(run.exitCode()).as(run.err()).isZero();
      String live = bench.row(app, "KmsKeyArn");
      assertThat(live).isNotEqualTo(old);
      assertThat(bench.row(app, "PreviousKmsKeyArn")).isEqualTo(old);
      assertThat(bench.row(app, "KmsKeySwitchedOn")).isNotEmpty();
      assertThat(bench.tag(old, "Status")).isEqualTo("Active");
      assertThat(bench.tag(old, "ReplacedBy")).isEqualTo(live);
      assertThat(run.out()).contains("credential-manager retire-key " + app);
    }

    @Test
    void isWhatASecondImportIs() {
      long app = bench.newApp(KEY, NEXT);
      String old = bench.imported(directory, app, KEY);
      String live = bench.imported(directory, app, NEXT);
      assertThat(bench.row(app, "KmsKeyArn")).isEqualTo(live);
      assertThat(bench.row(app, "PreviousKmsKeyArn")).isEqualTo(old);
    }

    @Test
    void changesNothingIfTheKeyIsLiveAlready() {
      long app = bench.newApp(KEY);
      String live = bench.imported(directory, app, KEY);
      Path pem = file(KEY);
      Set<String> added =
          keysAddedBy(
              () -> {
                Run run = bench.run("rotate-key", pem.toString(), id(app), bench.table);
                assertThat(run.exitCode()).isZero();
                assertThat(run.out()).contains("signs with this key already");
              });
      assertThat(added).isEmpty();
      assertThat(bench.row(app, "KmsKeyArn")).isEqualTo(live);
      assertThat(pem).doesNotExist();
    }

    @Test
    void isRefusedForAnAppWithoutAKey() {
      long app = bench.newApp(KEY);
      Run run = bench.run("rotate-key", file(KEY).toString(), id(app), bench.table);
      assertThat(run.exitCode()).isEqualTo(4);
      assertThat(run.err()).contains("use import-private-key");
    }

    @Test
    void namesTheKeyThatASecondOneDropsFromTheRow() {
      long app = bench.newApp(KEY, NEXT);
      String first = bench.imported(directory, app, KEY);
      bench.imported(directory, app, NEXT);
      KeyPair third = newKey();
      bench.gitHub.app(app).orElseThrow().addKey(third.getPublic());

      Run run = bench.run("rotate-key", file(third).toString(), id(app), bench.table);

      assertThat(run.exitCode()).isZero();
      assertThat(run.err()).contains("retire-key --key " + first);
      assertThat(bench.tag(first, "Status")).isEqualTo("Active");
    }

    /** What that tool's {@code CreateKey} and {@code PutItem} leave, to the letter. */
    @Test
    void adoptsARowAndAKeyOfTheTypeScriptTool() {
      long app = bench.newApp(KEY, NEXT);
      String old = bench.imported(directory, app, KEY);
      bench.kmsClient.tagResource(
          b ->
              b.keyId(old).tags(it -> it.tagKey("CreatedOn").tagValue("2025-06-01T08:30:00.123Z")));
      bench.putRow(app, Map.of("KmsKeyArn", old));
      assertThat(bench.run("verify-key", id(app), bench.table).exitCode()).isZero();
      assertThat(bench.run("list-keys", "--app-id", id(app)).out()).contains("LIVE", old);

      Run run = bench.run("rotate-key", file(NEXT).toString(), id(app), bench.table);

      assertThat(run.exitCode()).as(run.err()).isZero();
      assertThat(bench.row(app, "PreviousKmsKeyArn")).isEqualTo(old);
      bench.vendCold(app);
      bench.move(Duration.ofHours(24));
      assertThat(bench.run("retire-key", id(app), bench.table, "--yes").exitCode()).isZero();
      assertThat(bench.state(old)).isEqualTo("PendingDeletion");
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "arn:aws:kms:us-east-1:111122223333:key/00000000-0000-0000-0000-000000000000",
          "no ARN at all"
        })
    void replacesALiveKeyThatIsNotThere(String live) {
      long app = bench.newApp(KEY);
      bench.putRow(app, Map.of("KmsKeyArn", live));
      Run run = bench.run("rotate-key", file(KEY).toString(), id(app), bench.table);
      assertThat(run.exitCode()).as(run.err()).isZero();
      bench.vendCold(app);
    }

    @Test
    void replacesALiveKeyThatTheTypeScriptToolTaggedFailed() {
      long app = bench.newApp(KEY);
      String old = bench.imported(directory, app, KEY);
      bench.kmsClient.tagResource(
          b ->
              b.keyId(old)
                  .tags(
                      tag -> tag.tagKey("Status").tagValue("Failed"),
                      tag -> tag.tagKey("Failed At").tagValue("2026-11-01T00:00:00.000Z")));

      Run run = bench.run("import-private-key", file(KEY).toString(), id(app), bench.table);

      assertThat(run.exitCode()).as(run.err()).isZero();
      assertThat(bench.row(app, "KmsKeyArn")).isNotEqualTo(old);
      bench.vendCold(app);
    }
  }

  @Nested
  class AFailure {
    @ParameterizedTest
    @CsvSource({
      "CreateKey, false",
      "GetParametersForImport, true",
      "ImportKeyMaterial, true",
      "GetPublicKey, true",
      "Sign, true",
    })
    void ofKmsLeavesTheAppSigningAndWhatIsLeftOverTaggedFailed(
        String operation, boolean leavesAKey) {
      long app = bench.newApp(KEY, NEXT);
      String live = bench.imported(directory, app, KEY);
      Path pem = file(NEXT);

      Set<String> added =
          keysAddedBy(
              () -> {
                Run run =
                    bench.run(
                        Watch.before(
                            leavesAKey ? "GetParametersForImport" : "CreateKey",
                            () -> bench.kms.fail(operation, 1, "AccessDeniedException")),
                        "rotate-key",
                        pem.toString(),
                        id(app),
                        bench.table);
                assertThat(run.exitCode()).isEqualTo(5);
                assertThat(run.err())
                    .contains("AWS denies kms:" + operation)
                    .doesNotContain("\tat ");
              });

      assertThat(added).hasSize(leavesAKey ? 1 : 0);
      assertThat(added).allSatisfy(key -> assertThat(bench.tag(key, "Status")).isEqualTo("Failed"));
      assertThat(bench.row(app, "KmsKeyArn")).isEqualTo(live);
      assertThat(bench.tag(live, "Status")).isEqualTo("Active");
      assertThat(pem).exists();
      bench.vendCold(app);
      assertThat(bench.run("rotate-key", pem.toString(), id(app), bench.table).exitCode()).isZero();
      bench.vendCold(app);
    }

    @ParameterizedTest
    @CsvSource({"CreateKey", "GetParametersForImport", "ImportKeyMaterial", "GetPublicKey", "Sign"})
    void thatPassesIsWaitedOut(String operation) {
      long app = bench.newApp(KEY);
      bench.kms.throttle(operation, 2);
      Run run = bench.run("import-private-key", file(KEY).toString(), id(app), bench.table);
      assertThat(run.exitCode()).as(run.err()).isZero();
    }

    @Test
    void thatDoesNotPassIsClear() {
      long app = bench.newApp(KEY);
      Path pem = file(KEY);
      bench.kms.throttle("ImportKeyMaterial", 5); // as often as the tool tries

      Run run = bench.run("import-private-key", pem.toString(), id(app), bench.table);

      assertThat(run.exitCode()).isEqualTo(9);
      assertThat(run.err())
          .contains(
              "error: AWS cannot do kms:ImportKeyMaterial now (ThrottlingException): run the same"
                  + " command again later")
          .doesNotContain("\tat ");
      assertThat(bench.run("import-private-key", pem.toString(), id(app), bench.table).exitCode())
          .isZero();
    }

    @Test
    void ofTheProofOnGitHubTagsTheKeyFailedAndKeepsThePem() {
      long app = bench.newApp(KEY);
      Path pem = file(KEY);
      Set<String> added =
          keysAddedBy(
              () -> {
                Run run =
                    bench.run(
                        Watch.before(
                            "ImportKeyMaterial",
                            () -> bench.gitHub.app(app).orElseThrow().removeKey(KEY.getPublic())),
                        "import-private-key",
                        pem.toString(),
                        id(app),
                        bench.table);
                assertThat(run.exitCode()).isEqualTo(6);
                assertThat(run.err()).contains("refuses the key SHA256:");
              });
      assertThat(added)
          .singleElement()
          .satisfies(key -> assertThat(bench.tag(key, "Status")).isEqualTo("Failed"));
      assertThat(bench.row(app)).isEmpty();
      assertThat(pem).exists();
    }

    @Test
    void toBeFirstLeavesTheOtherOperatorsKeyLive() {
      long app = bench.newApp(KEY, NEXT);
      String old = bench.imported(directory, app, KEY);
      String[] theirs = new String[1];
      Path pem = file(NEXT);

      Run run =
          bench.run(
              Watch.before("CreateKey", () -> theirs[0] = bench.imported(directory, app, NEXT)),
              "rotate-key",
              pem.toString(),
              id(app),
              bench.table);

      assertThat(run.exitCode()).isEqualTo(7);
      assertThat(run.err()).contains("Another import changed App " + app, "is tagged Failed");
      assertThat(bench.row(app, "KmsKeyArn")).isEqualTo(theirs[0]);
      assertThat(bench.row(app, "PreviousKmsKeyArn")).isEqualTo(old);
      assertThat(bench.tag(theirs[0], "Status")).isEqualTo("Active");
      assertThat(pem).exists();
    }

    @Test
    void toHearOfTheSwitchIsNoFailureOfTheSwitch() {
      long app = bench.newApp(KEY, NEXT);
      bench.imported(directory, app, KEY);
      Run run =
          bench.run(
              loseAnswers("UpdateItem", 1),
              "rotate-key",
              file(NEXT).toString(),
              id(app),
              bench.table);
      assertThat(run.exitCode()).as(run.err()).isZero();
      assertThat(run.out()).contains("signs with " + bench.row(app, "KmsKeyArn"));
    }

    @Test
    void toHearOfTheSwitchAtAllIsSettledByReadingTheRow() {
      long app = bench.newApp(KEY, NEXT);
      bench.imported(directory, app, KEY);
      Run run =
          bench.run(
              loseAnswers("UpdateItem", 99),
              "rotate-key",
              file(NEXT).toString(),
              id(app),
              bench.table);
      assertThat(run.exitCode()).as(run.err()).isZero();
      assertThat(bench.tag(bench.row(app, "KmsKeyArn"), "Status")).isEqualTo("Active");
    }

    @Test
    void toLearnWhetherItSwitchedNeverTagsTheKeyFailed() {
      long app = bench.newApp(KEY, NEXT);
      bench.imported(directory, app, KEY);
      Path pem = file(NEXT);
      boolean[] cut = new boolean[1];
      Run run =
          bench.run(
              new Watch() {
                @Override
                public void after(int call, String operation) throws IOException {
                  cut[0] |= operation.equals("UpdateItem");
                  if (cut[0]) {
                    throw new IOException("the network is gone");
                  }
                }
              },
              "rotate-key",
              pem.toString(),
              id(app),
              bench.table);

      assertThat(run.exitCode()).isEqualTo(9);
      assertThat(run.err()).contains("may have become live and stays as it is");
      String live = bench.row(app, "KmsKeyArn");
      assertThat(bench.tag(live, "Status")).isEqualTo("Active");
      assertThat(pem).exists();
      bench.vendCold(app);
      assertThat(bench.run("rotate-key", pem.toString(), id(app), bench.table).exitCode()).isZero();
      assertThat(bench.row(app, "KmsKeyArn")).isEqualTo(live);
    }

    private static Watch loseAnswers(String operation, int times) {
      return new Watch() {
        private int left = times;

        @Override
        public void after(int call, String name) throws IOException {
          if (name.equals(operation) && left-- > 0) {
            throw new IOException("the answer is lost");
          }
        }
      };
    }
  }

  @Nested
  class Secrets {
    @ParameterizedTest
    @ValueSource(strings = {"text", "json"})
    void areInNoOutputOfAnyCommandWhateverHappens(String format) {
      long app = bench.newApp(KEY, NEXT);
      Path pem = file(KEY);
      String[] command = {"import-private-key", pem.toString(), id(app), bench.table, "--keep-pem"};
      StringBuilder seen = new StringBuilder();
      for (String error : List.of("AccessDeniedException", "KMSInternalException")) {
        for (String operation :
            List.of("CreateKey", "GetParametersForImport", "ImportKeyMaterial", "GetPublicKey")) {
          bench.kms.fail(operation, error.startsWith("KMS") ? 5 : 1, error); // 5 attempts
          note(seen, bench.run(verbose(format, command)));
        }
      }
      bench.kms.fail("Sign", 1, "AccessDeniedException");
      note(seen, bench.run(verbose(format, command)));
      note(
          seen,
          bench.run(
              Watch.before(
                  "ImportKeyMaterial",
                  () -> bench.gitHub.app(app).orElseThrow().removeKey(KEY.getPublic())),
              verbose(format, command)));
      bench.gitHub.app(app).orElseThrow().addKey(KEY.getPublic());
      note(seen, bench.run(verbose(format, command)));
      String next = write(directory.resolve("next.pem"), NEXT).toString();
      note(seen, bench.run(verbose(format, "rotate-key", next, id(app), bench.table)));
      note(seen, bench.run(verbose(format, "verify-key", id(app), bench.table)));
      note(seen, bench.run(verbose(format, "doctor", "--app-id", id(app))));
      note(seen, bench.run(verbose(format, "list-keys")));
      note(
          seen, bench.run(verbose(format, "retire-key", id(app), bench.table, "--force", "--yes")));
      note(seen, bench.run(verbose(format, "cleanup", "--yes")));

      assertThat(seen).contains("kms:Sign 200", "github:GET /app 200", "\tat ");
      assertThat(secrets())
          .hasSizeGreaterThan(50)
          .allSatisfy(it -> assertThat(seen).doesNotContain(it));
      assertThat(seen).doesNotContain("eyJ").doesNotContainIgnoringCase("bearer");
      // 256 bytes of signature or 1,744 of wrapped key, however encoded: no such word is there.
      assertThat(seen.toString().split("[^A-Za-z0-9+/=_-]+"))
          .allSatisfy(word -> assertThat(word).hasSizeLessThan(200));
    }

    private static String[] verbose(String format, String... command) {
      return Stream.concat(Stream.of(command), Stream.of("--verbose", "--output", format))
          .toArray(String[]::new);
    }

    private static void note(StringBuilder seen, Run run) {
      seen.append(run.out()).append(run.err());
    }

    /** Every line of the PEMs, the private numbers, and each part of each JWT that was sent. */
    private static Set<String> secrets() {
      Set<String> secrets = new HashSet<>();
      for (KeyPair key : List.of(KEY, NEXT)) {
        pem(key).lines().filter(line -> line.length() == 64).forEach(secrets::add);
        RSAPrivateCrtKey numbers = (RSAPrivateCrtKey) key.getPrivate();
        for (BigInteger number :
            List.of(numbers.getPrivateExponent(), numbers.getPrimeP(), numbers.getPrimeQ())) {
          secrets.add(number.toString());
          secrets.add(number.toString(16));
        }
      }
      bench.gitHub.wireMock().getServeEvents().getRequests().stream()
          .map(event -> event.getRequest().getHeader("Authorization"))
          .filter(Objects::nonNull)
          .flatMap(header -> Stream.of(header.substring("Bearer ".length()).split("[.]")).skip(1))
          .forEach(secrets::add);
      return secrets;
    }
  }
}
