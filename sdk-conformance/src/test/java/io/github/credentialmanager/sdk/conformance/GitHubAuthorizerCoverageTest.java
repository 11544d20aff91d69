package io.github.credentialmanager.sdk.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.credentialmanager.sdk.GitHubAuthorizer;
import io.github.credentialmanager.sdk.Secret;
import io.github.credentialmanager.sdk.TokenProvider;
import io.github.credentialmanager.sdk.TokenRequest;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class GitHubAuthorizerCoverageTest {
  static List<PinnedUrl> urls() {
    return PinnedUrl.all();
  }

  private static GitHubAuthorizer.Builder builder() {
    return GitHubAuthorizer.builder(TokenProvider.fixed(Secret.of("t")), TokenRequest.app(1));
  }

  private static GitHubAuthorizer authorizer(String gitHubApiUrl) {
    return builder().gitHubApiUrl(URI.create(gitHubApiUrl)).build();
  }

  @Test
  void theTableHasEnoughOfBoth() {
    assertThat(urls()).filteredOn(url -> !url.allowed()).hasSizeGreaterThanOrEqualTo(40);
    assertThat(urls()).filteredOn(PinnedUrl::allowed).hasSizeGreaterThanOrEqualTo(5);
    assertThat(urls()).extracting(PinnedUrl::url).doesNotHaveDuplicates();
  }

  @ParameterizedTest
  @MethodSource("urls")
  void coversGitHubAndNothingThatResemblesIt(PinnedUrl url) {
    boolean covered;
    try {
      covered = authorizer("https://api.github.com").covers(new URI(url.url()));
    } catch (URISyntaxException e) {
      covered = false;
    }
    assertThat(covered).isEqualTo(url.allowed());
  }

  @Test
  void isConfiguredForGitHubComUnlessTold() {
    assertThat(builder().build().gitHubApiUrl()).hasToString("https://api.github.com");
  }

  @ParameterizedTest
  @CsvSource({
    "https://github.example/api/v3, https://github.example/api/graphql, true",
    "https://github.example/api/v3, https://github.example:443/login, true",
    "https://github.example/api/v3, https://api.github.com/, false",
    "https://github.example:8443/api/v3, https://github.example:8443/api/v3/user, true",
    "https://github.example:8443/api/v3, https://github.example/api/v3/user, false",
    "https://api.acme.ghe.com, https://api.acme.ghe.com/user, true",
    "https://api.acme.ghe.com, https://api.other.ghe.com/user, false",
    "http://127.0.0.1:8787, http://127.0.0.1:8787/user, true",
    "http://127.0.0.1:8787, https://127.0.0.1:8787/user, false",
    "http://127.0.0.1:8787, http://127.0.0.1:8788/user, false",
    "http://127.0.0.1:8787, http://localhost:8787/user, false",
    "http://127.0.0.1:8787, http://127.1:8787/user, false",
    "http://localhost:8787, http://LOCALHOST:8787/user, true",
    "http://localhost:8787, http://localhost.:8787/user, false",
    "http://[::1]:8787, http://[::1]:8787/user, true"
  })
  void coversExactlyTheConfiguredOrigin(String configured, String url, boolean covered) {
    assertThat(authorizer(configured).covers(URI.create(url))).isEqualTo(covered);
  }

  @Test
  void coversAnotherOriginThatWasAdded() {
    GitHubAuthorizer authorizer =
        builder()
            .gitHubApiUrl(URI.create("https://api.github.com"))
            .additionalOrigin(URI.create("https://uploads.github.com/ignored"))
            .build();
    assertThat(authorizer.covers(URI.create("https://uploads.github.com/repos"))).isTrue();
    assertThat(authorizer.covers(URI.create("https://api.github.com/repos"))).isTrue();
    assertThat(authorizer.covers(URI.create("https://codeload.github.com/repos"))).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "http://api.github.com",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "http://0.0.0.0",
        "https://user@api.github.com",
        "https:///x",
        "api.github.com",
        "ftp://api.github.com"
      })
  void refusesToBeConfiguredForWhatIsNotHttpsOrLoopback(String url) {
    assertThatIllegalArgumentException().isThrownBy(() -> builder().gitHubApiUrl(URI.create(url)));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder().additionalOrigin(URI.create(url)));
  }
}
