package io.github.credentialmanager.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.github.credentialmanager.server.FaultyServer.Fault;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Breaks one dependency at a time, in every way, under each cold operation that calls it, and looks
 * at what the caller is told and when. What came of it is written to {@code target/fault-table.md}.
 */
class FaultTableTest {
  private static final Duration LIMIT = Duration.ofSeconds(10);
  private static final int AT_ONCE = 12;

  private enum Dependency {
    DYNAMODB(ServerConfiguration.Builder::dynamoDbEndpoint, "AWS_UNAVAILABLE"),
    KMS(ServerConfiguration.Builder::kmsEndpoint, "AWS_UNAVAILABLE"),
    GITHUB(ServerConfiguration.Builder::gitHubApiUrl, "GITHUB_UNAVAILABLE");

    private final BiConsumer<ServerConfiguration.Builder, URI> endpoint;
    private final String reason;

    Dependency(BiConsumer<ServerConfiguration.Builder, URI> endpoint, String reason) {
      this.endpoint = endpoint;
      this.reason = reason;
    }
  }

  private enum Operation {
    GET_APP_TOKEN("/tokens/app", "{\"appId\":1001}", EnumSet.allOf(Dependency.class)),
    GET_INSTALLATION_TOKEN(
        "/tokens/installation",
        "{\"appId\":1001,\"nodeId\":\"O_1\"}",
        EnumSet.allOf(Dependency.class)),
    REFRESH_CACHED_DATA("/installations/refresh", "", EnumSet.allOf(Dependency.class)),
    GET_INSTALLATION_DATA(
        "/installations/info", "{\"nodeId\":\"O_1\"}", EnumSet.of(Dependency.DYNAMODB)),
    GET_INSTALLATIONS("/installations", "{}", EnumSet.of(Dependency.DYNAMODB));

    private final String path;
    private final String body;
    private final Set<Dependency> dependencies;

    Operation(String path, String body, Set<Dependency> dependencies) {
      this.path = path;
      this.body = body;
      this.dependencies = dependencies;
    }
  }

  private record Cell(
      Operation operation,
      Dependency dependency,
      Fault fault,
      World.Response response,
      Duration time,
      int elsewhere) {
    String row() {
      return "| "
          + operation
          + " | "
          + dependency
          + " | "
          + fault
          + " | "
          + response.status()
          + " "
          + response.errorType()
          + " | "
          + response.body().path("reason").asText()
          + " | "
          + time.toMillis()
          + " ms |";
    }
  }

  @TestFactory
  Stream<DynamicTest> aTypedAnswerWithinTenSeconds() throws Exception {
    List<Cell> cells = cells();
    List<String> table = new ArrayList<>();
    table.add("| operation | dependency | fault | answer | reason | after |");
    table.add("|---|---|---|---|---|---|");
    cells.forEach(cell -> table.add(cell.row()));
    write(table);
    return cells.stream()
        .map(
            cell ->
                dynamicTest(
                    cell.operation + " " + cell.dependency + " " + cell.fault, () -> check(cell)));
  }

  private static void check(Cell cell) {
    assertThat(cell.response.status()).as("%s", cell.row()).isEqualTo(500);
    assertThat(cell.response.errorType()).isEqualTo("ServerSideError");
    assertThat(cell.response.body().path("reason").asText())
        .as("%s", cell.row())
        .isIn(Set.of(cell.dependency.reason, "TIMEOUT"));
    assertThat(cell.time).isLessThan(LIMIT);
    assertThat(cell.elsewhere).as("connections to where a redirect points").isZero();
  }

  private static List<Cell> cells() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(AT_ONCE);
    try {
      List<Future<Cell>> futures = new ArrayList<>();
      for (Operation operation : Operation.values()) {
        for (Dependency dependency : operation.dependencies) {
          for (Fault fault : Fault.values()) {
            futures.add(threads.submit(() -> cell(operation, dependency, fault)));
          }
        }
      }
      List<Cell> cells = new ArrayList<>();
      for (Future<Cell> future : futures) {
        cells.add(future.get());
      }
      return cells;
    } finally {
      threads.shutdownNow();
    }
  }

  private static Cell cell(Operation operation, Dependency dependency, Fault fault) {
    try (World world = new World();
        FaultyServer elsewhere =
            new FaultyServer(Fault.ANSWERS_GARBAGE, URI.create("http://none"));
        FaultyServer faulty = new FaultyServer(fault, elsewhere.endpoint())) {
      world.app(1001).installation(1001, "O_1", 7001);
      GitHubStubs.vends(world, 7001);
      world.with(settings -> dependency.endpoint.accept(settings, faulty.endpoint()));
      world.server();
      long start = System.nanoTime();
      World.Response response = world.post(operation.path, operation.body);
      Duration time = Duration.ofNanos(System.nanoTime() - start);
      return new Cell(operation, dependency, fault, response, time, elsewhere.connections());
    }
  }

  private static void write(List<String> table) throws IOException {
    Path directory = Files.createDirectories(Path.of("target"));
    Files.write(directory.resolve("fault-table.md"), table);
  }
}
