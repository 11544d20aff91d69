package io.github.credentialmanager.examples.quickstart;

import io.github.credentialmanager.githubapi.CredentialManagerGitHub;
import java.io.IOException;
import java.util.List;
import org.kohsuke.github.GHRepository;
import org.kohsuke.github.GitHub;

/**
 * Lists the repositories that a GitHub App may see on one account: a program to copy from.
 *
 * <p>It holds no private key and no token. Where the Credential Manager is comes from the
 * environment ({@code CREDENTIAL_MANAGER_ENDPOINT}, AWS credentials and region).
 */
public final class Quickstart {
  private static final int FURTHER_CALLS = 100;

  private Quickstart() {}

  /**
   * @param args the App id and the node id of the account the App is installed on
   */
  public static void main(String[] args) throws IOException {
    if (args.length != 2) {
      System.err.println("Usage: Quickstart <appId> <nodeId>");
      System.exit(2);
    }
    long appId = Long.parseLong(args[0]);
    String nodeId = args[1];

    GitHub gh = CredentialManagerGitHub.connect(appId, nodeId);

    List<GHRepository> repositories = gh.getInstallation().listRepositories().toList();
    for (GHRepository repository : repositories) {
      System.out.println(repository.getFullName());
    }

    // A second connection and a hundred further calls: all with the token of the first.
    GitHub again = CredentialManagerGitHub.connect(appId, nodeId);
    for (int i = 0; i < FURTHER_CALLS; i++) {
      again.getRepository(repositories.get(i % repositories.size()).getFullName());
    }
    System.out.println(FURTHER_CALLS + " further calls made");
  }
}
