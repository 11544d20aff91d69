package io.github.credentialmanager.githubapi;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.credentialmanager.sdk.AccessToken;
import io.github.credentialmanager.sdk.Secret;
import io.github.credentialmanager.sdk.conformance.LoopbackInternet;
import io.github.credentialmanager.sdk.conformance.LoopbackInternet.Answer;
import io.github.credentialmanager.sdk.conformance.LoopbackInternet.Received;
import io.github.credentialmanager.sdk.conformance.PinnedUrl;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.kohsuke.github.GHException;
import org.kohsuke.github.GHRelease;
import org.kohsuke.github.GHRepository;
import org.kohsuke.github.GitHub;
import org.kohsuke.github.extras.HttpClientGitHubConnector;

/** No byte of the token reaches anybody but GitHub, wherever its answers lead. */
class HostPinningTest {
  private static final String TOKEN = "ghs_1001_opaque-token_string";
  private static final String API = "https://api.github.com:443";
  private static final String UPLOADS = "https://uploads.github.com:443";

  private static LoopbackInternet internet;
  private static GitHub gh;

  @BeforeAll
  static void start() throws IOException, GeneralSecurityException {
    internet = new LoopbackInternet();
    HttpClient client =
        HttpClient.newBuilder()
            .proxy(internet.proxySelector())
            .sslContext(LoopbackInternet.clientTls())
            .build();
    gh =
        CredentialManagerGitHub.builder()
            .appId(1001)
            .nodeId("O_kgDO1001_0")
            .gitHubApiUrl(URI.create("https://api.github.com"))
            .tokenProvider(
                request ->
                    AccessToken.builder(
                            1001, Secret.of(TOKEN), Instant.now().plus(Duration.ofHours(1)))
                        .issuedAt(Instant.EPOCH)
                        .build())
            .connector(new HttpClientGitHubConnector(client))
            .pause(duration -> {})
            .build();
  }

  @AfterAll
  static void stop() throws IOException {
    internet.close();
  }

  @BeforeEach
  void forget() {
    internet.received().clear();
  }

  /** All but one: release assets do go to GitHub's upload host. */
  static Stream<String> urls() {
    return PinnedUrl.all().stream()
        .map(PinnedUrl::url)
        .filter(url -> !url.startsWith("https://uploads.github.com/"));
  }

  private static void assertOnlyGitHubHasTheToken(String... origins) {
    assertThat(internet.received())
        .filteredOn(request -> request.raw().contains(TOKEN))
        .extracting(Received::origin)
        .containsOnly(origins);
  }

  private static Answer repository() {
    return new Answer(
        200,
        Map.of(),
        "{\"id\":1,\"name\":\"api\",\"full_name\":\"octo-org/api\",\"owner\":{\"login\":\"octo-org\"}}");
  }

  /** Whatever hub4j makes of such a URL. */
  private interface Calls {
    void call() throws IOException;
  }

  private static void tolerating(Calls calls) {
    try {
      calls.call();
    } catch (IOException | GHException | IllegalArgumentException | NullPointerException e) {
      // hub4j does not take the URL.
    }
  }

  @ParameterizedTest
  @MethodSource("urls")
  void sendsNothingAfterARedirectTo(String url) {
    for (int status : new int[] {301, 302, 303, 307, 308}) {
      internet.answer(
          request ->
              request.origin().equals(API) && request.target().equals("/repos/octo-org/old")
                  ? new Answer(status, Map.of("Location", url), "")
                  : repository());
      tolerating(() -> gh.getRepository("octo-org/old"));
    }

    assertOnlyGitHubHasTheToken(API);
  }

  @ParameterizedTest
  @MethodSource("urls")
  void sendsNothingToANextPageAt(String url) {
    internet.answer(
        request ->
            request.origin().equals(API) && request.target().startsWith("/installation/")
                ? new Answer(
                    200,
                    Map.of("Link", "<" + url + ">; rel=\"next\""),
                    "{\"total_count\":2,\"repositories\":[{\"id\":1,\"name\":\"one\"}]}")
                : new Answer(200, Map.of(), "{\"total_count\":2,\"repositories\":[]}"));
    tolerating(() -> gh.getInstallation().listRepositories().toList());

    assertOnlyGitHubHasTheToken(API);
  }

  @ParameterizedTest
  @MethodSource("urls")
  void sendsNoReleaseAssetTo(String url) throws IOException {
    internet.answer(
        request ->
            request.target().endsWith("/releases/1")
                ? new Answer(
                    200, Map.of(), "{\"id\":1,\"upload_url\":\"" + jsonEscaped(url) + "\"}")
                : repository());
    GHRepository repository = gh.getRepository("octo-org/api");
    GHRelease release = repository.getRelease(1);
    tolerating(() -> upload(release));

    assertOnlyGitHubHasTheToken(API);
  }

  @Test
  void sendsReleaseAssetsToGitHubsUploadHost() throws IOException {
    internet.answer(
        request ->
            request.target().endsWith("/releases/1")
                ? new Answer(
                    200,
                    Map.of(),
                    "{\"id\":1,\"upload_url\":\"https://uploads.github.com/assets{?name,label}\"}")
                : repository());
    upload(gh.getRepository("octo-org/api").getRelease(1));

    assertOnlyGitHubHasTheToken(API, UPLOADS);
  }

  private static String jsonEscaped(String text) {
    return text.chars()
        .mapToObj(c -> c < ' ' || c == '"' || c == '\\' ? "\\u%04x".formatted(c) : "" + (char) c)
        .collect(Collectors.joining());
  }

  private static void upload(GHRelease release) throws IOException {
    release.uploadAsset(
        "asset", new ByteArrayInputStream(new byte[] {1, 2, 3}), "application/octet-stream");
  }
}
