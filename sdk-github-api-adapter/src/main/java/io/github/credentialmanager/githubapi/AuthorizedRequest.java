package io.github.credentialmanager.githubapi;

import java.io.InputStream;
import java.net.URL;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.kohsuke.github.connector.GitHubConnectorRequest;

/** A request of hub4j's with another {@code Authorization} header, or with none. */
final class AuthorizedRequest implements GitHubConnectorRequest {
  static final String AUTHORIZATION = "Authorization";

  private final GitHubConnectorRequest request;
  private final Map<String, List<String>> headers;
  private volatile boolean refused;

  AuthorizedRequest(GitHubConnectorRequest request, @Nullable String authorization) {
    this.request = request;
    Map<String, List<String>> all = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    all.putAll(request.allHeaders());
    all.remove(AUTHORIZATION);
    if (authorization != null) {
      all.put(AUTHORIZATION, List.of(authorization));
    }
    this.headers = Collections.unmodifiableMap(all);
  }

  /**
   * Says that GitHub's 401 to this request is final.
   *
   * <p>From then on {@link #header} shows hub4j no authorization. hub4j takes a 401 to a request
   * that had one for a reason to ask for another and send again; all that has been done, and its
   * caller should see the 401.
   */
  void refused() {
    refused = true;
  }

  @Override
  public @Nullable String header(String name) {
    if (refused && AUTHORIZATION.equalsIgnoreCase(name)) {
      return null;
    }
    List<String> values = headers.get(name);
    return values == null ? null : values.get(0);
  }

  @Override
  public Map<String, List<String>> allHeaders() {
    return headers;
  }

  @Override
  public String method() {
    return request.method();
  }

  @Override
  public URL url() {
    return request.url();
  }

  @Override
  public boolean hasBody() {
    return request.hasBody();
  }

  @Override
  public @Nullable InputStream body() {
    return request.body();
  }

  @Override
  public @Nullable String contentType() {
    return request.contentType();
  }
}
