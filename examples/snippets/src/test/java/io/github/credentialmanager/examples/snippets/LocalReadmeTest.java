package io.github.credentialmanager.examples.snippets;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.credentialmanager.githubapi.CredentialManagerGitHub;
import io.github.credentialmanager.local.CredentialManagerTest;
import io.github.credentialmanager.local.GitHubDouble;
import io.github.credentialmanager.local.LocalCredentialManager;
import io.github.credentialmanager.sdk.CredentialManagerClient;
import java.io.IOException;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.kohsuke.github.GitHub;

/** The code of the local stack's README, run. */
class LocalReadmeTest {
  @Nested
  // region local
  @CredentialManagerTest
  class RocketTest {
    @Test
    void readsTheRocket(LocalCredentialManager stack, GitHubDouble gitHub) throws IOException {
      GitHubDouble.Account acme = gitHub.organization("acme");
      acme.addRepository("rocket");
      stack.registerApp(42).install(acme);

      try (CredentialManagerClient client = stack.newClient()) {
        GitHub gh =
            CredentialManagerGitHub.builder()
                .appId(42)
                .nodeId(acme.nodeId())
                .tokenProvider(client.asTokenProvider())
                .gitHubApiUrl(stack.gitHubApiUrl())
                .build();

        assertThat(gh.getRepository("acme/rocket").isPrivate()).isTrue();
      }
    }
  }
  // endregion
}
