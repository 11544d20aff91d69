package io.github.credentialmanager.sdk;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Where settings come from when the program gives none: a system property, then an environment
 * variable.
 *
 * <p>The property's name is the variable's in lower case with dots: {@code
 * CREDENTIAL_MANAGER_ENDPOINT} is {@code credential.manager.endpoint}. Blank is the same as not
 * set.
 */
final class Setting {
  static final String ENDPOINT = "CREDENTIAL_MANAGER_ENDPOINT";
  static final String GITHUB_API_URL = "GITHUB_API_URL";
  static final String GITHUB_TOKEN = "GITHUB_TOKEN";

  private Setting() {}

  static @Nullable String get(String variable) {
    String property = System.getProperty(propertyName(variable));
    return property != null && !property.isBlank() ? property.strip() : environment(variable);
  }

  static String propertyName(String variable) {
    return variable.toLowerCase(Locale.ROOT).replace('_', '.');
  }

  private static @Nullable String environment(String variable) {
    String value = System.getenv(variable);
    return value == null || value.isBlank() ? null : value.strip();
  }
}
