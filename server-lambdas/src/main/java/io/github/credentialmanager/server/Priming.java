package io.github.credentialmanager.server;

import java.io.ByteArrayInputStream;
import java.util.Map;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.http.AbortableInputStream;
import software.amazon.awssdk.http.ExecutableHttpRequest;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.HttpExecuteResponse;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.SdkHttpResponse;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.awssdk.services.kms.model.MessageType;
import software.amazon.awssdk.services.kms.model.SigningAlgorithmSpec;

/**
 * Loads what a first request would load of the AWS SDK: marshalling, signing, retries, reading.
 *
 * <p>The calls end inside this process, and their credentials are made up. The clients that serve
 * requests are not touched, so that neither a connection nor a credential gets into a snapshot.
 */
final class Priming {
  private static final StaticCredentialsProvider NOBODY =
      StaticCredentialsProvider.create(AwsBasicCredentials.create("none", "none"));
  private static final int DIGEST_BYTES = 32;

  private Priming() {}

  static void prime(ServerConfiguration configuration) {
    try (KmsClient kms =
            AwsClients.configure(KmsClient.builder(), configuration, configuration.kmsEndpoint())
                .credentialsProvider(NOBODY)
                .httpClientBuilder(defaults -> new Nowhere())
                .build();
        DynamoDbClient dynamoDb =
            AwsClients.configure(
                    DynamoDbClient.builder(), configuration, configuration.dynamoDbEndpoint())
                .credentialsProvider(NOBODY)
                .httpClientBuilder(defaults -> new Nowhere())
                .build()) {
      kms.sign(
          request ->
              request
                  .keyId("none")
                  .message(SdkBytes.fromByteArray(new byte[DIGEST_BYTES]))
                  .messageType(MessageType.DIGEST)
                  .signingAlgorithm(SigningAlgorithmSpec.RSASSA_PKCS1_V1_5_SHA_256));
      dynamoDb.getItem(
          request ->
              request
                  .tableName(configuration.appTableName())
                  .key(Map.of("AppId", AttributeValue.fromN("1"))));
    }
  }

  /** Answers every request with an empty object, here. */
  private static final class Nowhere implements SdkHttpClient {
    @Override
    public ExecutableHttpRequest prepareRequest(HttpExecuteRequest request) {
      return new ExecutableHttpRequest() {
        @Override
        public HttpExecuteResponse call() {
          return HttpExecuteResponse.builder()
              .response(SdkHttpResponse.builder().statusCode(200).build())
              .responseBody(
                  AbortableInputStream.create(new ByteArrayInputStream(new byte[] {'{', '}'})))
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
