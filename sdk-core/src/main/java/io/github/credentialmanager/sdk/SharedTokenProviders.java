package io.github.credentialmanager.sdk;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * This process's providers, one per configuration; see {@link TokenProvider#credentialManager()}.
 */
final class SharedTokenProviders {
  private static final ConcurrentMap<ClientConfiguration, TokenProvider> PROVIDERS =
      new ConcurrentHashMap<>();

  private SharedTokenProviders() {}

  static TokenProvider credentialManager(Settings settings) {
    CredentialManagerClient.Builder builder = CredentialManagerClient.builder().settings(settings);
    return PROVIDERS.computeIfAbsent(
        builder.configuration(),
        configuration ->
            CachingTokenProvider.builder(builder.build().asTokenProvider()).shared().build());
  }
}
