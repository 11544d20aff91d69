package io.github.credentialmanager.server.snapstart;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;

/**
 * A snapshot's two ends without the snapshot, for {@code -Dorg.crac.Core.Compat}. Like Lambda's, it
 * holds resources weakly.
 */
public final class Core {
  private static final List<WeakReference<Resource>> RESOURCES = new ArrayList<>();
  private static final Context<Resource> CONTEXT =
      new Context<>() {
        @Override
        public void register(Resource resource) {
          RESOURCES.add(new WeakReference<>(resource));
        }

        @Override
        public void beforeCheckpoint(Context<? extends Resource> context) {}

        @Override
        public void afterRestore(Context<? extends Resource> context) {}
      };

  private Core() {}

  public static Context<Resource> getGlobalContext() {
    return CONTEXT;
  }

  public static void checkpointRestore() {
    try {
      for (Resource resource : resources()) {
        resource.beforeCheckpoint(CONTEXT);
      }
      for (Resource resource : resources()) {
        resource.afterRestore(CONTEXT);
      }
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /** Those that somebody still holds. */
  static List<Resource> resources() {
    return RESOURCES.stream().map(WeakReference::get).filter(java.util.Objects::nonNull).toList();
  }
}
