package io.github.credentialmanager.sdk;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.EnumMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.regions.providers.AwsProfileRegionProvider;

/**
 * Where each operation is, and in which region.
 *
 * @param urls the full URL of each operation that has one
 * @param region the region given by the program; null to find it per host
 * @param defaultRegion the region of the process's settings; null if they have none
 */
record ClientConfiguration(
    Map<Operation, URI> urls, @Nullable Region region, @Nullable Region defaultRegion) {
  /**
   * AWS Lambda documentation, "Creating and managing Lambda function URLs": the form of the host.
   */
  private static final Pattern FUNCTION_URL_HOST =
      Pattern.compile(
          "[a-z0-9-]+\\.lambda-url\\.([a-z0-9-]+)\\.on\\.aws", Pattern.CASE_INSENSITIVE);

  ClientConfiguration {
    urls = Map.copyOf(urls);
  }

  /**
   * Puts together what the program gave and what the process is configured with. No I/O.
   *
   * @throws IllegalArgumentException if an endpoint is malformed or not https
   */
  static ClientConfiguration resolve(
      Settings settings,
      @Nullable URI endpoint,
      Map<Operation, URI> endpoints,
      @Nullable Region region) {
    Map<Operation, URI> urls = new EnumMap<>(Operation.class);
    for (Operation operation : Operation.values()) {
      URI given = endpoints.getOrDefault(operation, endpoint);
      if (given == null) {
        given = endpoint(settings, operation);
      }
      if (given != null) {
        urls.put(operation, withPath(given, operation));
      }
    }
    String awsRegion = settings.first(Settings.AWS_REGION);
    return new ClientConfiguration(urls, region, awsRegion == null ? null : Region.of(awsRegion));
  }

  /** Checks an endpoint; {@code name} is what to call it in the message. */
  static URI checkEndpoint(URI endpoint, String name) {
    Origin.requireTrustworthy(endpoint, name);
    if (endpoint.getRawQuery() != null || endpoint.getRawFragment() != null) {
      throw new IllegalArgumentException(name + ": give a URL without query and fragment.");
    }
    return endpoint;
  }

  /**
   * The URL of an operation.
   *
   * @throws TokenDeniedException if it is not configured; the message names everything that is
   *     missing
   */
  URI url(Operation operation) {
    URI url = urls.get(operation);
    if (url == null) {
      throw new TokenDeniedException(
          "No endpoint for "
              + operation.wireName()
              + ". Set "
              + Settings.ENDPOINT
              + " (one base URL for all operations) or "
              + operation.variable()
              + " as an environment variable, or as the system property "
              + Settings.propertyName(Settings.ENDPOINT)
              + " or "
              + Settings.propertyName(operation.variable())
              + ", or give an endpoint to CredentialManagerClient.builder()."
              + (region == null && defaultRegion == null
                  ? " Unless it is a Lambda Function URL, set " + Settings.AWS_REGION + " too."
                  : "")
              + " AWS credentials come from the AWS SDK's default chain.",
          Reason.NOT_CONFIGURED);
    }
    return url;
  }

  /**
   * The region to sign for: the program's, else the one in a Function URL's host, else the
   * process's, else the AWS profile's.
   *
   * <p>The host goes before the process's own region because the function checks the signature for
   * where it is, not for where the caller runs.
   *
   * @throws TokenDeniedException if there is none
   */
  Region region(URI url) {
    if (region != null) {
      return region;
    }
    Matcher functionUrl = FUNCTION_URL_HOST.matcher(url.getHost());
    if (functionUrl.matches()) {
      return Region.of(functionUrl.group(1));
    }
    if (defaultRegion != null) {
      return defaultRegion;
    }
    try {
      return new AwsProfileRegionProvider().getRegion();
    } catch (RuntimeException e) {
      throw new TokenDeniedException(
          "No AWS region for "
              + url.getHost()
              + ". Set "
              + Settings.AWS_REGION
              + " as an environment variable, the system property "
              + Settings.propertyName(Settings.AWS_REGION)
              + ", a region in the AWS profile, or give one to CredentialManagerClient.builder().",
          Reason.NOT_CONFIGURED,
          null,
          e);
    }
  }

  private static @Nullable URI endpoint(Settings settings, Operation operation) {
    String value = settings.first(operation.variable(), Settings.ENDPOINT);
    if (value == null) {
      return null;
    }
    String name = operation.variable() + " or " + Settings.ENDPOINT;
    try {
      return checkEndpoint(new URI(value), name);
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException(name + " is not a URL.", e);
    }
  }

  /** Adds the operation's path, unless the endpoint was given with it. */
  private static URI withPath(URI endpoint, Operation operation) {
    String base = endpoint.toString().replaceAll("/+$", "");
    String path = "/" + operation.path();
    return URI.create(base.endsWith(path) ? base : base + path);
  }
}
