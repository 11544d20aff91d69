package io.github.credentialmanager.server;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.credentialmanager.server.audit.ServiceLog;
import io.github.credentialmanager.server.functionurl.Diagnosis;
import io.github.credentialmanager.server.json.JsonText;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.util.Map;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.http.AbortableInputStream;
import software.amazon.awssdk.http.ExecutableHttpRequest;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.HttpExecuteResponse;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.SdkHttpResponse;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.kms.KmsClient;

/**
 * Rehearses requests, so that a snapshot holds the classes that a first request needs: those of the
 * handlers, of JSON, of the AWS SDK's marshalling and signing, of HTTP and of TLS.
 *
 * <p>The server that rehearses is made for it, with made-up credentials. Its AWS calls are answered
 * where they are made, and its calls of GitHub by a socket of this process; nothing leaves the
 * machine, no key is used, and nothing of it stays. Of a TLS handshake there is no more than the
 * first message, which is sent to nobody.
 */
final class Priming {
  private static final StaticCredentialsProvider NOBODY =
      StaticCredentialsProvider.create(AwsBasicCredentials.create("none", "none"));
  private static final String ROW =
      "{\"AppId\":{\"N\":\"1\"},\"NodeId\":{\"S\":\"O_1\"},\"InstallationId\":{\"N\":\"1\"},"
          + "\"KmsKeyArn\":{\"S\":\"none\"},\"Name\":{\"S\":\"none\"}}";

  /** For whatever was asked: each reads what it looks for. */
  private static final String AWS_ANSWER =
      "{\"Item\":" + ROW + ",\"Items\":[" + ROW + "],\"Signature\":\"bm9uZQ==\"}";

  private static final String REQUEST =
      "{\"appId\":1,\"nodeId\":\"O_1\",\"scopeDown\":"
          + "{\"repositoryIds\":[1],\"permissions\":{\"contents\":\"read\"}}}";

  private Priming() {}

  /** Where it fails, the log says so: then a first request takes longer. */
  static void prime(Region region, ServiceLog log) {
    try (LoopbackGitHub gitHub = new LoopbackGitHub();
        CredentialManagerServer rehearsal = rehearsal(region, gitHub.url())) {
      for (var handler : rehearsal.handlers().entrySet()) {
        if (!handler.getKey().equals("/installations/refresh")) {
          byte[] event = event(handler.getKey(), region).getBytes(UTF_8);
          handler
              .getValue()
              .handleRequest(new ByteArrayInputStream(event), new ByteArrayOutputStream(), null);
        }
      }
      prepareToConnect();
    } catch (IOException | GeneralSecurityException | RuntimeException e) {
      log.write("PrimingFailed", Diagnosis.of(e));
    }
  }

  private static CredentialManagerServer rehearsal(Region region, URI gitHub) {
    ServerConfiguration configuration =
        ServerConfiguration.builder()
            .appTableName("none")
            .installationTableName("none")
            .region(region)
            .credentialsProvider(NOBODY)
            .gitHubApiUrl(gitHub)
            .auditLog(line -> {})
            .build();
    return new CredentialManagerServer(
        configuration,
        AwsClients.configure(DynamoDbClient.builder(), configuration, null)
            .httpClientBuilder(defaults -> new Nowhere())
            .build(),
        AwsClients.configure(KmsClient.builder(), configuration, null)
            .httpClientBuilder(defaults -> new Nowhere())
            .build());
  }

  private static String event(String path, Region region) {
    return JsonText.of(
        Map.of(
            "version",
            "2.0",
            "rawPath",
            path,
            "headers",
            Map.of("content-type", "application/json", "accept", "application/json"),
            "requestContext",
            Map.of(
                "accountId",
                "none",
                "domainName",
                "none.lambda-url." + region.id() + ".on.aws",
                "http",
                Map.of("method", "POST"),
                "authorizer",
                Map.of("iam", Map.of("accountId", "none", "userArn", "none"))),
            "body",
            REQUEST));
  }

  private static void prepareToConnect() throws IOException, GeneralSecurityException {
    try (SdkHttpClient client = UrlConnectionHttpClient.create()) {
      client.prepareRequest(
          HttpExecuteRequest.builder()
              .request(
                  SdkHttpRequest.builder()
                      .method(SdkHttpMethod.POST)
                      .uri(URI.create("https://localhost/"))
                      .build())
              .build());
    }
    SSLEngine engine = SSLContext.getDefault().createSSLEngine("localhost", 443);
    engine.setUseClientMode(true);
    engine.beginHandshake();
    engine.wrap(
        ByteBuffer.allocate(0), ByteBuffer.allocate(engine.getSession().getPacketBufferSize()));
    engine.closeOutbound();
  }

  /** Answers every request to AWS, here. */
  private static final class Nowhere implements SdkHttpClient {
    @Override
    public ExecutableHttpRequest prepareRequest(HttpExecuteRequest request) {
      return new ExecutableHttpRequest() {
        @Override
        public HttpExecuteResponse call() {
          return HttpExecuteResponse.builder()
              .response(SdkHttpResponse.builder().statusCode(200).build())
              .responseBody(
                  AbortableInputStream.create(new ByteArrayInputStream(AWS_ANSWER.getBytes(UTF_8))))
              .build();
        }

        @Override
        public void abort() {}
      };
    }

    @Override
    public void close() {}
  }
}
