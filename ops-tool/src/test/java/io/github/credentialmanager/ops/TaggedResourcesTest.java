package io.github.credentialmanager.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.credentialmanager.ops.KeyManagerException.Reason;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;

class TaggedResourcesTest {
  private final StubServer server = new StubServer();
  private final List<Duration> pauses = new ArrayList<>();
  private final List<String> trace = new ArrayList<>();
  private final SdkHttpClient http = UrlConnectionHttpClient.create();
  private final TaggedResources resources =
      new TaggedResources(
          new SignedHttp(
              http,
              StaticCredentialsProvider.create(
                  AwsSessionCredentials.create("AKIDEXAMPLE", "secret", "session")),
              "us-east-1",
              trace::add),
          server.uri(),
          server.uri(),
          pauses::add);

  @AfterEach
  void stop() {
    server.close();
    http.close();
  }

  @Test
  void findsAppTablesOnEveryPage() throws Exception {
    server
        .answer(200, page("next", "arn:aws:dynamodb:us-east-1:1:table/B"))
        .answer(200, page("", "arn:aws:dynamodb:us-east-1:1:table/A"));

    assertThat(resources.appTables()).containsExactly("A", "B");

    StubServer.Request first = server.requests().get(0);
    assertThat(first.header("x-amz-target"))
        .isEqualTo("ResourceGroupsTaggingAPI_20170126.GetResources");
    assertThat(first.header("authorization"))
        .startsWith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
        .contains("/us-east-1/tagging/aws4_request");
    JsonNode query = new ObjectMapper().readTree(first.body());
    assertThat(query.path("ResourceTypeFilters")).hasToString("[\"dynamodb:table\"]");
    assertThat(query.path("TagFilters"))
        .contains(
            new ObjectMapper()
                .readTree("{\"Key\":\"CredentialManager\",\"Values\":[\"AppTable\"]}"));
    assertThat(new ObjectMapper().readTree(server.requests().get(1).body()).path("PaginationToken"))
        .hasToString("\"next\"");
  }

  @Test
  void waitsOutThrottling() {
    server.answer(400, "{\"__type\":\"ThrottledException\"}").answer(503, "").answer(200, page(""));
    assertThat(resources.keys()).isEmpty();
    assertThat(trace)
        .containsExactly("tag:GetResources 400 ", "tag:GetResources 503 ", "tag:GetResources 200 ");
    assertThat(pauses).containsExactly(Duration.ofMillis(500), Duration.ofSeconds(1));
  }

  @Test
  void namesThePermissionThatIsMissing() {
    server.answer(
        400, Map.of("x-amzn-errortype", "com.amazon#AccessDeniedException:http://x"), "{}");
    assertThatThrownBy(resources::keys)
        .isInstanceOfSatisfying(
            KeyManagerException.class, e -> assertThat(e.reason()).isEqualTo(Reason.ACCESS_DENIED))
        .hasMessageContaining("tag:GetResources");
    assertThat(server.requests()).hasSize(1);
  }

  @Test
  void prefersTheUrlOfAnAliasAndTakesNoneThatIsOpen() {
    server.answer(
        200,
        """
        {"FunctionUrlConfigs":[
          {"FunctionArn":"arn:aws:lambda:r:1:function:f","FunctionUrl":"https://plain/","AuthType":"AWS_IAM"},
          {"FunctionArn":"arn:aws:lambda:r:1:function:f:open","FunctionUrl":"https://open/","AuthType":"NONE"},
          {"FunctionArn":"arn:aws:lambda:r:1:function:f:live","FunctionUrl":"https://alias/","AuthType":"AWS_IAM"}]}
        """);
    assertThat(resources.functionUrls("f"))
        .containsExactly(URI.create("https://alias/"), URI.create("https://plain/"));
    assertThat(server.requests().get(0).method()).isEqualTo("GET");
    assertThat(server.requests().get(0).uri()).hasToString("/2021-10-31/functions/f/urls");
  }

  @Test
  void sendsCredentialsToNothingButHttps() {
    TaggedResources insecure =
        new TaggedResources(
            new SignedHttp(
                http,
                StaticCredentialsProvider.create(
                    AwsSessionCredentials.create("AKIDEXAMPLE", "secret", "session")),
                "us-east-1",
                trace::add),
            URI.create("http://tagging.example"),
            URI.create("http://lambda.example"),
            pauses::add);
    assertThatThrownBy(insecure::keys)
        .isInstanceOf(KeyManagerException.class)
        .hasMessageContaining("https");
  }

  private static String page(String token, String... arns) {
    StringBuilder list = new StringBuilder();
    for (String arn : arns) {
      list.append(list.isEmpty() ? "" : ",")
          .append(
              "{\"ResourceARN\":\"%s\",\"Tags\":[{\"Key\":\"k\",\"Value\":\"v\"}]}".formatted(arn));
    }
    return "{\"PaginationToken\":\"%s\",\"ResourceTagMappingList\":[%s]}".formatted(token, list);
  }
}
