package io.github.credentialmanager.server.snapstart;

/** What {@code org.crac} looks for by this name. */
public final class CheckpointException extends Exception {
  private static final long serialVersionUID = 1;
}
