package io.github.credentialmanager.ops;

import io.github.credentialmanager.ops.KeyManagerException.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.http.ContentStreamProvider;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.HttpExecuteResponse;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.auth.aws.signer.AwsV4HttpSigner;
import software.amazon.awssdk.http.auth.spi.signer.SignedRequest;
import software.amazon.awssdk.identity.spi.AwsCredentialsIdentity;

/**
 * Sends single requests signed with Signature Version 4: to Function URLs, and to the two AWS APIs
 * of which this tool needs one call each.
 *
 * <p>Redirects are not followed. Plain http is for loopback addresses alone, because session tokens
 * travel in a header.
 */
final class SignedHttp {
  private static final int LARGEST_BODY = 1 << 20;

  private final AwsV4HttpSigner signer = AwsV4HttpSigner.create();
  private final SdkHttpClient http;
  private final AwsCredentialsProvider credentials;
  private final String region;
  private final Consumer<String> trace;

  /** An answer, at most a mebibyte of it. */
  record Response(int status, Map<String, List<String>> headers, byte[] body) {
    Optional<String> header(String name) {
      return headers.entrySet().stream()
          .filter(header -> name.equalsIgnoreCase(header.getKey()))
          .flatMap(header -> header.getValue().stream())
          .findFirst();
    }
  }

  /**
   * @param trace is told each call, its status and request id
   */
  SignedHttp(
      SdkHttpClient http,
      AwsCredentialsProvider credentials,
      String region,
      Consumer<String> trace) {
    this.http = http;
    this.credentials = credentials;
    this.region = region;
    this.trace = trace;
  }

  /**
   * @param call what is called, an IAM action mostly
   * @param service the signing name, for example {@code lambda}
   * @throws IOException if there was no answer
   * @throws KeyManagerException if the address is not to be trusted
   */
  Response send(
      String call,
      SdkHttpMethod method,
      URI uri,
      String service,
      Map<String, String> headers,
      byte[] body)
      throws IOException {
    if (!Loopback.isSecure(uri)) {
      throw new KeyManagerException(
          Reason.BAD_CONFIGURATION, "Not https: %s: give an https URL".formatted(uri));
    }
    SdkHttpRequest.Builder request = SdkHttpRequest.builder().method(method).uri(uri);
    headers.forEach(request::putHeader);
    AwsCredentialsIdentity identity = credentials.resolveCredentials();
    SignedRequest signed =
        signer.sign(
            b ->
                b.identity(identity)
                    .request(request.build())
                    .payload(ContentStreamProvider.fromByteArray(body))
                    .putProperty(AwsV4HttpSigner.SERVICE_SIGNING_NAME, service)
                    .putProperty(AwsV4HttpSigner.REGION_NAME, region));
    HttpExecuteRequest.Builder execute = HttpExecuteRequest.builder().request(signed.request());
    if (body.length > 0) { // with any body at all, the JDK's connection would make a GET a POST
      execute.contentStreamProvider(signed.payload().orElseThrow());
    }
    HttpExecuteResponse executed = http.prepareRequest(execute.build()).call();
    Response response =
        new Response(
            executed.httpResponse().statusCode(),
            executed.httpResponse().headers(),
            body(executed));
    trace.accept(
        "%s %d %s"
            .formatted(call, response.status(), response.header("x-amzn-requestid").orElse("")));
    return response;
  }

  private static byte[] body(HttpExecuteResponse response) throws IOException {
    if (response.responseBody().isEmpty()) {
      return new byte[0];
    }
    try (InputStream body = response.responseBody().get()) {
      return body.readNBytes(LARGEST_BODY);
    }
  }
}
