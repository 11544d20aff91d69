package io.github.credentialmanager.sdk;

import java.net.URI;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Scheme, host and port: what two URLs must share to be the same party (RFC 6454, section 4).
 *
 * <p>Never made from a URL that could be read in two ways: one with user information, without a
 * host, or with one that {@link URI} does not parse.
 */
record Origin(String scheme, String host, int port) {
  private static final Pattern LOOPBACK = Pattern.compile("localhost|127(\\.\\d{1,3}){3}|\\[::1]");

  /** The origin of a URL, or null if it has none that is safe to compare. */
  static @Nullable Origin of(URI uri) {
    if (uri.getScheme() == null || uri.getHost() == null || uri.isOpaque()) {
      return null;
    }
    if (uri.getRawAuthority() == null || uri.getRawAuthority().indexOf('@') >= 0) {
      return null;
    }
    String scheme = uri.getScheme().toLowerCase(Locale.ROOT);
    int port = uri.getPort();
    if (port == -1) {
      port = scheme.equals("https") ? 443 : scheme.equals("http") ? 80 : -1;
    }
    return port < 1 ? null : new Origin(scheme, uri.getHost().toLowerCase(Locale.ROOT), port);
  }

  /**
   * The origin of a URL that secrets may go to: https, or http to this machine itself.
   *
   * @param name what the URL is, for the message
   * @throws IllegalArgumentException if it is another
   */
  static Origin requireTrustworthy(URI uri, String name) {
    Origin origin = of(uri);
    if (origin == null
        || !(origin.scheme.equals("https")
            || (origin.scheme.equals("http") && origin.isLoopback()))) {
      throw new IllegalArgumentException(
          name
              + ": give an https:// URL with a host and no user information (http:// only for loopback).");
    }
    return origin;
  }

  /** Whether the host can only be this machine: {@code localhost} or a loopback address. */
  boolean isLoopback() {
    return LOOPBACK.matcher(host).matches();
  }
}
