package io.github.credentialmanager.local;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.http.ContentStreamProvider;
import software.amazon.awssdk.http.SdkHttpFullRequest;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.auth.aws.signer.AwsV4FamilyHttpSigner;
import software.amazon.awssdk.http.auth.aws.signer.AwsV4HttpSigner;
import software.amazon.awssdk.http.auth.spi.signer.HttpSigner;

/** Sends requests signed by the AWS SDK's signer, or changed after they were signed. */
final class SignedHttp {
  private static final HttpClient HTTP = HttpClient.newHttpClient();
  private static final Set<String> SET_BY_THE_CLIENT = Set.of("host", "content-length");

  private SignedHttp() {}

  static HttpResponse<String> post(URI uri, String body, AwsCredentials as, Instant at)
      throws Exception {
    return post(uri, body, body, as, at);
  }

  static HttpResponse<String> post(
      URI uri, String signedBody, String sentBody, AwsCredentials as, Instant at) throws Exception {
    return send(
        "POST", uri, signedBody, sentBody, as, at, Map.of("content-type", "application/json"));
  }

  static HttpResponse<String> send(
      String method,
      URI uri,
      String signedBody,
      String sentBody,
      AwsCredentials as,
      Instant at,
      Map<String, String> headers)
      throws Exception {
    SdkHttpFullRequest.Builder unsigned =
        SdkHttpFullRequest.builder().method(SdkHttpMethod.fromValue(method)).uri(uri);
    headers.forEach(unsigned::putHeader);
    SdkHttpRequest signed =
        AwsV4HttpSigner.create()
            .sign(
                signing ->
                    signing
                        .identity(as)
                        .request(unsigned.build())
                        .payload(ContentStreamProvider.fromByteArray(signedBody.getBytes(UTF_8)))
                        .putProperty(AwsV4FamilyHttpSigner.SERVICE_SIGNING_NAME, "lambda")
                        .putProperty(AwsV4HttpSigner.REGION_NAME, "us-east-1")
                        .putProperty(HttpSigner.SIGNING_CLOCK, Clock.fixed(at, ZoneOffset.UTC)))
            .request();
    HttpRequest.Builder request =
        HttpRequest.newBuilder(uri).method(method, HttpRequest.BodyPublishers.ofString(sentBody));
    signed.forEachHeader(
        (name, values) -> {
          if (!SET_BY_THE_CLIENT.contains(name.toLowerCase(Locale.ROOT))) {
            values.forEach(value -> request.header(name, value));
          }
        });
    return HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }
}
