package io.github.credentialmanager.jgit;

import java.net.URI;
import java.net.URL;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.eclipse.jgit.transport.URIish;
import org.jspecify.annotations.Nullable;

/**
 * Scheme, host and port at which a GitHub serves Git over HTTP.
 *
 * @param port never -1
 */
record GitOrigin(String scheme, String host, int port) {
  private static final Pattern CLOUD_API =
      Pattern.compile("api\\.(github\\.com|[a-z0-9-]+\\.ghe\\.com)");

  /**
   * Where Git is for this API: {@code https://api.github.com} has it at {@code https://github.com},
   * {@code https://api.SUBDOMAIN.ghe.com} at {@code https://SUBDOMAIN.ghe.com}, and {@code
   * https://HOST/api/v3} at {@code https://HOST}.
   */
  static GitOrigin ofApi(URI apiUrl) {
    GitOrigin api = of(apiUrl.getScheme(), apiUrl.getHost(), apiUrl.getPort());
    if (api == null) {
      throw new IllegalArgumentException("The API URL has no http or https origin.");
    }
    Matcher cloud = CLOUD_API.matcher(api.host);
    return cloud.matches() ? new GitOrigin(api.scheme, cloud.group(1), api.port) : api;
  }

  boolean covers(URIish uri) {
    return equals(of(uri.getScheme(), uri.getHost(), uri.getPort()));
  }

  boolean covers(URL url) {
    return equals(of(url.getProtocol(), url.getHost(), url.getPort()));
  }

  private static @Nullable GitOrigin of(@Nullable String scheme, @Nullable String host, int port) {
    if (scheme == null || host == null) {
      return null;
    }
    String lowerCaseScheme = scheme.toLowerCase(Locale.ROOT);
    int defaultPort =
        switch (lowerCaseScheme) {
          case "https" -> 443;
          case "http" -> 80;
          default -> -1;
        };
    return defaultPort == -1
        ? null
        : new GitOrigin(
            lowerCaseScheme, host.toLowerCase(Locale.ROOT), port == -1 ? defaultPort : port);
  }
}
