package io.github.credentialmanager.server.store;

/** Failures of tables for tests that double the tables themselves. */
public final class StoreFailures {
  private StoreFailures() {}

  public static StoreException of(StoreException.Cause cause) {
    return new StoreException(cause, "as the test wants it");
  }
}
