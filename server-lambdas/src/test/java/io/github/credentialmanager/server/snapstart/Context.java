package io.github.credentialmanager.server.snapstart;

/** What {@code org.crac} looks for by this name. */
public abstract class Context<R extends Resource> implements Resource {
  public abstract void register(R resource);
}
