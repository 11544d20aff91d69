package io.github.credentialmanager.sdk;

import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The five operations, typed. */
public final class CredentialManagerClient implements AutoCloseable {
  private CredentialManagerClient() {}

  public static CredentialManagerClient create() {
    return builder().build();
  }

  public static Builder builder() {
    return new Builder();
  }

  public AccessToken getAppToken(long appId) {
    throw new UnsupportedOperationException();
  }

  public AccessToken getInstallationToken(long appId, String nodeId) {
    throw new UnsupportedOperationException();
  }

  public AccessToken getInstallationToken(long appId, String nodeId, Scope scope) {
    throw new UnsupportedOperationException();
  }

  public RefreshSummary refreshCachedData() {
    throw new UnsupportedOperationException();
  }

  public List<Installation> getInstallationData(String nodeId) {
    throw new UnsupportedOperationException();
  }

  public InstallationsPage getInstallations() {
    return getInstallations(0, null);
  }

  public InstallationsPage getInstallations(int maxResults, @Nullable String nextToken) {
    throw new UnsupportedOperationException();
  }

  public Stream<Installation> paginateInstallations() {
    return paginateInstallations(0);
  }

  public Stream<Installation> paginateInstallations(int pageSize) {
    throw new UnsupportedOperationException();
  }

  public TokenProvider asTokenProvider() {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() {}

  /** Builds a {@link CredentialManagerClient}. */
  public static final class Builder {
    private Builder() {}

    public CredentialManagerClient build() {
      return new CredentialManagerClient();
    }
  }
}
