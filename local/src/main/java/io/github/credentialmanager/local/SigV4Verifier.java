package io.github.credentialmanager.local;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import java.io.ByteArrayOutputStream;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;

/**
 * Decides who signed a request with AWS Signature Version 4, as the service that receives it does.
 *
 * <p>A signature may come in the {@code Authorization} header or in the query (a presigned URL). It
 * is taken only if all of this holds:
 *
 * <ul>
 *   <li>the access key is known and the session token, if its credentials have one, is theirs;
 *   <li>the credential scope names this region, this service and the day of the request;
 *   <li>{@code host} and, in the header form, {@code x-amz-date} are signed;
 *   <li>the request is not older or newer than five minutes, or its own {@code X-Amz-Expires};
 *   <li>{@code x-amz-content-sha256}, if sent, is the hash of the body ({@code UNSIGNED-PAYLOAD} is
 *       refused, as Function URLs refuse it). Without that header the body's hash is signed all the
 *       same;
 *   <li>the signature is equal, compared in constant time.
 * </ul>
 *
 * <p>The canonical path is the path on the wire, percent-encoded once more: every service but S3
 * signs it so. Sources: "Create a signed AWS API request" in the IAM User Guide; the path rule was
 * measured with AWS's signers for Java and TypeScript.
 *
 * <p>Safe for use by multiple threads.
 */
final class SigV4Verifier {
  /** How far the clock of a signer may be off. */
  static final Duration TOLERANCE = Duration.ofMinutes(5);

