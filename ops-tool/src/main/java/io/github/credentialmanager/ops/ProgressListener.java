package io.github.credentialmanager.ops;

/**
 * Told how far an import is, on the thread that runs it. Details name ids, ARNs and fingerprints,
 * never key material.
 */
public interface ProgressListener {
  /** Says nothing. */
  ProgressListener NONE = new ProgressListener() {};

  default void started(ImportStep step) {}

  default void finished(ImportStep step, String detail) {}

  /** A call was answered: which and how, without what was sent or received. */
  default void call(String description) {}

  /** Something the operator should know that does not stop the work. */
  default void warning(String message) {}
}
