package io.github.credentialmanager.ops;

import java.net.URI;
import java.util.Set;

/** Which addresses may be sent credentials. */
final class Loopback {
  private static final Set<String> HOSTS = Set.of("localhost", "127.0.0.1", "[::1]");

  private Loopback() {}

  /** Whether nobody on the network can read what is sent there: https, or this very machine. */
  static boolean isSecure(URI uri) {
    String host = uri.getHost();
    return host != null
        && uri.getRawUserInfo() == null
        && ("https".equals(uri.getScheme())
            || ("http".equals(uri.getScheme()) && HOSTS.contains(host)));
  }
}
