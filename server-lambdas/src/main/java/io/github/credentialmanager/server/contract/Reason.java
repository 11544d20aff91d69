package io.github.credentialmanager.server.contract;

/** Why a request was not served. */
public enum Reason {
  /** No App of this number is registered. */
  APP_NOT_REGISTERED,
  /** The App is not installed on the account. */
  INSTALLATION_NOT_FOUND,
  /** The installation is suspended. */
  INSTALLATION_SUSPENDED,
  /** GitHub does not grant the repositories or permissions asked for. */
  SCOPE_NOT_GRANTED,
  /** GitHub refuses what the App's key has signed. */
  APP_KEY_REJECTED,
  /** KMS does not sign with the App's key. */
  APP_KEY_UNAVAILABLE,
  /** GitHub or AWS asks for fewer requests. */
  THROTTLED,
  /** GitHub cannot be reached or does not answer as documented. */
  GITHUB_UNAVAILABLE,
  /** An AWS service failed. */
  AWS_UNAVAILABLE,
  /** There was no answer within the time that a request may take. */
  TIMEOUT,
  /** A fault of this service. */
  INTERNAL
}
