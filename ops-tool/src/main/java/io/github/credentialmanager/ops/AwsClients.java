package io.github.credentialmanager.ops;

import io.github.credentialmanager.ops.KeyManagerException.Reason;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.auth.credentials.ProfileCredentialsProvider;
import software.amazon.awssdk.awscore.client.builder.AwsClientBuilder;
import software.amazon.awssdk.awscore.client.builder.AwsSyncClientBuilder;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.client.config.ClientOverrideConfiguration;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.interceptor.Context;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.core.interceptor.SdkExecutionAttribute;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.SdkHttpResponse;
import software.amazon.awssdk.regions.PartitionMetadata;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.regions.providers.DefaultAwsRegionProviderChain;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.awssdk.services.sts.StsClient;

/**
 * The AWS clients of one run, each made when first asked for.
 *
 * <p>{@code AWS_ENDPOINT_URL_KMS}, {@code _DYNAMODB}, {@code _STS}, {@code _LAMBDA} and {@code
 * _RESOURCE_GROUPS_TAGGING_API}, or {@code AWS_ENDPOINT_URL} for all, name other endpoints than
 * AWS's own.
 */
final class AwsClients implements AutoCloseable {
  private static final int ATTEMPTS = 5;
  private static final Duration ATTEMPT_TIMEOUT = Duration.ofSeconds(10);
  private static final Duration CALL_TIMEOUT = Duration.ofSeconds(60);

  private final Map<String, String> environment;
  private final SdkHttpClient http;
  private final Region region;
  private final AwsCredentialsProvider credentials;
  private final Consumer<String> trace;
  private final List<AutoCloseable> opened = new ArrayList<>();

  private @Nullable KmsClient kms;
  private @Nullable DynamoDbClient dynamoDb;

  /**
   * @param region null for the environment's or the profile's
   * @param profile null for the default one, after what the environment gives
   * @param credentials null for the SDK's default chain
   * @param trace is told each call, its status and request id
   * @throws KeyManagerException if there is no region, or there are no credentials
   */
  AwsClients(
      Map<String, String> environment,
      SdkHttpClient http,
      @Nullable String region,
      @Nullable String profile,
      @Nullable AwsCredentialsProvider credentials,
      Consumer<String> trace) {
    this.environment = environment;
    this.http = http;
    this.trace = trace;
    this.region = region(environment, region, profile);
    if (credentials != null) {
      this.credentials = credentials;
    } else if (profile != null) {
      ProfileCredentialsProvider ofProfile = ProfileCredentialsProvider.create(profile);
      opened.add(ofProfile);
      this.credentials = ofProfile;
    } else {
      DefaultCredentialsProvider chain = DefaultCredentialsProvider.builder().build();
      opened.add(chain);
      this.credentials = chain;
    }
    requireCredentials();
  }

  /** Asked for at once, so that the reason is theirs and not the first call's. */
  private void requireCredentials() {
    try {
      credentials.resolveCredentials();
    } catch (SdkException | IllegalStateException e) {
      close();
      throw new KeyManagerException(
          Reason.BAD_CONFIGURATION,
          "No AWS credentials found: sign in, set AWS_ACCESS_KEY_ID, or give the right --profile",
          e);
    }
  }

  Region region() {
    return region;
  }

  KmsClient kms() {
    KmsClient client = kms;
    if (client == null) {
      client = configured(KmsClient.builder(), "KMS").build();
      kms = client;
      opened.add(client);
    }
    return client;
  }

  DynamoDbClient dynamoDb() {
    DynamoDbClient client = dynamoDb;
    if (client == null) {
      client = configured(DynamoDbClient.builder(), "DYNAMODB").build();
      dynamoDb = client;
      opened.add(client);
    }
    return client;
  }

  /** For the one question who is asking. */
  StsClient sts() {
    StsClient client = configured(StsClient.builder(), "STS").build();
    opened.add(client);
    return client;
  }

