package io.github.credentialmanager.server.tracking;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.credentialmanager.server.TestContext;
import io.github.credentialmanager.server.World;
import io.github.credentialmanager.server.audit.ServiceLog;
import io.github.credentialmanager.server.outbound.Deadline;
import io.github.credentialmanager.server.outbound.DeadlineExceededException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class TrackerHandlerTest {
  private static final String SECRET = "what-no-log-may-say";

  private final List<String> lines = new ArrayList<>();
  private final ServiceLog log =
      new ServiceLog(lines::add, () -> Instant.parse("2026-11-23T09:00:00Z"));

  private JsonNode run(Tracker tracker) throws IOException {
    ByteArrayOutputStream result = new ByteArrayOutputStream();
    new TrackerHandler("Some", tracker, log)
        .handleRequest(new UnreadableEvent(), result, new TestContext());
    return World.read(result.toString(UTF_8));
  }

  private JsonNode logged() {
    assertThat(lines).hasSize(1);
    return World.read(lines.get(0));
  }

  private static AppReport good(long appId) {
    AppReport report = new AppReport(appId, "seen");
    report.reached();
    report.did("seen", 3);
    report.skipped("SOMETHING", 1);
    return report;
  }

  private static AppReport bad(long appId) {
    AppReport report = new AppReport(appId, "seen");
    report.failed(new DeadlineExceededException(new IllegalStateException(SECRET)), 2);
    return report;
  }

  @Nested
  class ARunOfWhichSomethingIsLeft {
    @Test
    void saysWhatBecameOfEachApp() throws IOException {
      JsonNode result = run(deadline -> List.of(good(1), bad(2)));
      assertThat(result.path("apps").asInt()).isEqualTo(2);
      assertThat(result.path("appsWithFailures").asInt()).isEqualTo(1);
      assertThat(result.path("results").get(0).toString())
          .isEqualTo(
              "{\"appId\":1,\"failed\":0,\"seen\":3,\"skipped\":1,"
                  + "\"skippedBecause\":{\"SOMETHING\":1}}");
      assertThat(result.path("results").get(1).toString())
          .isEqualTo(
              "{\"appId\":2,\"failed\":2,\"failedBecause\":{\"TIMEOUT\":2},"
                  + "\"seen\":0,\"skipped\":0}");
    }

    @Test
    void isAHeartbeat() throws IOException {
      run(deadline -> List.of(good(1), bad(2)));
      JsonNode line = logged();
      assertThat(line.path("event").asText()).isEqualTo("SomeRan");
      assertThat(line.path("SomeRan").asInt()).isEqualTo(1);
      assertThat(line.path("service").asText()).isEqualTo("Credential Manager");
      JsonNode metrics = line.path("_aws").path("CloudWatchMetrics").get(0);
      assertThat(metrics.path("Namespace").asText()).isEqualTo("CredentialManager");
      assertThat(metrics.path("Metrics").get(0).path("Name").asText()).isEqualTo("SomeRan");
    }

    @Test
    void mayHaveHadNothingToDo() throws IOException {
      assertThat(run(deadline -> List.of()).path("apps").asInt()).isZero();
      assertThat(logged().path("event").asText()).isEqualTo("SomeRan");
    }

    @Test
    void hadLambdasTimeButForAMoment() throws IOException {
      List<Deadline> given = new ArrayList<>();
      run(
          deadline -> {
            given.add(deadline);
            return List.of();
          });
      assertThat(given.get(0).remaining())
          .isBetween(Duration.ofSeconds(20), Duration.ofSeconds(25));
    }
  }

  @Nested
  class ARunThatCouldDoNothing {
    @Test
    void throwsForTheQueueOfFailedRuns() {
      assertThatExceptionOfType(TrackerHandler.RunFailedException.class)
          .isThrownBy(() -> run(deadline -> List.of(bad(1), bad(2))))
          .withMessage("Nothing could be done for any App: TIMEOUT");
      assertThat(logged().path("event").asText()).isEqualTo("SomeFailed");
    }

    @Test
    void throwsIfItCouldNotEvenBegin() {
      assertThatThrownBy(
              () ->
                  run(
                      deadline -> {
                        throw new IllegalStateException(SECRET);
                      }))
          .hasMessage("Nothing could be done for any App: INTERNAL");
      assertThat(logged().path("failure").asText()).isEqualTo("IllegalStateException");
      assertThat(logged().path("reason").asText()).isEqualTo("INTERNAL");
    }

    @Test
    void handsLambdaNothingToPrintButThat() {
      assertThatThrownBy(() -> run(deadline -> List.of(bad(1))))
          .hasNoCause()
          .satisfies(e -> assertThat(e.getStackTrace()).isEmpty());
      assertThat(lines.toString()).doesNotContain(SECRET);
    }
  }

  /** Whatever EventBridge sends. */
  private static final class UnreadableEvent extends InputStream {
    @Override
    public int read() throws IOException {
      throw new IOException("nobody is to read this");
    }
  }
}
