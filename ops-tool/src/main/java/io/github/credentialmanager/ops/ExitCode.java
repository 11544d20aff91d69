package io.github.credentialmanager.ops;

import io.github.credentialmanager.ops.KeyManagerException.Reason;

/** What the tool's exit codes mean. Documented in {@link RootCommand} and in the README. */
final class ExitCode {
  static final int OK = 0;
  static final int UNEXPECTED = 1;
  static final int USAGE = 2;
  static final int BAD_PRIVATE_KEY = 3;
  static final int BAD_CONFIGURATION = 4;
  static final int ACCESS_DENIED = 5;
  static final int REFUSED_BY_GITHUB = 6;
  static final int UNSAFE = 7;
  static final int CHECK_FAILED = 8;
  static final int UNAVAILABLE = 9;

  private ExitCode() {}

  static int of(Reason reason) {
    return switch (reason) {
      case BAD_PRIVATE_KEY -> BAD_PRIVATE_KEY;
      case BAD_CONFIGURATION -> BAD_CONFIGURATION;
      case ACCESS_DENIED -> ACCESS_DENIED;
      case REFUSED_BY_GITHUB -> REFUSED_BY_GITHUB;
      case UNSAFE -> UNSAFE;
      case KEY_NOT_USABLE -> CHECK_FAILED;
      case UNAVAILABLE -> UNAVAILABLE;
    };
  }
}
