package io.github.credentialmanager.server;

import java.util.List;
import org.crac.Context;
import org.crac.Resource;

/**
 * What happens around a snapshot of the environment (Lambda SnapStart).
 *
 * <p>Many environments go on from one snapshot, perhaps weeks later: it holds no row, no JWT and no
 * connection that any of them would use, and the classes that a first request needs.
 */
final class Snapshot implements Resource {
  private final List<Runnable> forgetting;
  private final Runnable priming;
  private final Runnable reconnecting;

  Snapshot(List<Runnable> forgetting, Runnable priming, Runnable reconnecting) {
    this.forgetting = List.copyOf(forgetting);
    this.priming = priming;
    this.reconnecting = reconnecting;
  }

  @Override
  public void beforeCheckpoint(Context<? extends Resource> context) {
    priming.run();
    forgetting.forEach(Runnable::run);
  }

  @Override
  public void afterRestore(Context<? extends Resource> context) {
    forgetting.forEach(Runnable::run);
    reconnecting.run();
  }
}
