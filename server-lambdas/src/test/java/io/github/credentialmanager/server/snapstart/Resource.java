package io.github.credentialmanager.server.snapstart;

/** What {@code org.crac} looks for by this name. */
public interface Resource {
  void beforeCheckpoint(Context<? extends Resource> context) throws Exception;

  void afterRestore(Context<? extends Resource> context) throws Exception;
}
