package io.github.credentialmanager.local;

import io.github.credentialmanager.server.ServerConfiguration;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.regions.providers.DefaultAwsRegionProviderChain;

/**
 * The AWS that environment variables name: {@code APP_TABLE_NAME}, {@code INSTALLATION_TABLE_NAME},
 * {@code AWS_REGION} or the default profile's region, {@code AWS_ENDPOINT_URL*}; credentials are
 * the SDK's default ones.
 */
record EnvironmentAws(
    Region region, URI gitHubApiUrl, ServerConfiguration.Builder serverConfiguration) {

  /**
   * @throws IllegalArgumentException naming all that is missing
   */
  static EnvironmentAws read(Map<String, String> environment) {
    List<String> missing = new ArrayList<>();
    ServerConfiguration.Builder configuration = ServerConfiguration.builder();
    value(environment, "APP_TABLE_NAME")
        .ifPresentOrElse(configuration::appTableName, () -> missing.add("APP_TABLE_NAME"));
    value(environment, "INSTALLATION_TABLE_NAME")
        .ifPresentOrElse(
            configuration::installationTableName, () -> missing.add("INSTALLATION_TABLE_NAME"));
    Optional<Region> region = region(environment);
    if (region.isEmpty() || !missing.isEmpty()) {
      region.ifPresentOrElse(found -> {}, () -> missing.add("AWS_REGION"));
      throw new IllegalArgumentException(
          "--aws=environment needs " + String.join(", ", missing) + " to be set.");
    }
    endpoint(environment, "AWS_ENDPOINT_URL_KMS").ifPresent(configuration::kmsEndpoint);
    endpoint(environment, "AWS_ENDPOINT_URL_DYNAMODB").ifPresent(configuration::dynamoDbEndpoint);
    URI gitHub =
        value(environment, "GITHUB_API_URL")
            .map(URI::create)
            .orElse(URI.create("https://api.github.com"));
    return new EnvironmentAws(region.get(), gitHub, configuration);
  }

  private static Optional<Region> region(Map<String, String> environment) {
    Optional<Region> named = value(environment, "AWS_REGION").map(Region::of);
    if (named.isPresent()) {
      return named;
    }
    try {
      return Optional.of(DefaultAwsRegionProviderChain.builder().build().getRegion());
    } catch (SdkClientException e) {
      return Optional.empty();
    }
  }

  private static Optional<URI> endpoint(Map<String, String> environment, String variable) {
    return value(environment, variable)
        .or(() -> value(environment, "AWS_ENDPOINT_URL"))
        .map(URI::create);
  }

  private static Optional<String> value(Map<String, String> environment, String name) {
    return Optional.ofNullable(environment.get(name)).filter(value -> !value.isBlank());
  }
}
