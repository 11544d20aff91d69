package io.github.credentialmanager.local;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.net.URI;
import java.security.MessageDigest;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.http.ContentStreamProvider;
import software.amazon.awssdk.http.SdkHttpFullRequest;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.auth.aws.signer.AwsV4FamilyHttpSigner;
import software.amazon.awssdk.http.auth.aws.signer.AwsV4FamilyHttpSigner.AuthLocation;
import software.amazon.awssdk.http.auth.aws.signer.AwsV4HttpSigner;
import software.amazon.awssdk.http.auth.spi.signer.HttpSigner;
import software.amazon.awssdk.http.auth.spi.signer.SignRequest;

class SigV4VerifierTest {
  private static final Instant NOW = Instant.parse("2026-11-23T08:51:02Z");
  private static final AwsSessionCredentials CALLER =
      AwsSessionCredentials.create(
          "ASIAEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "t/o=");
  private static final AwsBasicCredentials USER =
      AwsBasicCredentials.create("AKIAEXAMPLE", "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY");

  private final SigV4Verifier verifier = verifierAt(NOW);

  private static SigV4Verifier verifierAt(Instant now) {
    return SigV4Verifier.forFunctionUrls(
        "us-east-1",
        () -> now,
        id ->
            switch (id) {
              case "ASIAEXAMPLE" -> Optional.of(CALLER);
              case "AKIAEXAMPLE" -> Optional.of(USER);
              default -> Optional.empty();
            });
  }

  @Nested
  class OnThePublishedCases {
    @ParameterizedTest
    @MethodSource("io.github.credentialmanager.local.SigV4Suite#cases")
    void computesTheSameTexts(SigV4Suite.Case published) throws Exception {
      SignedRequest request = published.signedRequest();
      SigV4Verifier verifier = published.verifier();
      SigV4Verifier.Claim claim = SigV4Verifier.Claim.of(request);

      String canonical = verifier.canonicalRequest(request, claim, sha256(request.body()));

      assertThat(canonical).isEqualTo(published.text("canonical-request"));
      assertThat(verifier.stringToSign(claim, canonical))
          .isEqualTo(published.text("string-to-sign"));
    }

    @ParameterizedTest
    @MethodSource("io.github.credentialmanager.local.SigV4Suite#cases")
    void acceptsThePublishedSignature(SigV4Suite.Case published) throws Exception {
      SignedRequest request = published.signedRequest();
      assertThat(SigV4Verifier.Claim.of(request).signature)
          .isEqualTo(published.text("signature").strip());

      assertThat(published.verifier().verify(request)).isEqualTo("AKIDEXAMPLE");
    }

    @ParameterizedTest
    @MethodSource("io.github.credentialmanager.local.SigV4Suite#cases")
    void refusesItWithAnyOneBitChanged(SigV4Suite.Case published) {
      SignedRequest request = published.signedRequest();
      List<SignedRequest> changed = new ArrayList<>();
      flip(request.method(), method -> changed.add(with(request, method, request.target())));
      // A path that is normalized means the same written otherwise; its query does not.
      boolean rewritten = published.normalizes() && request.path().matches(".*(//|/\\.).*");
      int from = rewritten ? request.path().length() : 0;
      flip(
          request.target().substring(from),
          rest ->
              changed.add(
                  with(request, request.method(), request.target().substring(0, from) + rest)));
      for (int i = 0; i < request.headers().size(); i++) {
        int index = i;
        flip(
            request.headers().get(i).value(),
            value -> changed.add(withHeader(request, index, value)));
      }
      flip(
          new String(request.body(), ISO_8859_1),
          body ->
              changed.add(
                  new SignedRequest(
                      request.method(),
                      request.target(),
                      request.headers(),
                      body.getBytes(ISO_8859_1))));

      assertThat(changed.size()).isGreaterThan(300);
      assertThat(changed.stream().filter(mutant -> accepts(published.verifier(), mutant)))
          .isEmpty();
    }

    /** Each way to flip a bit of a text, but those after which it means the same. */
    private void flip(String text, Consumer<String> changed) {
      for (int i = 0; i < text.length(); i++) {
        char c = text.charAt(i);
        boolean foldable = Character.isWhitespace(c);
        boolean escape =
            (i >= 1 && text.charAt(i - 1) == '%') || (i >= 2 && text.charAt(i - 2) == '%');
        for (int bit = 1; bit < 256; bit <<= 1) {
          boolean sameDigit = escape && Character.isLetter(c) && bit == 0x20;
          if (!foldable && !sameDigit) {
            changed.accept(text.substring(0, i) + (char) (c ^ bit) + text.substring(i + 1));
          }
        }
      }
    }

    private SignedRequest with(SignedRequest request, String method, String target) {
      return new SignedRequest(method, target, request.headers(), request.body());
    }

    private SignedRequest withHeader(SignedRequest request, int index, String value) {
      List<SignedRequest.Header> headers = new ArrayList<>(request.headers());
      headers.set(index, new SignedRequest.Header(headers.get(index).name(), value));
      return new SignedRequest(request.method(), request.target(), headers, request.body());
    }
  }

  @Nested
  class OnWhatTheAwsSdkSigns {
    @Test
    void acceptsRequestsOfEveryShape() throws Exception {
      Random random = new Random(20261123);
      for (int i = 0; i < 2_000; i++) {
        SignedRequest request = randomRequest(random);

        assertThat(verifier.verify(request)).isIn("ASIAEXAMPLE", "AKIAEXAMPLE");
      }
    }

    @Test
    void refusesThemWithAnotherBody() {
      Random random = new Random(7);
      for (int i = 0; i < 500; i++) {
        SignedRequest request = randomRequest(random);
        byte[] body = (new String(request.body(), UTF_8) + " ").getBytes(UTF_8);

        assertRefused(
            new SignedRequest(request.method(), request.target(), request.headers(), body),
            "InvalidSignatureException",
            "The request signature we calculated does not match");
      }
    }

    @Test
    void acceptsAPresignedUrl() throws Exception {
      SignedRequest request =
          sign(
              post("/tokens/app", "{}"),
              "{}",
              CALLER,
              signing ->
                  signing
                      .putProperty(AwsV4HttpSigner.AUTH_LOCATION, AuthLocation.QUERY_STRING)
                      .putProperty(AwsV4HttpSigner.EXPIRATION_DURATION, Duration.ofMinutes(20)));

      assertThat(verifier.verify(request)).isEqualTo("ASIAEXAMPLE");
      assertThat(verifierAt(NOW.plus(Duration.ofMinutes(20))).verify(request))
          .isEqualTo("ASIAEXAMPLE");
      assertRefused(
          verifierAt(NOW.plus(Duration.ofMinutes(21))),
          request,
          "InvalidSignatureException",
          "Signature expired");
    }

    private SignedRequest randomRequest(Random random) {
      String body = randomText(random, random.nextInt(40));
      SdkHttpFullRequest.Builder request =
          SdkHttpFullRequest.builder()
              .method(random.nextBoolean() ? SdkHttpMethod.POST : SdkHttpMethod.GET)
              .uri(URI.create("http://127.0.0.1:" + (1024 + random.nextInt(60_000))))
              .encodedPath(randomPath(random));
      for (int i = random.nextInt(4); i > 0; i--) {
        request.appendRawQueryParameter(
            "q" + randomText(random, random.nextInt(5)), randomText(random, random.nextInt(9)));
      }
      for (int i = random.nextInt(5); i > 0; i--) {
        String name = "X-Header-" + (char) ('a' + random.nextInt(4));
        request.appendHeader(name, " a " + " ".repeat(random.nextInt(3)) + random.nextInt(99));
      }
      return sign(request.build(), body, random.nextBoolean() ? CALLER : USER, signing -> {});
    }

    private String randomPath(Random random) {
      StringBuilder path = new StringBuilder();
      for (int i = 1 + random.nextInt(4); i > 0; i--) {
        path.append('/').append("seg").append(random.nextInt(100));
        path.append(
            List.of("", "%20", "%E1%88%B4", "~", "%2F", "+", "@", "...").get(random.nextInt(8)));
      }
      return random.nextBoolean() ? path + "/" : path.toString();
    }

    private String randomText(Random random, int length) {
      return random
          .ints(length, 0x20, 0x2fff)
          .filter(Character::isLetterOrDigit)
          .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
          .append(length > 3 ? "a b&c=d/e+f%" : "")
          .toString();
    }
  }

  @Nested
  class OnTheClock {
    @ParameterizedTest
    @ValueSource(longs = {-300, -1, 0, 1, 300})
    void acceptsFiveMinutesEitherWay(long seconds) throws Exception {
      SignedRequest request = sign(post("/tokens/app", "{}"), "{}");

      assertThat(verifierAt(NOW.plusSeconds(seconds)).verify(request)).isEqualTo("ASIAEXAMPLE");
    }

    @ParameterizedTest
    @CsvSource({"301, Signature expired: ", "-301, Signature not yet current: "})
    void refusesMore(long seconds, String message) {
      SignedRequest request = sign(post("/tokens/app", "{}"), "{}");

      assertRefused(
          verifierAt(NOW.plusSeconds(seconds)), request, "InvalidSignatureException", message);
    }
  }

  @Nested
  class OnCredentials {
    @Test
    void refusesAnUnknownAccessKey() {
      assertRefused(
          sign(post("/", ""), "", AwsBasicCredentials.create("AKIAOTHER", "secret"), signing -> {}),
          "UnrecognizedClientException",
          "The security token included in the request is invalid.");
    }

    @Test
    void refusesTheWrongSecret() {
      assertRefused(
          sign(
              post("/", ""),
              "",
              AwsBasicCredentials.create("AKIAEXAMPLE", "secret"),
              signing -> {}),
          "InvalidSignatureException",
          "The request signature we calculated does not match");
    }

    @Test
    void refusesAnotherSessionToken() {
      assertRefused(
          sign(
              post("/", ""),
              "",
              AwsSessionCredentials.create("ASIAEXAMPLE", CALLER.secretAccessKey(), "t/o"),
              signing -> {}),
          "UnrecognizedClientException",
          "security token");
    }

    @Test
    void refusesAMissingSessionToken() {
      assertRefused(
          sign(
              post("/", ""),
              "",
              AwsBasicCredentials.create("ASIAEXAMPLE", CALLER.secretAccessKey()),
              signing -> {}),
          "UnrecognizedClientException",
          "security token");
    }

    @Test
    void refusesATokenWhereNoneIsDue() {
      assertRefused(
          sign(
              post("/", ""),
              "",
              AwsSessionCredentials.create("AKIAEXAMPLE", USER.secretAccessKey(), "t/o="),
              signing -> {}),
          "UnrecognizedClientException",
          "security token");
    }

    @Test
    void neverRepeatsWhatWasSent() {
      SignedRequest request = sign(post("/", ""), "");
      SignedRequest changed =
          new SignedRequest("PUT", request.target(), request.headers(), request.body());

      assertThatExceptionOfType(SignatureRefusedException.class)
          .isThrownBy(() -> verifier.verify(changed))
          .satisfies(
              refused ->
                  assertThat(refused.toString())
                      .doesNotContain("t/o=", CALLER.secretAccessKey(), "ASIAEXAMPLE"));
    }
  }

  @Nested
  class OnTheSignature {
    @Test
    void refusesARequestWithoutOne() {
      assertRefused(
          new SignedRequest("POST", "/", List.of(), new byte[0]),
          "MissingAuthenticationTokenException",
          "Missing Authentication Token");
    }

    @ParameterizedTest
    @CsvSource({
      "AWS4-HMAC-SHA512 Credential=a/b/c/d/e, Unsupported AWS 'algorithm'",
      "Bearer abc, Unsupported AWS 'algorithm'",
      "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, requires 'SignedHeaders'",
      "AWS4-HMAC-SHA256 nonsense, not a list",
      "AWS4-HMAC-SHA256 Credential=a;Credential=b, requires 'SignedHeaders'",
      "'AWS4-HMAC-SHA256 Credential=a,Credential=b', not a list of distinct",
      "'AWS4-HMAC-SHA256 Credential=a/b,SignedHeaders=host,Signature=00', exactly 5",
    })
    void refusesAMalformedOne(String authorization, String message) {
      assertRefused(
          new SignedRequest(
              "POST",
              "/",
              List.of(
                  new SignedRequest.Header("Authorization", authorization),
                  new SignedRequest.Header("X-Amz-Date", "20261123T085102Z")),
              new byte[0]),
          "IncompleteSignatureException",
          message);
    }

    @Test
    void refusesTwo() {
      SignedRequest request = sign(post("/", ""), "");
      List<SignedRequest.Header> headers = new ArrayList<>(request.headers());
      headers.add(new SignedRequest.Header("authorization", "AWS4-HMAC-SHA256 x=y"));

      assertRefused(
          new SignedRequest("POST", "/", headers, new byte[0]),
          "IncompleteSignatureException",
          "one signature");
    }

    @ParameterizedTest
    @CsvSource({
      "lambda, eu-west-1, scoped to a valid region",
      "execute-api, us-east-1, scoped to correct service: 'lambda'",
    })
    void refusesAnotherScope(String service, String region, String message) {
      assertRefused(
          sign(
              post("/", ""),
              "",
              CALLER,
              signing ->
                  signing
                      .putProperty(AwsV4FamilyHttpSigner.SERVICE_SIGNING_NAME, service)
                      .putProperty(AwsV4HttpSigner.REGION_NAME, region)),
          "InvalidSignatureException",
          message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"host", "x-amz-date"})
    void requiresTheHeadersThatBindIt(String header) {
      SignedRequest request = sign(post("/", ""), "");
      List<SignedRequest.Header> headers =
          request.headers().stream()
              .map(
                  it ->
                      new SignedRequest.Header(
                          it.name(), it.value().replaceAll("(?<=[=;])" + header + "(;|(?=,))", "")))
              .toList();

      assertRefused(
          new SignedRequest("POST", "/", headers, new byte[0]),
          "InvalidSignatureException",
          "must be a 'SignedHeader'");
    }

    @Test
    void refusesAnUnsignedPayload() {
      assertRefused(
          sign(
              SdkHttpFullRequest.builder()
                  .method(SdkHttpMethod.POST)
                  .uri(URI.create("https://localhost/"))
                  .build(),
              "{}",
              CALLER,
              signing -> signing.putProperty(AwsV4HttpSigner.PAYLOAD_SIGNING_ENABLED, false)),
          "InvalidSignatureException",
          "The request signature we calculated does not match");
    }
  }

  private void assertRefused(SignedRequest request, String errorType, String message) {
    assertRefused(verifier, request, errorType, message);
  }

  private static void assertRefused(
      SigV4Verifier verifier, SignedRequest request, String errorType, String message) {
    assertThatExceptionOfType(SignatureRefusedException.class)
        .isThrownBy(() -> verifier.verify(request))
        .withMessageContaining(message)
        .satisfies(refused -> assertThat(refused.errorType()).isEqualTo(errorType));
  }

  private static boolean accepts(SigV4Verifier verifier, SignedRequest request) {
    try {
      verifier.verify(request);
      return true;
    } catch (SignatureRefusedException e) {
      return false;
    }
  }

  private static SdkHttpFullRequest post(String path, String body) {
    return SdkHttpFullRequest.builder()
        .method(SdkHttpMethod.POST)
        .uri(URI.create("http://127.0.0.1:8787"))
        .encodedPath(path)
        .putHeader("content-type", "application/json")
        .putHeader("content-length", String.valueOf(body.length()))
        .build();
  }

  private static SignedRequest sign(SdkHttpRequest request, String body) {
    return sign(request, body, CALLER, signing -> {});
  }

  /** Signs with the AWS SDK and reads the result back as a server sees it. */
  private static SignedRequest sign(
      SdkHttpRequest request,
      String body,
      AwsCredentials credentials,
      Consumer<SignRequest.Builder<AwsCredentials>> customized) {
    byte[] payload = body.getBytes(UTF_8);
    SdkHttpRequest signed =
        AwsV4HttpSigner.create()
            .sign(
                signing -> {
                  signing
                      .identity(credentials)
                      .request(request)
                      .payload(ContentStreamProvider.fromByteArray(payload))
                      .putProperty(AwsV4FamilyHttpSigner.SERVICE_SIGNING_NAME, "lambda")
                      .putProperty(AwsV4HttpSigner.REGION_NAME, "us-east-1")
                      .putProperty(HttpSigner.SIGNING_CLOCK, Clock.fixed(NOW, ZoneOffset.UTC));
                  customized.accept(uncheckedCast(signing));
                })
            .request();
    List<SignedRequest.Header> headers = new ArrayList<>();
    signed.forEachHeader(
        (name, values) ->
            values.forEach(
                value ->
                    headers.add(new SignedRequest.Header(name.toUpperCase(Locale.ROOT), value))));
    String query = signed.encodedQueryParameters().map(text -> "?" + text).orElse("");
    return new SignedRequest(
        signed.method().name(), signed.encodedPath() + query, headers, payload);
  }

  @SuppressWarnings("unchecked")
  private static SignRequest.Builder<AwsCredentials> uncheckedCast(SignRequest.Builder<?> builder) {
    return (SignRequest.Builder<AwsCredentials>) builder;
  }

  private static String sha256(byte[] bytes) throws Exception {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
  }
}