  SignedHttp signedHttp() {
    return new SignedHttp(http, credentials, region.id(), trace);
  }

  /**
   * Where a service answers that has no client here.
   *
   * @param host the first part of its host name
   * @param service the last part of its {@code AWS_ENDPOINT_URL_} variable
   */
  URI endpoint(String host, String service) {
    return configuredEndpoint(service)
        .orElseGet(
            () ->
                URI.create(
                    "https://%s.%s.%s"
                        .formatted(host, region.id(), PartitionMetadata.of(region).dnsSuffix())));
  }

  @Override
  public void close() {
    for (AutoCloseable resource : opened) {
      try {
        resource.close();
      } catch (Exception e) {
        trace.accept("close: " + e.getClass().getSimpleName()); // nothing hangs on it
      }
    }
  }

  private static Region region(
      Map<String, String> environment, @Nullable String region, @Nullable String profile) {
    return Optional.ofNullable(region)
        .or(() -> Optional.ofNullable(environment.get("AWS_REGION")))
        .filter(id -> !id.isBlank())
        .map(AwsClients::parsedRegion)
        .orElseGet(
            () -> {
              try {
                return DefaultAwsRegionProviderChain.builder()
                    .profileName(profile)
                    .build()
                    .getRegion();
              } catch (SdkClientException e) {
                throw new KeyManagerException(
                    Reason.BAD_CONFIGURATION,
                    "No AWS region: give --region, AWS_REGION, or a region in the profile",
                    e);
              }
            });
  }

  /** It becomes part of host names. */
  private static Region parsedRegion(String id) {
    if (!id.matches("[a-z0-9-]{3,40}")) {
      throw new KeyManagerException(
          Reason.BAD_CONFIGURATION,
          "'%s' is no AWS region: give one like eu-central-1".formatted(id));
    }
    return Region.of(id);
  }

  private <B extends AwsClientBuilder<B, C> & AwsSyncClientBuilder<B, C>, C> B configured(
      B builder, String service) {
    builder
        .httpClient(http)
        .region(region)
        .credentialsProvider(credentials)
        .overrideConfiguration(
            ClientOverrideConfiguration.builder()
                .retryStrategy(
                    AwsRetryStrategy.standardRetryStrategy().toBuilder()
                        .maxAttempts(ATTEMPTS)
                        .build())
                .apiCallAttemptTimeout(ATTEMPT_TIMEOUT)
                .apiCallTimeout(CALL_TIMEOUT)
                .addExecutionInterceptor(new Trace(trace))
                .build());
    configuredEndpoint(service).ifPresent(builder::endpointOverride);
    return builder;
  }

  private Optional<URI> configuredEndpoint(String service) {
    return Optional.ofNullable(environment.get("AWS_ENDPOINT_URL_" + service))
        .or(() -> Optional.ofNullable(environment.get("AWS_ENDPOINT_URL")))
        .filter(url -> !url.isBlank())
        .map(
            url -> {
              try {
                return URI.create(url);
              } catch (IllegalArgumentException e) {
                throw new KeyManagerException(
                    Reason.BAD_CONFIGURATION,
                    "The endpoint URL of %s is no URL: correct AWS_ENDPOINT_URL_%s"
                        .formatted(service, service));
              }
            });
  }

  /** Tells each call's name, status and request id, and nothing of what it carried. */
  private record Trace(Consumer<String> trace) implements ExecutionInterceptor {
    @Override
    public void afterTransmission(
        Context.AfterTransmission context, ExecutionAttributes attributes) {
      SdkHttpResponse response = context.httpResponse();
      trace.accept(
          "%s:%s %d %s"
              .formatted(
                  attributes
                      .getAttribute(SdkExecutionAttribute.SERVICE_NAME)
                      .toLowerCase(Locale.ROOT),
                  attributes.getAttribute(SdkExecutionAttribute.OPERATION_NAME),
                  response.statusCode(),
                  response.firstMatchingHeader("x-amzn-requestid").orElse("")));
    }
  }
}
