package io.github.credentialmanager.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.GlobalSecondaryIndexDescription;
import software.amazon.awssdk.services.dynamodb.model.TableStatus;

class DynamoDbLocalTest {
  private static final Tables TABLES = Tables.named("");

  private final BlockingQueue<String> deaths = new LinkedBlockingQueue<>();

  @Test
  void holdsBothTablesWithTheirIndexes() {
    try (DynamoDbLocal local = DynamoDbLocal.start(null, deaths::add);
        DynamoDbClient client = client(local.endpoint())) {
      TABLES.create(client);
      TABLES.create(client);

      assertThat(client.describeTable(it -> it.tableName(TABLES.app())).table().tableStatus())
          .isEqualTo(TableStatus.ACTIVE);
      assertThat(
              client
                  .describeTable(it -> it.tableName(TABLES.installation()))
                  .table()
                  .globalSecondaryIndexes())
          .extracting(GlobalSecondaryIndexDescription::indexName)
          .containsExactlyInAnyOrder("NodeID", "InstallationID");
      client.putItem(
          put ->
              put.tableName(TABLES.installation())
                  .item(
                      Map.of(
                          "AppId", AttributeValue.fromN("1001"),
                          "NodeId", AttributeValue.fromS("O_kgDOAAAD6Q"),
                          "InstallationId", AttributeValue.fromN("5000000000"))));
      assertThat(
              client
                  .query(
                      query ->
                          query
                              .tableName(TABLES.installation())
                              .indexName("NodeID")
                              .keyConditionExpression("NodeId = :node")
                              .expressionAttributeValues(
                                  Map.of(":node", AttributeValue.fromS("O_kgDOAAAD6Q"))))
                  .items())
          .singleElement()
          .satisfies(
              item ->
                  assertThat(item)
                      .containsEntry("InstallationId", AttributeValue.fromN("5000000000")));
    }
    assertThat(deaths).isEmpty();
  }

  @Test
  void keepsTablesInADirectory(@TempDir Path data) {
    try (DynamoDbLocal local = DynamoDbLocal.start(data, deaths::add);
        DynamoDbClient client = client(local.endpoint())) {
      TABLES.create(client);
      client.putItem(
          put ->
              put.tableName(TABLES.app())
                  .item(
                      Map.of(
                          "AppId", AttributeValue.fromN("1001"),
                          "KmsKeyArn", AttributeValue.fromS("arn:aws:kms:the-key"))));
    }
    try (DynamoDbLocal local = DynamoDbLocal.start(data, deaths::add);
        DynamoDbClient client = client(local.endpoint())) {
      TABLES.create(client);
      assertThat(TABLES.keyArn(client, 1001)).hasValue("arn:aws:kms:the-key");
      assertThat(TABLES.keyArn(client, 1002)).isEmpty();
    }
  }

  @Test
  void endsItsProcessWhenClosed() {
    DynamoDbLocal local = DynamoDbLocal.start(null, deaths::add);
    ProcessHandle process = ProcessHandle.of(local.pid()).orElseThrow();

    local.close();

    assertThat(process.isAlive()).isFalse();
    try (DynamoDbClient client = client(local.endpoint())) {
      assertThatExceptionOfType(SdkClientException.class).isThrownBy(client::listTables);
    }
    assertThat(deaths).isEmpty();
  }

  @Test
  void tellsWhenItsProcessDies() throws Exception {
    try (DynamoDbLocal local = DynamoDbLocal.start(null, deaths::add)) {
      ProcessHandle.of(local.pid()).orElseThrow().destroyForcibly();

      assertThat(deaths.poll(30, TimeUnit.SECONDS))
          .startsWith("DynamoDB Local has ended (exit code ");
    }
  }

  @Test
  void doesNotOutliveAKilledParent() throws Exception {
    Process parent =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Parent.class.getName())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (InputStream output = parent.getInputStream()) {
      long pid = readLong(output);
      ProcessHandle child = ProcessHandle.of(pid).orElseThrow();

      parent.destroyForcibly().waitFor();

      child.onExit().get(30, TimeUnit.SECONDS);
      assertThat(child.isAlive()).isFalse();
    } finally {
      parent.destroyForcibly();
    }
  }

  private static long readLong(InputStream input) throws Exception {
    StringBuilder digits = new StringBuilder();
    for (int c = input.read(); c > ' '; c = input.read()) {
      digits.append((char) c);
    }
    return Long.parseLong(digits.toString());
  }

  /** Starts one, says its process id and waits to be killed. */
  static final class Parent {
    public static void main(String[] arguments) throws Exception {
      DynamoDbLocal local = DynamoDbLocal.start(null, death -> {});
      System.out.println(local.pid());
      Thread.currentThread().join();
    }
  }

  @Test
  @ResourceLock(Resources.SYSTEM_PROPERTIES)
  void saysWhatToDoWhereItsClassPathIsStale(@TempDir Path directory) throws Exception {
    Path file = Files.writeString(directory.resolve("dynamodb-local.classpath"), "/gone.jar");
    System.setProperty(DynamoDbLocal.CLASS_PATH_FILE, file.toString());
    try {
      assertThatIllegalStateException()
          .isThrownBy(() -> DynamoDbLocal.start(null, deaths::add))
          .withMessageContaining("/gone.jar")
          .withMessageContaining("Build the local stack again");
    } finally {
      System.clearProperty(DynamoDbLocal.CLASS_PATH_FILE);
    }
  }

  private static DynamoDbClient client(URI endpoint) {
    return DynamoDbClient.builder()
        .endpointOverride(endpoint)
        .region(Region.US_EAST_1)
        .credentialsProvider(
            StaticCredentialsProvider.create(AwsBasicCredentials.create("AKIALOCAL", "secret")))
        .httpClientBuilder(UrlConnectionHttpClient.builder())
        .build();
  }
}
