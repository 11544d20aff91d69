package io.github.credentialmanager.jgit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.credentialmanager.sdk.AccessToken;
import io.github.credentialmanager.sdk.GitHubAuthorizer;
import io.github.credentialmanager.sdk.Reason;
import io.github.credentialmanager.sdk.Secret;
import io.github.credentialmanager.sdk.TokenDeniedException;
import io.github.credentialmanager.sdk.TokenProvider;
import io.github.credentialmanager.sdk.TokenRequest;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.eclipse.jgit.api.CloneCommand;
import org.eclipse.jgit.api.Git;
import org.eclipse.jgit.api.errors.JGitInternalException;
import org.eclipse.jgit.api.errors.TransportException;
import org.eclipse.jgit.errors.UnsupportedCredentialItem;
import org.eclipse.jgit.lib.Constants;
import org.eclipse.jgit.transport.CredentialItem;
import org.eclipse.jgit.transport.CredentialsProvider;
import org.eclipse.jgit.transport.RefSpec;
import org.eclipse.jgit.transport.URIish;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GitHubCredentialsProviderTest {
  private static final TokenRequest REQUEST = TokenRequest.installation(1001, "O_kgDO1001_0");

  private static final RefSpec HEAD_TO_MAIN = new RefSpec("HEAD:refs/heads/main");

  private final List<Duration> waits = new ArrayList<>();
  private final Tokens tokens = new Tokens();
  private Instant now = Instant.parse("2026-11-23T09:00:00Z");
  private @TempDir Path directory;
  private JGitHttpServer gitHub;

  @BeforeEach
  void start() throws Exception {
    gitHub = new JGitHttpServer(directory.resolve("github.git"));
    gitHub.accept(token(1));
  }

  @AfterEach
  void stop() {
    gitHub.close();
  }

  /** {@code token(1)}, then the next each time one was rejected. */
  private final class Tokens implements TokenProvider {
    private int issued = 1;
    private Instant issuedAt = Instant.EPOCH;

    @Override
    public AccessToken getToken(TokenRequest request) {
      return AccessToken.builder(
              request.appId(), Secret.of(token(issued)), now.plus(Duration.ofHours(1)))
          .issuedAt(issuedAt)
          .build();
    }

    @Override
    public void rejected(TokenRequest request, AccessToken token) {
      issued++;
    }
  }

  /** As long and as odd as GitHub's are. */
  private static String token(int n) {
    return "ghs_1001_" + n + "eyJhbGciOi." + "Ab-_9".repeat(98) + ".sig";
  }

  private GitHubCredentialsProvider credentials(TokenProvider provider, URI apiUrl) {
    return new GitHubCredentialsProvider(
        GitHubAuthorizer.builder(provider, REQUEST).gitHubApiUrl(apiUrl).clock(() -> now).build(),
        duration -> {
          waits.add(duration);
          now = now.plus(duration);
        });
  }

  private GitHubCredentialsProvider credentials() {
    return credentials(tokens, gitHub.url());
  }

  private CloneCommand cloneInto(String name) {
    return Git.cloneRepository()
        .setURI(gitHub.repositoryUrl())
        .setDirectory(directory.resolve(name).toFile());
  }

  private static void commit(Git git, String file) throws Exception {
    Files.writeString(git.getRepository().getWorkTree().toPath().resolve(file), "content");
    git.add().addFilepattern(file).call();
    git.commit()
        .setSign(false)
        .setAuthor("Octo", "octo@example.com")
        .setCommitter("Octo", "octo@example.com")
        .setMessage("Add " + file)
        .call();
  }

  @Nested
  class WithGitHub {
    @Test
    void clonesAndPushes() throws Exception {
      GitHubCredentialsProvider credentials = credentials();
      try (Git git = cloneInto("one").setCredentialsProvider(credentials).call()) {
        commit(git, "README.md");
        git.push().setRefSpecs(HEAD_TO_MAIN).setCredentialsProvider(credentials).call();

        assertThat(gitHub.repository().resolve("refs/heads/main"))
            .isEqualTo(git.getRepository().resolve(Constants.HEAD));
      }
      try (Git git = cloneInto("two").setTransportConfigCallback(credentials).call()) {
        assertThat(git.getRepository().getWorkTree().toPath().resolve("README.md")).exists();
        commit(git, "CHANGELOG.md");
        git.push().setRefSpecs(HEAD_TO_MAIN).setTransportConfigCallback(credentials).call();
        git.fetch().setTransportConfigCallback(credentials).call();

        assertThat(gitHub.repository().resolve("refs/heads/main"))
            .isEqualTo(git.getRepository().resolve(Constants.HEAD));
      }
      assertThat(gitHub.authorizations()).containsOnly("x-access-token:" + token(1));
    }

    @Test
    void acceptsTheUserInTheUrl() throws Exception {
      String url = gitHub.repositoryUrl().replace("http://", "http://x-access-token@");
      try (Git git = cloneInto("one").setURI(url).setCredentialsProvider(credentials()).call()) {
        assertThat(git.getRepository().getDirectory()).exists();
      }
    }

    @Test
    void replacesARefusedToken() throws Exception {
      gitHub.refuse(token(1));
      gitHub.accept(token(2));
      try (Git git = cloneInto("one").setCredentialsProvider(credentials()).call()) {
        assertThat(git.getRepository().getDirectory()).exists();
      }
      assertThat(gitHub.authorizations())
          .startsWith("x-access-token:" + token(1), "x-access-token:" + token(2));
    }

    @Test
    void triesAYoungTokenAgain() throws Exception {
      tokens.issuedAt = now;
      gitHub.refuse(token(1));
      GitHubCredentialsProvider credentials =
          new GitHubCredentialsProvider(
              GitHubAuthorizer.builder(tokens, REQUEST)
                  .gitHubApiUrl(gitHub.url())
                  .clock(() -> now)
                  .build(),
              duration -> {
                waits.add(duration);
                now = now.plus(duration);
                if (waits.size() == 2) {
                  gitHub.accept(token(1));
                }
              });
      try (Git git = cloneInto("one").setCredentialsProvider(credentials).call()) {
        assertThat(git.getRepository().getDirectory()).exists();
      }
      assertThat(waits).containsExactly(Duration.ofSeconds(1), Duration.ofSeconds(2));
      assertThat(gitHub.authorizations()).containsOnly("x-access-token:" + token(1));
    }

    @Test
    void isNotAuthorizedIfTheTokenStaysRefused() throws Exception {
      tokens.issuedAt = now;
      gitHub.refuse(token(1));
      GitHubCredentialsProvider credentials = credentials();

      assertThatThrownBy(() -> cloneInto("one").setCredentialsProvider(credentials).call())
          .isInstanceOf(TransportException.class)
          .hasMessageContaining("not authorized");
      assertThat(gitHub.authorizations()).hasSize(3);

      gitHub.accept(token(1));
      try (Git git = cloneInto("two").setCredentialsProvider(credentials).call()) {
        assertThat(git.getRepository().getDirectory()).exists();
      }
    }

    @Test
    void saysWhyThereIsNoToken() {
      TokenProvider denying =
          request -> {
            throw new TokenDeniedException("Not installed.", Reason.INSTALLATION_NOT_FOUND);
          };
      CloneCommand command =
          cloneInto("one").setCredentialsProvider(credentials(denying, gitHub.url()));

      assertThatThrownBy(command::call)
          .isInstanceOf(JGitInternalException.class)
          .hasMessage("Not installed.")
          .hasCauseInstanceOf(TokenDeniedException.class);
      assertThat(directory.resolve("one")).doesNotExist();
    }
  }

  @Nested
  class Elsewhere {
    private JGitHttpServer elsewhere;

    @BeforeEach
    void startAnother() throws Exception {
      elsewhere = new JGitHttpServer(directory.resolve("elsewhere.git"));
    }

    @AfterEach
    void stopAnother() {
      elsewhere.close();
    }

    @Test
    void anotherHostIsNotAuthorized() {
      CloneCommand command =
          cloneInto("one").setURI(elsewhere.repositoryUrl()).setCredentialsProvider(credentials());

      assertThatThrownBy(command::call)
          .isInstanceOf(TransportException.class)
          .hasMessageContaining("not authorized");
      assertThat(elsewhere.authorizations()).isEmpty();
    }

    @Test
    void aRedirectToAnotherNameIsNotAuthorized() {
      gitHub.redirectTo("http://localhost:" + elsewhere.port());
      CloneCommand command = cloneInto("one").setCredentialsProvider(credentials());

      assertThatThrownBy(command::call).isInstanceOf(TransportException.class);
      assertThat(elsewhere.authorizations()).isEmpty();
    }

    @Test
    void aRedirectToAnotherPortIsNotAuthorized() {
      gitHub.redirectTo(elsewhere.url().toString());
      CloneCommand command = cloneInto("one").setTransportConfigCallback(credentials());

      assertThatThrownBy(command::call).isInstanceOf(TransportException.class);
      assertThat(gitHub.authorizations()).isNotEmpty();
      assertThat(elsewhere.authorizations()).isEmpty();
    }

    /** If this fails, JGit has closed the gap that {@link PinnedConnectionFactory} is for. */
    @Test
    void jgitAloneTakesTheTokenToAnotherPort() {
      gitHub.redirectTo(elsewhere.url().toString());
      CloneCommand command = cloneInto("one").setCredentialsProvider(credentials());

      assertThatThrownBy(command::call).isInstanceOf(TransportException.class);
      assertThat(elsewhere.authorizations()).isNotEmpty();
    }
  }

  @Nested
  class Pinning {
    private boolean answers(String apiUrl, String gitUrl) throws Exception {
      return credentials(tokens, URI.create(apiUrl))
          .get(new URIish(gitUrl), new CredentialItem.Username(), new CredentialItem.Password());
    }

    @ParameterizedTest
    @CsvSource({
      "https://api.github.com, https://github.com/octo-org/api.git",
      "https://api.github.com, https://GitHub.com:443/octo-org/api.git",
      "https://api.octocorp.ghe.com, https://octocorp.ghe.com/octo-org/api.git",
      "https://ghes.example.com/api/v3, https://ghes.example.com/octo-org/api.git",
      "https://ghes.example.com:8443/api/v3, https://ghes.example.com:8443/octo-org/api.git",
      "https://api.example.com/api/v3, https://api.example.com/octo-org/api.git",
    })
    void answersTheGitHostOfTheApi(String apiUrl, String gitUrl) throws Exception {
      assertThat(answers(apiUrl, gitUrl)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "http://github.com/o/r.git",
          "ssh://git@github.com/o/r.git",
          "git@github.com:o/r.git",
          "git://github.com/o/r.git",
          "https://api.github.com/o/r.git",
          "https://gist.github.com/o/r.git",
          "https://github.com./o/r.git",
          "https://github.com:8443/o/r.git",
          "https://github.com:80/o/r.git",
          "https://github.com.evil.example/o/r.git",
          "https://evilgithub.com/o/r.git",
          "https://github.com@evil.example/o/r.git",
          "https://x-access-token:secret@evil.example/github.com/o/r.git",
          "https://someone@github.com/o/r.git",
          "https://github.co/o/r.git",
          "https://github.com%2eevil.example/o/r.git",
          "https://gıthub.com/o/r.git",
          "https://evil.example/https://github.com/o/r.git",
          "/srv/github.com/o/r.git",
        })
    void answersNobodyElse(String gitUrl) throws Exception {
      assertThat(answers("https://api.github.com", gitUrl)).isFalse();
    }

    @Test
    void knowsUserAndPasswordOnly() throws Exception {
      CredentialsProvider credentials = credentials();
      CredentialItem question = new CredentialItem.YesNoType("Trust this certificate?");

      assertThat(credentials.isInteractive()).isFalse();
      assertThat(credentials.supports(question)).isFalse();
      assertThatThrownBy(() -> credentials.get(new URIish(gitHub.repositoryUrl()), question))
          .isInstanceOf(UnsupportedCredentialItem.class);
    }

    @Test
    void anApiUrlHasAnOrigin() {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> GitOrigin.ofApi(URI.create("mailto:octo@example.com")));
    }
  }
}
