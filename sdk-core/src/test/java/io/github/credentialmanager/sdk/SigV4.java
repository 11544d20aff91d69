package io.github.credentialmanager.sdk;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.credentialmanager.sdk.LoopbackServer.Received;
import java.net.URLEncoder;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Checks an AWS Signature Version 4 as Lambda does, written from AWS's documentation ("Create a
 * signed AWS API request") and sharing no code with the signer.
 */
final class SigV4 {
  private static final Pattern AUTHORIZATION =
      Pattern.compile(
          "AWS4-HMAC-SHA256 Credential=([^/]+)/(\\d{8})/([^/]+)/([^/]+)/aws4_request, "
              + "SignedHeaders=([^,]+), Signature=([0-9a-f]{64})");

  /** What the signature was made for. */
  record Scope(String accessKeyId, String region, String service, String date) {}

  private SigV4() {}

  /** Fails unless the request's signature is this secret's; gives what it was made for. */
  static Scope verify(Received request, String secretKey) {
    String authorization = String.valueOf(request.header("Authorization"));
    Matcher parts = AUTHORIZATION.matcher(authorization);
    assertThat(parts.matches()).as("form of Authorization").isTrue();
    List<String> signed = Arrays.asList(parts.group(5).split(";"));
    assertThat(signed).contains("host", "x-amz-date", "x-amz-content-sha256").isSorted();
    String date = String.valueOf(request.header("x-amz-date"));
    assertThat(date).startsWith(parts.group(2));
    try {
      String payloadHash =
          HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(request.body()));
      assertThat(request.header("x-amz-content-sha256")).isEqualTo(payloadHash);
      String canonicalRequest =
          request.method()
              + "\n"
              + canonicalPath(request.uri().getRawPath())
              + "\n\n"
              + signed.stream()
                  .map(name -> name + ":" + String.valueOf(request.header(name)).strip() + "\n")
                  .collect(Collectors.joining())
              + "\n"
              + parts.group(5)
              + "\n"
              + payloadHash;
      String scope = parts.group(2) + "/" + parts.group(3) + "/" + parts.group(4) + "/aws4_request";
      String stringToSign =
          "AWS4-HMAC-SHA256\n"
              + date
              + "\n"
              + scope
              + "\n"
              + HexFormat.of()
                  .formatHex(
                      MessageDigest.getInstance("SHA-256")
                          .digest(canonicalRequest.getBytes(UTF_8)));
      byte[] key = ("AWS4" + secretKey).getBytes(UTF_8);
      for (String part : scope.split("/")) {
        key = hmac(key, part);
      }
      assertThat(parts.group(6))
          .as("signature over%n%s", canonicalRequest)
          .isEqualTo(HexFormat.of().formatHex(hmac(key, stringToSign)));
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
    return new Scope(parts.group(1), parts.group(3), parts.group(4), date);
  }

  /** Every segment encoded once more than it is in the request line; all services but S3. */
  private static String canonicalPath(String rawPath) {
    return Arrays.stream(rawPath.split("/", -1))
        .map(segment -> URLEncoder.encode(segment, UTF_8).replace("+", "%20").replace("%7E", "~"))
        .collect(Collectors.joining("/"));
  }

  private static byte[] hmac(byte[] key, String text) throws GeneralSecurityException {
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(key, "HmacSHA256"));
    return mac.doFinal(text.getBytes(UTF_8));
  }
}
