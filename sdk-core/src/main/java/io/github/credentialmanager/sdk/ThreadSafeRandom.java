package io.github.credentialmanager.sdk;

import java.util.concurrent.ThreadLocalRandom;
import java.util.random.RandomGenerator;

/**
 * Randomness for jitter that many threads may share; {@link ThreadLocalRandom} itself may not be
 * kept in a field.
 */
enum ThreadSafeRandom implements RandomGenerator {
  INSTANCE;

  @Override
  public long nextLong() {
    return ThreadLocalRandom.current().nextLong();
  }
}
