package io.github.credentialmanager.sdk;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One page of {@link CredentialManagerClient#getInstallations(int, String)}. Immutable. */
public final class InstallationsPage {
  private final List<Installation> installations;
  private final @Nullable String nextToken;

  InstallationsPage(List<Installation> installations, @Nullable String nextToken) {
    this.installations = List.copyOf(installations);
    this.nextToken = nextToken;
  }

  /** What is on this page; may be empty on a page that is not the last. */
  public List<Installation> installations() {
    return installations;
  }

  /** Opaque; hand it back to get the next page. Empty on the last one. */
  public Optional<String> nextToken() {
    return Optional.ofNullable(nextToken);
  }
}
