package io.github.credentialmanager.server.refresh;

import io.github.credentialmanager.server.github.GitHubInstallation;
import io.github.credentialmanager.server.github.InstallationPage;
import io.github.credentialmanager.server.tracking.FanOut;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/**
 * The installations of an App, read from all of GitHub's pages.
 *
 * <p>It is <i>complete</i> only if no page failed, each entry was understood, none was listed twice
 * (as it is when pages shift meanwhile), and the last page was not full: a full page is followed by
 * another, whatever its {@code Link} header says or lacks.
 */
final class Listing {
  private static final int MAX_PAGES = 1_000; // 100,000 installations of one App.

  private final Map<Long, GitHubInstallation> installations = new LinkedHashMap<>();
  private final Set<Long> withoutAccount = new HashSet<>();
  private final Collection<RuntimeException> failures;
  private int notUnderstood;
  private boolean complete = true;

  private Listing(Collection<RuntimeException> failures) {
    this.failures = failures;
  }

  /**
   * Reads the pages: those that the first one promises several at a time, what is beyond one after
   * the other.
   *
   * @param pages reads a page, from 1
   * @throws RuntimeException if the first page cannot be read, as {@code pages} throws it
   */
  static Listing read(IntFunction<InstallationPage> pages, FanOut fanOut) {
    Map<Integer, InstallationPage> read = new ConcurrentHashMap<>();
    Collection<RuntimeException> failures = new ConcurrentLinkedQueue<>();
    InstallationPage first = pages.apply(1);
    read.put(1, first);
    int last = Math.min(first.last().orElse(1), MAX_PAGES);
    fanOut.forEach(
        IntStream.rangeClosed(2, last).boxed().toList(),
        page -> {
          try {
            read.put(page, pages.apply(page));
          } catch (RuntimeException e) {
            failures.add(e);
          }
        });
    Optional<InstallationPage> end = Optional.ofNullable(read.get(last));
    while (failures.isEmpty()
        && last < MAX_PAGES
        && end.filter(InstallationPage::mayContinue).isPresent()) {
      last++;
      try {
        end = Optional.of(pages.apply(last));
        read.put(last, end.get());
      } catch (RuntimeException e) {
        failures.add(e);
      }
    }
    Listing listing = new Listing(failures);
    listing.complete = failures.isEmpty() && end.filter(page -> !page.mayContinue()).isPresent();
    for (int page = 1; page <= last; page++) {
      Optional.ofNullable(read.get(page)).ifPresent(listing::add);
    }
    return listing;
  }

  private void add(InstallationPage page) {
    for (GitHubInstallation installation : page.installations()) {
      complete &= !contains(installation.id());
      installations.put(installation.id(), installation);
    }
    for (long id : page.withoutAccount()) {
      complete &= !contains(id);
      withoutAccount.add(id);
    }
    notUnderstood += page.notUnderstood();
    complete &= page.notUnderstood() == 0;
  }

  /** Those with an account. */
  Collection<GitHubInstallation> installations() {
    return Collections.unmodifiableCollection(installations.values());
  }

  /** The ids of those that GitHub lists without an account. */
  Set<Long> withoutAccount() {
    return Collections.unmodifiableSet(withoutAccount);
  }

  /** How many installations GitHub lists, with an account or without. */
  int size() {
    return installations.size() + withoutAccount.size();
  }

  boolean namesAccountOf(long installationId) {
    return installations.containsKey(installationId);
  }

  boolean contains(long installationId) {
    return namesAccountOf(installationId) || withoutAccount.contains(installationId);
  }

  /** How many entries were no installation. */
  int notUnderstood() {
    return notUnderstood;
  }

  /** Why pages are missing. */
  List<RuntimeException> failures() {
    return List.copyOf(failures);
  }

  /** Whether what is not listed is not there. */
  boolean isComplete() {
    return complete;
  }
}
