package io.github.credentialmanager.server;

import java.net.URI;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.awscore.client.builder.AwsClientBuilder;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.client.builder.SdkSyncClientBuilder;
import software.amazon.awssdk.core.client.config.ClientOverrideConfiguration;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.retries.api.BackoffStrategy;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.kms.KmsClient;

/**
 * AWS clients that give up in time.
 *
 * <p>The SDK's own defaults would wait for minutes (legacy retries; DynamoDB up to nine attempts of
 * 30 s). Here an attempt takes at most 1 s and a call, with at most three attempts, 3 s.
 */
final class AwsClients {
  private static final Duration ATTEMPT_TIMEOUT = Duration.ofSeconds(1);
  private static final Duration CALL_TIMEOUT = Duration.ofSeconds(3);
  private static final int ATTEMPTS = 3;
  // The SDK's own pauses after throttling add up to 3 s: then a call would end as a time-out.
  private static final BackoffStrategy PAUSES =
      BackoffStrategy.exponentialDelay(Duration.ofMillis(100), Duration.ofSeconds(1));

  private AwsClients() {}

  static DynamoDbClient dynamoDb(ServerConfiguration configuration) {
    return configure(DynamoDbClient.builder(), configuration, configuration.dynamoDbEndpoint())
        .build();
  }

  static KmsClient kms(ServerConfiguration configuration) {
    return configure(KmsClient.builder(), configuration, configuration.kmsEndpoint()).build();
  }

  static <B extends AwsClientBuilder<B, ?> & SdkSyncClientBuilder<B, ?>> B configure(
      B builder, ServerConfiguration configuration, @Nullable URI endpoint) {
    if (endpoint != null) {
      builder.endpointOverride(endpoint);
    }
    return builder
        .region(configuration.region())
        .credentialsProvider(configuration.credentialsProvider())
        .httpClientBuilder(
            UrlConnectionHttpClient.builder()
                .connectionTimeout(ATTEMPT_TIMEOUT)
                .socketTimeout(ATTEMPT_TIMEOUT))
        .overrideConfiguration(
            ClientOverrideConfiguration.builder()
                .apiCallAttemptTimeout(ATTEMPT_TIMEOUT)
                .apiCallTimeout(CALL_TIMEOUT)
                .addExecutionInterceptor(new BoundedResponses())
                .retryStrategy(
                    AwsRetryStrategy.standardRetryStrategy().toBuilder()
                        .maxAttempts(ATTEMPTS)
                        .backoffStrategy(PAUSES)
                        .throttlingBackoffStrategy(PAUSES)
                        .build())
                .build());
  }
}
