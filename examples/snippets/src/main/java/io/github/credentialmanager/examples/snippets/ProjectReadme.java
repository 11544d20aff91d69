package io.github.credentialmanager.examples.snippets;

import io.github.credentialmanager.githubapi.CredentialManagerGitHub;
import java.io.IOException;
import org.kohsuke.github.GHRepository;
import org.kohsuke.github.GitHub;

/** The code of the project's README. */
final class ProjectReadme {
  private ProjectReadme() {}

  static void connect(long appId, String nodeId) throws IOException {
    // region connect
    GitHub gh = CredentialManagerGitHub.connect(appId, nodeId);
    for (GHRepository repository : gh.getInstallation().listRepositories()) {
      System.out.println(repository.getFullName());
    }
    // endregion
  }
}
