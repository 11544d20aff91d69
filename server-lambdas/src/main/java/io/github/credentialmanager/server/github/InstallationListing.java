package io.github.credentialmanager.server.github;

import java.util.List;
import java.util.Set;

/**
 * The installations of an App, as GitHub listed them.
 *
 * @param installations those with an account
 * @param withoutAccount the ids of those that GitHub lists without one
 * @param complete whether every page was read, each entry understood and none listed twice, which
 *     it would be if the pages had shifted meanwhile
 */
public record InstallationListing(
    List<GitHubInstallation> installations, Set<Long> withoutAccount, boolean complete) {
  public InstallationListing {
    installations = List.copyOf(installations);
    withoutAccount = Set.copyOf(withoutAccount);
  }
}
