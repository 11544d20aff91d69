package io.github.credentialmanager.jgit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.credentialmanager.sdk.AccessToken;
import io.github.credentialmanager.sdk.GitHubAuthorizer;
import io.github.credentialmanager.sdk.Secret;
import io.github.credentialmanager.sdk.TokenRequest;
import io.github.credentialmanager.sdk.conformance.LoopbackInternet;
import io.github.credentialmanager.sdk.conformance.LoopbackInternet.Answer;
import io.github.credentialmanager.sdk.conformance.LoopbackInternet.Received;
import io.github.credentialmanager.sdk.conformance.PinnedUrl;
import java.io.IOException;
import java.net.ProxySelector;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.stream.Stream;
import javax.net.ssl.HostnameVerifier;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLSocketFactory;
import org.eclipse.jgit.api.Git;
import org.eclipse.jgit.lib.StoredConfig;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** No byte of the token reaches anybody but {@code https://github.com:443}. */
class HostPinningTest {
  private static final String TOKEN = "ghs_1001_opaque-token_string";
  private static final String GITHUB = "https://github.com:443";

  private static final GitHubCredentialsProvider CREDENTIALS =
      GitHubCredentialsProvider.create(
          GitHubAuthorizer.builder(
                  request ->
                      AccessToken.builder(
                              1001, Secret.of(TOKEN), Instant.now().plus(Duration.ofHours(1)))
                          .issuedAt(Instant.EPOCH)
                          .build(),
                  TokenRequest.installation(1001, "O_kgDO1001_0"))
              .gitHubApiUrl(URI.create("https://api.github.com"))
              .build());

  private static @TempDir Path directory;
  private static ProxySelector proxies;
  private static SSLSocketFactory sockets;
  private static HostnameVerifier names;
  private static LoopbackInternet internet;
  private static Git git;

  @BeforeAll
  static void start() throws Exception {
    internet = new LoopbackInternet();
    proxies = ProxySelector.getDefault();
    sockets = HttpsURLConnection.getDefaultSSLSocketFactory();
    names = HttpsURLConnection.getDefaultHostnameVerifier();
    ProxySelector.setDefault(internet.proxySelector());
    HttpsURLConnection.setDefaultSSLSocketFactory(LoopbackInternet.clientTls().getSocketFactory());
    HttpsURLConnection.setDefaultHostnameVerifier((host, session) -> true);
    git = Git.init().setDirectory(directory.toFile()).call();
    StoredConfig config = git.getRepository().getConfig();
    config.setString("http", null, "followRedirects", "true");
    config.save();
  }

  @AfterAll
  static void stop() throws IOException {
    ProxySelector.setDefault(proxies);
    HttpsURLConnection.setDefaultSSLSocketFactory(sockets);
    HttpsURLConnection.setDefaultHostnameVerifier(names);
    git.close();
    internet.close();
  }

  @BeforeEach
  void forget() {
    internet.received().clear();
  }

  /** The table is about the API's host; Git has one of its own. */
  static Stream<String> urls() {
    return PinnedUrl.all().stream()
        .map(PinnedUrl::url)
        .map(url -> url.replace("api.github.com", "github.com"));
  }

  private static Answer challenge() {
    return new Answer(401, Map.of("WWW-Authenticate", "Basic realm=\"GitHub\""), "");
  }

  /** JGit does not get what it wants from anybody here. */
  private static void askInVain(String url) {
    assertThatThrownBy(
            () -> git.lsRemote().setRemote(url).setTransportConfigCallback(CREDENTIALS).call())
        .isInstanceOf(Exception.class);
  }

  private static void assertOnlyGitHubHasTheToken() {
    assertThat(internet.received())
        .filteredOn(
            request ->
                request.headers().containsKey("Authorization") || request.raw().contains(TOKEN))
        .extracting(Received::origin)
        .containsOnly(GITHUB);
  }

  @ParameterizedTest
  @MethodSource("urls")
  void sendsNothingTo(String url) {
    internet.answer(request -> challenge());
    askInVain("https://github.com/octo-org/api.git");
    askInVain(url);

    assertOnlyGitHubHasTheToken();
  }

  @ParameterizedTest
  @MethodSource("urls")
  void sendsNothingAfterARedirectTo(String url) {
    internet.answer(
        request ->
            request.origin().equals(GITHUB) && request.headers().containsKey("Authorization")
                ? new Answer(302, Map.of("Location", url + "info/refs?service=git-upload-pack"), "")
                : challenge());
    askInVain("https://github.com/octo-org/api.git");

    assertOnlyGitHubHasTheToken();
  }
}
