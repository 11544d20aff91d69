package io.github.credentialmanager.sdk;

/**
 * Why there is no token.
 *
 * <p>For programs to branch on and for metrics; the exception's message is for people. More may be
 * added.
 */
public enum Reason {
  /** The server does not know the App. */
  APP_NOT_REGISTERED,
  /** The App is not installed on the account. */
  INSTALLATION_NOT_FOUND,
  /** The account's owner has suspended the installation. */
  INSTALLATION_SUSPENDED,
  /** The installation does not have what the scope asks for. */
  SCOPE_NOT_GRANTED,
  /** GitHub refuses the App's signature: the key was deleted there, or is another App's. */
  APP_KEY_REJECTED,
  /** The App's key cannot sign: disabled, pending deletion, or denied to the server. */
  APP_KEY_UNAVAILABLE,
  /** Too many calls, at GitHub, AWS or the server. */
  THROTTLED,
  /** GitHub does not answer, or answers with a failure. */
  GITHUB_UNAVAILABLE,
  /** An AWS service behind the server does not answer. */
  AWS_UNAVAILABLE,
  /** Nobody answered in time. */
  TIMEOUT,
  /** The server failed. */
  INTERNAL,
  /** IAM does not let this caller call the operation, or the signature was not accepted. */
  ACCESS_DENIED,
  /** The server does not accept the request's form or content. */
  INVALID_REQUEST,
  /** A setting is missing; the message names it. */
  NOT_CONFIGURED,
  /** No AWS credentials to sign the request with. */
  NO_AWS_CREDENTIALS,
  /** No connection to the endpoint. */
  UNREACHABLE,
  /**
   * What answered does not speak the Credential Manager's protocol; the endpoint may be another
   * service's.
   */
  UNEXPECTED_ANSWER,
  /** The waiting thread was interrupted. */
  INTERRUPTED,
  /** The provider has been closed. */
  CLOSED,
  /** The server gave a reason that this version does not know, or none. */
  UNKNOWN
}
