package io.github.credentialmanager.local;

import com.amazonaws.services.lambda.runtime.Context;
import java.time.Duration;

/** An invocation of a handler that runs without the whole stack, with all the time it needs. */
public final class TestInvocation {
  private TestInvocation() {}

  public static Context start() {
    return new Invocation("request", "AppToken", "us-east-1", Duration.ofMinutes(1));
  }
}
