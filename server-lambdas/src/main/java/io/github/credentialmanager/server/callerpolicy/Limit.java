package io.github.credentialmanager.server.callerpolicy;

/** What a statement limits, in the order in which it is looked at. */
enum Limit {
  CALLER,
  APP,
  ACCOUNT,
  REPOSITORIES,
  PERMISSIONS
}
