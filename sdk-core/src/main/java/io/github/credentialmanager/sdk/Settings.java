package io.github.credentialmanager.sdk;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What a process is configured with: system properties first, then environment variables.
 *
 * <p>A property's name is the variable's in lower case with dots: {@code
 * CREDENTIAL_MANAGER_ENDPOINT} is {@code credential.manager.endpoint}. A blank value is the same as
 * none.
 */
final class Settings {
  /** Where one name is looked up. */
  @FunctionalInterface
  interface Source {
    @Nullable String get(String name);
  }

  static final String ENDPOINT = "CREDENTIAL_MANAGER_ENDPOINT";
  static final String GITHUB_API_URL = "GITHUB_API_URL";
  static final String GITHUB_TOKEN = "GITHUB_TOKEN";
  static final String AWS_REGION = "AWS_REGION";

  private final Source properties;
  private final Source environment;

  Settings(Source properties, Source environment) {
    this.properties = properties;
    this.environment = environment;
  }

  /** This process's. */
  static Settings system() {
    return new Settings(System::getProperty, System::getenv);
  }

  /**
   * The first of these variables that is set as a property, else the first that is set in the
   * environment, else null.
   */
  @Nullable String first(String... variables) {
    for (String variable : variables) {
      String value = blankToNull(properties.get(propertyName(variable)));
      if (value != null) {
        return value;
      }
    }
    for (String variable : variables) {
      String value = blankToNull(environment.get(variable));
      if (value != null) {
        return value;
      }
    }
    return null;
  }

  static String propertyName(String variable) {
    return variable.toLowerCase(Locale.ROOT).replace('_', '.');
  }

  private static @Nullable String blankToNull(@Nullable String value) {
    return value == null || value.isBlank() ? null : value.strip();
  }
}
