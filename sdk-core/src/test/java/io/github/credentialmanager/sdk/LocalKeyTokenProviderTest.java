package io.github.credentialmanager.sdk;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.credentialmanager.sdk.LoopbackServer.Received;
import io.github.credentialmanager.sdk.LoopbackServer.Reply;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.NoSuchAlgorithmException;
import java.security.PrivateKey;
import java.security.Signature;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class LocalKeyTokenProviderTest {
  private static final TokenRequest REQUEST = TokenRequest.installation(1001, "O_x");
  private static final KeyPair KEY = rsa(2048);

  /** Length of what PKCS#8 puts before the PKCS#1 of a 2048-bit key. */
  private static final int PKCS8_PREFIX = 26;

  private final LoopbackServer gitHub = new LoopbackServer();
  private final ManualTime time = new ManualTime();

  @TempDir Path directory;

  private Path pem = Path.of("unset");
  private LocalKeyTokenProvider provider = new LocalKeyTokenProvider(1001, pem, gitHub.url(), time);

  @BeforeEach
  void start() throws IOException {
    pem = directory.resolve("app.pem");
    Files.writeString(pem, pkcs1(KEY.getPrivate()));
    provider = new LocalKeyTokenProvider(1001, pem, gitHub.url(), time);
  }

  @AfterEach
  void close() {
    gitHub.close();
  }

  private static KeyPair rsa(int bits) {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
      generator.initialize(bits);
      return generator.generateKeyPair();
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  private static String pem(String type, byte[] der) {
    return "-----BEGIN %s-----\n%s\n-----END %s-----\n"
        .formatted(type, Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der), type);
  }

  private static String pkcs8(PrivateKey key) {
    return pem("PRIVATE KEY", key.getEncoded());
  }

  private static String pkcs1(PrivateKey key) {
    byte[] pkcs8 = key.getEncoded();
    return pem("RSA PRIVATE KEY", Arrays.copyOfRange(pkcs8, PKCS8_PREFIX, pkcs8.length));
  }

  private LocalKeyTokenProviderTest knowsInstallation(int id) {
    gitHub.next(
        Reply.json(
            """
            [{"id":1,"account":null},{"id":2,"account":{"node_id":"O_other"},"suspended_at":null},
             {"id":%d,"account":{"login":"x","node_id":"O_x","id":9},"permissions":{"a":"read"}}]
            """
                .formatted(id)));
    return this;
  }

  private static Reply minted(String token) {
    return Reply.of(
        201,
        """
        {"token":"%s","expires_at":"2026-11-23T09:51:02Z","permissions":{"contents":"read"},
         "repository_selection":"selected","repositories":[{"id":7,"name":"Api","owner":{"id":1}}]}
        """
            .formatted(token));
  }

  private <T extends CredentialManagerException> T failure(Class<T> type) {
    return catchThrowableOfType(type, () -> provider.getToken(REQUEST));
  }

  @Nested
  class TheAppsOwnToken {
    @Test
    void isAJwtThatGitHubCanVerify() throws Exception {
      AccessToken token = provider.getToken(TokenRequest.app(1001));
      String[] parts = token.secret().reveal().split("\\.", -1);
      Signature signature = Signature.getInstance("SHA256withRSA");
      signature.initVerify(KEY.getPublic());
      signature.update((parts[0] + "." + parts[1]).getBytes(US_ASCII));
      assertThat(signature.verify(Base64.getUrlDecoder().decode(parts[2]))).isTrue();
      assertThat(json(parts[0])).hasToString("{\"alg\":\"RS256\",\"typ\":\"JWT\"}");
      JsonNode claims = json(parts[1]);
      long now = ManualTime.START.getEpochSecond();
      assertThat(claims.get("iat").asLong()).isEqualTo(now - 60);
      assertThat(claims.get("exp").asLong()).isEqualTo(now + 480);
      assertThat(claims.get("iss").asText()).isEqualTo("1001");
      assertThat(token.expirationTime()).isEqualTo(ManualTime.START.plusSeconds(470));
      assertThat(token.nodeId()).isEmpty();
      assertThat(gitHub.received()).isEmpty();
    }

    @Test
    void differsFromAnotherOfTheSameSecond() {
      assertThat(provider.getToken(TokenRequest.app(1001)).hash())
          .isNotEqualTo(provider.getToken(TokenRequest.app(1001)).hash());
    }

    private JsonNode json(String part) throws IOException {
      return new ObjectMapper().readTree(Base64.getUrlDecoder().decode(part));
    }
  }

  @Nested
  class TheKeyFile {
    @Test
    void mayBePkcs8() throws IOException {
      Files.writeString(pem, "\r\n" + pkcs8(KEY.getPrivate()).replace("\n", "\r\n"));
      provider.getToken(TokenRequest.app(1001));
    }

    @Test
    void isReadAnewForEachToken() throws IOException {
      provider.getToken(TokenRequest.app(1001));
      Files.delete(pem);
      assertThatExceptionOfType(TokenDeniedException.class)
          .isThrownBy(() -> provider.getToken(TokenRequest.app(1001)))
          .withMessageContaining(pem.toString())
          .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.NOT_CONFIGURED));
    }

    @Test
    void isRefusedWithoutBeingQuotedIfItIsSomethingElse() throws Exception {
      KeyPairGenerator ec = KeyPairGenerator.getInstance("EC");
      String good = pkcs8(KEY.getPrivate());
      byte[] trailing =
          Arrays.copyOf(KEY.getPrivate().getEncoded(), KEY.getPrivate().getEncoded().length + 3);
      for (String content :
          new String[] {
            "",
            "MIIEvgIBADANBgkqhkiG9w0BAQ",
            good + good,
            good.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"),
            good.replace("-----\nMII", "-----\nProc-Type: 4,ENCRYPTED\n\nMII"),
            good.replace("MII", "MI!"),
            good.substring(0, 400) + "\n-----END PRIVATE KEY-----\n",
            pem("PRIVATE KEY", trailing),
            pkcs8(ec.generateKeyPair().getPrivate()),
            pkcs8(rsa(1024).getPrivate()),
            pem("PUBLIC KEY", KEY.getPublic().getEncoded())
          }) {
        Files.writeString(pem, content);
        TokenDeniedException e =
            catchThrowableOfType(
                TokenDeniedException.class, () -> provider.getToken(TokenRequest.app(1001)));
        assertThat(e).as("a file of %d characters", content.length()).isNotNull();
        assertThat(e.reason()).isEqualTo(Reason.NOT_CONFIGURED);
        StringWriter trace = new StringWriter();
        e.printStackTrace(new PrintWriter(trace));
        assertThat(trace.toString()).doesNotContain("MII", good.substring(100, 130));
      }
    }

    @Test
    void isOneAppsAlone() {
      assertThatExceptionOfType(TokenDeniedException.class)
          .isThrownBy(() -> provider.getToken(TokenRequest.app(1002)))
          .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.APP_NOT_REGISTERED));
    }
  }

  @Nested
  class AnInstallationsToken {
    @Test
    void isMintedForTheInstallationOnThatAccount() {
      knowsInstallation(7001);
      gitHub.next(minted("ghs_1"));
      AccessToken token = provider.getToken(REQUEST);
      assertThat(token.secret().reveal()).isEqualTo("ghs_1");
      assertThat(token.expirationTime()).isEqualTo("2026-11-23T09:51:02Z");
      assertThat(token.nodeId()).contains("O_x");
      assertThat(token.grantedScope())
          .contains(Scope.builder().read("contents").repositories("api").repositoryIds(7).build());
      assertThat(gitHub.received())
          .extracting(request -> request.method() + " " + request.uri())
          .containsExactly(
              "GET /app/installations?per_page=100", "POST /app/installations/7001/access_tokens");
      assertThat(gitHub.received())
          .allSatisfy(
              request -> assertThat(request.header("Authorization")).startsWith("Bearer ey"));
    }

    @Test
    void isNarrowedToTheScope() {
      knowsInstallation(7001);
      gitHub.next(minted("ghs_1"));
      Scope scope = Scope.builder().repositories("API").repositoryIds(7).write("issues").build();
      provider.getToken(TokenRequest.installation(1001, "O_x", scope));
      assertThat(gitHub.received().get(1).text())
          .isEqualTo(
              "{\"repositories\":[\"api\"],\"repository_ids\":[7],\"permissions\":{\"issues\":\"write\"}}");
    }

    @Test
    void needsTheListOnlyOnce() {
      knowsInstallation(7001);
      gitHub.next(minted("ghs_1")).next(minted("ghs_2"));
      provider.getToken(REQUEST);
      provider.getToken(REQUEST);
      assertThat(gitHub.received()).hasSize(3);
    }

    @Test
    void isFoundOnALaterPage() {
      gitHub.next(
          Reply.json("[{\"id\":1,\"account\":{\"node_id\":\"O_other\"}}]")
              .with(
                  "Link",
                  "<%s/app/installations?page=1>; rel=\"prev\", <%s/app/installations?page=2>; rel=\"next\""
                      .formatted(gitHub.url(), gitHub.url())));
      knowsInstallation(7001);
      gitHub.next(minted("ghs_1"));
      provider.getToken(REQUEST);
      assertThat(gitHub.received().get(1).uri()).hasToString("/app/installations?page=2");
    }

    @Test
    void isNotLookedForOnAPageElsewhere() {
      try (LoopbackServer elsewhere = new LoopbackServer()) {
        gitHub.next(
            Reply.json("[]")
                .with("Link", "<" + elsewhere.url() + "/app/installations>; rel=\"next\""));
        assertThat(failure(TokenUnavailableException.class).reason())
            .isEqualTo(Reason.UNEXPECTED_ANSWER);
        assertThat(elsewhere.received()).isEmpty();
      }
    }

    @Test
    void isLookedForOnceMoreAfterAReinstallation() {
      knowsInstallation(7001);
      gitHub.next(minted("ghs_1")).next(Reply.of(404, "{\"message\":\"Not Found\"}"));
      knowsInstallation(7002);
      gitHub.next(minted("ghs_2"));
      provider.getToken(REQUEST);
      assertThat(provider.getToken(REQUEST).secret().reveal()).isEqualTo("ghs_2");
      assertThat(gitHub.received())
          .extracting(Received::path)
          .endsWith("/app/installations/7002/access_tokens");
    }

    @Test
    void isDeniedIfTheAppIsNotInstalledThere() {
      gitHub.next(Reply.json("[]"));
      assertThat(failure(TokenDeniedException.class).reason())
          .isEqualTo(Reason.INSTALLATION_NOT_FOUND);
    }

    @Test
    void livesNoLongerThanGitHubSays() {
      knowsInstallation(7001);
      gitHub.next(minted("ghs_1"));
      assertThatExceptionOfType(TokenDeniedException.class)
          .isThrownBy(() -> provider.getToken(REQUEST.withMinRemaining(Duration.ofHours(2))));
    }
  }

  @Nested
  class WhenGitHubRefuses {
    @ParameterizedTest
    @CsvSource({
      "401, APP_KEY_REJECTED, A JSON web token could not be decoded",
      "403, INSTALLATION_SUSPENDED, This installation has been suspended",
      "403, ACCESS_DENIED, Resource not accessible",
      "404, INSTALLATION_NOT_FOUND, Not Found",
      "422, SCOPE_NOT_GRANTED, The permissions requested are not granted"
    })
    void saysWhy(int status, Reason reason, String message) {
      knowsInstallation(7001);
      gitHub.next(
          Reply.of(status, "{\"message\":\"" + message + "\"}")
              .with("X-GitHub-Request-Id", "AB:1"));
      TokenDeniedException e = failure(TokenDeniedException.class);
      assertThat(e.reason()).isEqualTo(reason);
      assertThat(e.requestId()).contains("AB:1");
      assertThat(e).hasMessageNotContaining(message).hasMessageContaining("app 1001, node O_x");
    }

    @ParameterizedTest
    @CsvSource({
      "429, x-nothing, 0, slow",
      "403, retry-after, 60, slow",
      "403, x-ratelimit-remaining, 0, slow",
      "403, x-nothing, 0, You have exceeded a secondary rate limit"
    })
    void tellsThrottlingFromARefusal(int status, String header, String value, String message) {
      knowsInstallation(7001);
      gitHub.next(Reply.of(status, "{\"message\":\"" + message + "\"}").with(header, value));
      TokenUnavailableException e = failure(TokenUnavailableException.class);
      assertThat(e.reason()).isEqualTo(Reason.THROTTLED);
      assertThat(e.retryAfter().isPresent()).isEqualTo(header.equals("retry-after"));
    }

    @ParameterizedTest
    @ValueSource(ints = {500, 502, 503})
    void aFailureOfItsOwnMayPass(int status) {
      gitHub.next(Reply.of(status, "<html>"));
      assertThat(failure(TokenUnavailableException.class).reason())
          .isEqualTo(Reason.GITHUB_UNAVAILABLE);
    }

    @Test
    void noRedirectIsFollowed() {
      try (LoopbackServer elsewhere = new LoopbackServer()) {
        gitHub.next(Reply.of(302, "").with("Location", elsewhere.url().toString()));
        assertThat(failure(TokenUnavailableException.class).reason())
            .isEqualTo(Reason.UNEXPECTED_ANSWER);
        assertThat(elsewhere.received()).isEmpty();
      }
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "",
          "[]",
          "{\"token\":\"ghs_secret\"}",
          "{\"token\":\"ghs_secret\\r\\n\",\"expires_at\":\"2026-11-23T09:51:02Z\"}",
          "{\"token\":\"ghs_secret\",\"expires_at\":\"soon\"}",
          "{\"token\":ghs_secret"
        })
    void anAnswerThatIsNotGitHubsIsNotPrinted(String body) {
      knowsInstallation(7001);
      gitHub.next(Reply.of(201, body).with("x-github-request-id", "C0DE:1"));
      TokenUnavailableException e = failure(TokenUnavailableException.class);
      assertThat(e.reason()).isEqualTo(Reason.UNEXPECTED_ANSWER);
      assertThat(e.requestId()).contains("C0DE:1");
      StringWriter trace = new StringWriter();
      e.printStackTrace(new PrintWriter(trace));
      assertThat(trace.toString()).doesNotContain("ghs_secret");
    }

    @ParameterizedTest
    @MethodSource("noEnd")
    @Timeout(30)
    void isNotWaitedForLongerThanTheCallerWaits(Reply reply) {
      gitHub.next(reply);
      TokenRequest request = REQUEST.withTimeout(Duration.ofMillis(300));
      assertThatExceptionOfType(TokenUnavailableException.class)
          .isThrownBy(() -> provider.getToken(request))
          .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.GITHUB_UNAVAILABLE));
    }

    static Stream<Reply> noEnd() {
      return Stream.of(LoopbackServer.SILENCE, LoopbackServer.HALF_AN_ANSWER);
    }

    @Test
    void nobodyListens() {
      gitHub.close();
      assertThat(failure(TokenUnavailableException.class).reason())
          .isEqualTo(Reason.GITHUB_UNAVAILABLE);
    }
  }

  @Test
  void goesOverHttpsOnly() {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> new LocalKeyTokenProvider(1, pem, URI.create("http://api.github.com"), time));
  }
}