  private static final String ALGORITHM = "AWS4-HMAC-SHA256";
  private static final Duration LONGEST_PRESIGNED = Duration.ofDays(7);
  private static final DateTimeFormatter AMZ_DATE =
      DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);
  private static final String MISMATCH =
      "The request signature we calculated does not match the signature you provided. Check your"
          + " AWS Secret Access Key and signing method. Consult the service documentation for"
          + " details.";

  private final String region;
  private final String service;
  private final boolean normalizesPath;
  private final boolean signsSessionToken;
  private final InstantSource clock;
  private final Function<String, Optional<AwsCredentials>> credentials;

  /**
   * @param normalizesPath whether dot segments and repeated slashes are removed before signing
   * @param signsSessionToken whether a presigned URL's token is part of what is signed
   * @param credentials by access key id
   */
  SigV4Verifier(
      String region,
      String service,
      boolean normalizesPath,
      boolean signsSessionToken,
      InstantSource clock,
      Function<String, Optional<AwsCredentials>> credentials) {
    this.region = requireNonNull(region, "region");
    this.service = requireNonNull(service, "service");
    this.normalizesPath = normalizesPath;
    this.signsSessionToken = signsSessionToken;
    this.clock = requireNonNull(clock, "clock");
    this.credentials = requireNonNull(credentials, "credentials");
  }

  /** A verifier with the rules of Lambda Function URLs. */
  static SigV4Verifier forFunctionUrls(
      String region, InstantSource clock, Function<String, Optional<AwsCredentials>> credentials) {
    return new SigV4Verifier(region, "lambda", true, true, clock, credentials);
  }

  /**
   * The access key id of whoever signed the request.
   *
   * @throws SignatureRefusedException if it is not signed, or not validly
   */
  String verify(SignedRequest request) throws SignatureRefusedException {
    Claim claim = Claim.of(request);
    checkScope(claim);
    AwsCredentials signer =
        credentials
            .apply(claim.accessKeyId)
            .orElseThrow(
                () ->
                    new SignatureRefusedException(
                        "UnrecognizedClientException",
                        "The security token included in the request is invalid."));
    checkSessionToken(claim, signer);
    checkSignedHeaders(claim);
    checkTime(claim);
    String payloadHash = payloadHash(request);
    byte[] expected =
        signature(signer.secretAccessKey(), claim, canonicalRequest(request, claim, payloadHash));
    if (!MessageDigest.isEqual(expected, claim.signature.getBytes(ISO_8859_1))) {
      throw mismatch();
    }
    return claim.accessKeyId;
  }

  private void checkScope(Claim claim) throws SignatureRefusedException {
    if (!claim.region.equals(region)) {
      throw invalid("Credential should be scoped to a valid region. ");
    }
    if (!claim.service.equals(service)) {
      throw invalid("Credential should be scoped to correct service: '" + service + "'. ");
    }
    if (!claim.terminator.equals("aws4_request")) {
      throw invalid("Credential should be scoped with a valid terminator: 'aws4_request'. ");
    }
    if (!claim.amzDate.startsWith(claim.scopeDate + "T")) {
      throw invalid(
          "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from"
              + " HTTP.");
    }
  }

  private static void checkSessionToken(Claim claim, AwsCredentials signer)
      throws SignatureRefusedException {
    String expected = signer instanceof AwsSessionCredentials session ? session.sessionToken() : "";
    String sent = claim.sessionToken == null ? "" : claim.sessionToken;
    if (!MessageDigest.isEqual(expected.getBytes(UTF_8), sent.getBytes(ISO_8859_1))) {
      throw new SignatureRefusedException(
          "UnrecognizedClientException", "The security token included in the request is invalid.");
    }
  }

  private static void checkSignedHeaders(Claim claim) throws SignatureRefusedException {
    if (!claim.signedHeaders.contains("host")) {
      throw invalid("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
    }
    if (!claim.presigned() && !claim.signedHeaders.contains("x-amz-date")) {
      throw invalid("'X-Amz-Date' must be a 'SignedHeader' in the AWS Authorization.");
    }
  }

  private void checkTime(Claim claim) throws SignatureRefusedException {
    Instant signed = parse(claim.amzDate);
    Instant now = clock.instant();
    Duration life = claim.expires == null ? TOLERANCE : claim.expires;
    if (now.isAfter(signed.plus(life))) {
      throw invalid(
          "Signature expired: %s is now earlier than %s (%s - %d min.)"
              .formatted(
                  claim.amzDate,
                  AMZ_DATE.format(now.minus(life)),
                  AMZ_DATE.format(now),
                  life.toMinutes()));
    }
    if (now.isBefore(signed.minus(TOLERANCE))) {
      throw invalid(
          "Signature not yet current: %s is still later than %s (%s + %d min.)"
              .formatted(
                  claim.amzDate,
                  AMZ_DATE.format(now.plus(TOLERANCE)),
                  AMZ_DATE.format(now),
                  TOLERANCE.toMinutes()));
    }
  }

  private static Instant parse(String amzDate) throws SignatureRefusedException {
    try {
      return AMZ_DATE.parse(amzDate, Instant::from);
    } catch (DateTimeException e) {
      throw new SignatureRefusedException(
          "IncompleteSignatureException",
          "Date must be in ISO-8601 'basic format'. See https://en.wikipedia.org/wiki/ISO_8601.");
    }
  }

  private static String payloadHash(SignedRequest request) throws SignatureRefusedException {
    String actual = HexFormat.of().formatHex(Sha256.of(request.body()));
    List<String> sent = request.values("x-amz-content-sha256");
    if (!sent.isEmpty() && !(sent.size() == 1 && sent.get(0).strip().equals(actual))) {
      throw mismatch();
    }
    return actual;
  }

  /** The text whose hash is signed. Visible to tests, which compare it with the published one. */
  String canonicalRequest(SignedRequest request, Claim claim, String payloadHash)
      throws SignatureRefusedException {
    StringBuilder text = new StringBuilder();
    text.append(request.method()).append('\n');
    text.append(canonicalPath(request.path())).append('\n');
    text.append(canonicalQuery(request.query(), claim)).append('\n');
    for (String name : claim.signedHeaders) {
      List<String> values = request.values(name);
      if (values.isEmpty()) {
        throw mismatch();
      }
      text.append(name).append(':');
      text.append(
          values.stream().map(SigV4Verifier::canonicalValue).collect(Collectors.joining(",")));
      text.append('\n');
    }
    text.append('\n').append(String.join(";", claim.signedHeaders)).append('\n');
    return text.append(payloadHash).toString();
  }

  private String canonicalPath(String path) throws SignatureRefusedException {
    if (!path.startsWith("/")) {
      throw mismatch();
    }
    return encode(normalizesPath ? normalize(path) : path, true);
  }

  /** Removes {@code .}, {@code ..} and empty segments, but keeps a slash at the end. */
  private static String normalize(String path) {
    Deque<String> kept = new ArrayDeque<>();
    String[] segments = path.split("/", -1);
    for (String segment : segments) {
      if (segment.equals("..")) {
        kept.pollLast();
      } else if (!segment.isEmpty() && !segment.equals(".")) {
        kept.addLast(segment);
      }
    }
    String last = segments[segments.length - 1];
    boolean directory = last.isEmpty() || last.equals(".") || last.equals("..");
    String joined = "/" + String.join("/", kept);
    return directory && !kept.isEmpty() ? joined + "/" : joined;
  }

  private String canonicalQuery(String query, Claim claim) throws SignatureRefusedException {
    List<Map.Entry<String, String>> encoded = new ArrayList<>();
    for (Map.Entry<String, String> parameter : parameters(query)) {
      String name = parameter.getKey();
      boolean unsigned =
          claim.presigned()
              && (name.equals("X-Amz-Signature")
                  || (name.equals("X-Amz-Security-Token") && !signsSessionToken));
      if (!unsigned) {
        encoded.add(Map.entry(encode(name, false), encode(parameter.getValue(), false)));
      }
    }
    encoded.sort(
        Map.Entry.<String, String>comparingByKey().thenComparing(Map.Entry.comparingByValue()));
    return encoded.stream()
        .map(parameter -> parameter.getKey() + "=" + parameter.getValue())
        .collect(Collectors.joining("&"));
  }

  private static List<Map.Entry<String, String>> parameters(String query)
      throws SignatureRefusedException {
    List<Map.Entry<String, String>> parameters = new ArrayList<>();
    for (String parameter : query.split("&", -1)) {
      if (!parameter.isEmpty()) {
        int equals = parameter.indexOf('=');
        String name = equals < 0 ? parameter : parameter.substring(0, equals);
        String value = equals < 0 ? "" : parameter.substring(equals + 1);
        parameters.add(Map.entry(decode(name), decode(value)));
      }
    }
    return parameters;
  }

  private static String canonicalValue(String value) {
    return value.strip().replaceAll("[ \\t\\r\\n]+", " ");
  }

  /** RFC 3986 percent-encoding of each char, which is a byte here, but the unreserved ones. */
  private static String encode(String bytes, boolean keepSlash) {
    StringBuilder encoded = new StringBuilder(bytes.length());
    for (int i = 0; i < bytes.length(); i++) {
      char c = bytes.charAt(i);
      boolean unreserved =
          (c >= 'A' && c <= 'Z')
              || (c >= 'a' && c <= 'z')
              || (c >= '0' && c <= '9')
              || c == '-'
              || c == '_'
              || c == '.'
              || c == '~'
              || (keepSlash && c == '/');
      if (unreserved) {
        encoded.append(c);
      } else {
        encoded.append('%').append(HexFormat.of().withUpperCase().toHexDigits((byte) c));
      }
    }
    return encoded.toString();
  }

  private static String decode(String text) throws SignatureRefusedException {
    if (text.indexOf('%') < 0) {
      return text;
    }
    ByteArrayOutputStream decoded = new ByteArrayOutputStream(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c != '%') {
        decoded.write(c);
      } else if (i + 2 < text.length()
          && HexFormat.isHexDigit(text.charAt(i + 1))
          && HexFormat.isHexDigit(text.charAt(i + 2))) {
        decoded.write(HexFormat.fromHexDigits(text, i + 1, i + 3));
        i += 2;
      } else {
        throw mismatch();
      }
    }
    return decoded.toString(ISO_8859_1);
  }

  /** The text that is signed. Visible to tests. */
  String stringToSign(Claim claim, String canonicalRequest) {
    return String.join(
        "\n",
        ALGORITHM,
        claim.amzDate,
        claim.scope(),
        HexFormat.of().formatHex(Sha256.of(canonicalRequest.getBytes(ISO_8859_1))));
  }

  private byte[] signature(String secretAccessKey, Claim claim, String canonicalRequest) {
    byte[] key = ("AWS4" + secretAccessKey).getBytes(UTF_8);
    for (String part : List.of(claim.scopeDate, claim.region, claim.service, claim.terminator)) {
      key = hmac(key, part);
    }
    byte[] signature = hmac(key, stringToSign(claim, canonicalRequest));
    return HexFormat.of().formatHex(signature).getBytes(ISO_8859_1);
  }

  private static byte[] hmac(byte[] key, String text) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(key, "HmacSHA256"));
      return mac.doFinal(text.getBytes(ISO_8859_1));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("HmacSHA256 is required of every Java platform", e);
    }
  }

  private static SignatureRefusedException mismatch() {
    return invalid(MISMATCH);
  }

  private static SignatureRefusedException invalid(String message) {
    return new SignatureRefusedException("InvalidSignatureException", message);
  }

  /** What a request says of its own signature, before any of it is believed. */
  static final class Claim {
    final String accessKeyId;
    final String scopeDate;
    final String region;
    final String service;
    final String terminator;
    final List<String> signedHeaders;
    final String signature;
    final String amzDate;
    final @Nullable String sessionToken;
    final @Nullable Duration expires;

    private Claim(
        String credential,
        String signedHeaders,
        String signature,
        String amzDate,
        @Nullable String sessionToken,
        @Nullable Duration expires)
        throws SignatureRefusedException {
      String[] parts = credential.split("/", -1);
      if (parts.length != 5) {
        throw incomplete(
            "Credential must have exactly 5 slash-delimited elements, e.g."
                + " keyid/date/region/service/term.");
      }
      this.accessKeyId = parts[0];
      this.scopeDate = parts[1];
      this.region = parts[2];
      this.service = parts[3];
      this.terminator = parts[4];
      this.signedHeaders = List.of(signedHeaders.split(";", -1));
      this.signature = signature;
      this.amzDate = amzDate;
      this.sessionToken = sessionToken;
      this.expires = expires;
    }

    static Claim of(SignedRequest request) throws SignatureRefusedException {
      List<String> authorization = request.values("authorization");
      Map<String, String> query = new HashMap<>();
      for (Map.Entry<String, String> parameter : parameters(request.query())) {
        if (parameter.getKey().startsWith("X-Amz-")
            && query.put(parameter.getKey(), parameter.getValue()) != null) {
          throw incomplete("A signature parameter was sent twice.");
        }
      }
      boolean presigned = query.containsKey("X-Amz-Algorithm");
      if (authorization.size() + (presigned ? 1 : 0) > 1) {
        throw incomplete("A request takes one signature.");
      }
      if (presigned) {
        return presigned(query);
      }
      if (authorization.isEmpty()) {
        throw new SignatureRefusedException(
            "MissingAuthenticationTokenException", "Missing Authentication Token");
      }
      return inHeader(request, authorization.get(0).strip());
    }

    private static Claim presigned(Map<String, String> query) throws SignatureRefusedException {
      if (!ALGORITHM.equals(query.get("X-Amz-Algorithm"))) {
        throw incomplete("Unsupported AWS 'algorithm'.");
      }
      Duration expires;
      try {
        expires = Duration.ofSeconds(Integer.parseInt(required(query, "X-Amz-Expires")));
      } catch (NumberFormatException e) {
        throw incomplete("X-Amz-Expires must be a number of seconds.");
      }
      if (expires.isNegative() || expires.compareTo(LONGEST_PRESIGNED) > 0) {
        throw incomplete("X-Amz-Expires must be at most a week.");
      }
      return new Claim(
          required(query, "X-Amz-Credential"),
          required(query, "X-Amz-SignedHeaders"),
          required(query, "X-Amz-Signature"),
          required(query, "X-Amz-Date"),
          query.get("X-Amz-Security-Token"),
          expires);
    }

    private static Claim inHeader(SignedRequest request, String authorization)
        throws SignatureRefusedException {
      if (!authorization.startsWith(ALGORITHM + " ")) {
        throw incomplete("Unsupported AWS 'algorithm'.");
      }
      Map<String, String> fields = new HashMap<>();
      for (String field : authorization.substring(ALGORITHM.length()).split(",", -1)) {
        int equals = field.indexOf('=');
        if (equals < 0
            || fields.put(field.substring(0, equals).strip(), field.substring(equals + 1).strip())
                != null) {
          throw incomplete("Authorization header is not a list of distinct key=value pairs.");
        }
      }
      String date =
          request
              .value("x-amz-date")
              .orElseThrow(
                  () -> incomplete("Authorization header requires existence of 'X-Amz-Date'."));
      return new Claim(
          required(fields, "Credential"),
          required(fields, "SignedHeaders"),
          required(fields, "Signature"),
          date,
          request.value("x-amz-security-token").orElse(null),
          null);
    }

    private static String required(Map<String, String> fields, String name)
        throws SignatureRefusedException {
      String value = fields.get(name);
      if (value == null || value.isEmpty()) {
        throw incomplete("Authorization requires '" + name + "' parameter.");
      }
      return value;
    }

    private static SignatureRefusedException incomplete(String message) {
      return new SignatureRefusedException("IncompleteSignatureException", message);
    }

    boolean presigned() {
      return expires != null;
    }

    String scope() {
      return String.join("/", scopeDate, region, service, terminator);
    }
  }
}
