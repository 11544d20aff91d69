package io.github.credentialmanager.server.github;

import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/**
 * One page of an App's installations, as GitHub listed it.
 *
 * @param installations those with an account, in GitHub's order
 * @param withoutAccount the ids of those that GitHub lists without one
 * @param notUnderstood how many entries were no installation
 * @param full whether no more would fit on the page
 * @param hasNext whether GitHub says that another page follows
 * @param last the number of the last page, where GitHub says it
 */
public record InstallationPage(
    List<GitHubInstallation> installations,
    Set<Long> withoutAccount,
    int notUnderstood,
    boolean full,
    boolean hasNext,
    OptionalInt last) {
  public InstallationPage {
    installations = List.copyOf(installations);
    withoutAccount = Set.copyOf(withoutAccount);
  }

  /** Whether another page may follow: after a full one it may, whatever GitHub says or lacks. */
  public boolean mayContinue() {
    return hasNext || full;
  }
}
