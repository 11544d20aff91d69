package io.github.credentialmanager.server.snapstart;

import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import java.io.ByteArrayOutputStream;
import java.io.IOException;

/**
 * One environment of a function: made as Lambda makes it, perhaps snapshotted and restored, and
 * invoked once with standard input.
 */
public final class Function {
  private Function() {}

  /**
   * @param arguments the handler's class, and {@code true} to go through a snapshot
   */
  public static void main(String[] arguments) throws Exception {
    RequestStreamHandler handler =
        (RequestStreamHandler) Class.forName(arguments[0]).getConstructor().newInstance();
    System.gc();
    System.out.println("REGISTERED " + Core.resources().size());
    if (Boolean.parseBoolean(arguments[1])) {
      org.crac.Core.checkpointRestore();
    }
    byte[] event = System.in.readAllBytes();
    Restored.announce();
    invoke(handler, event);
    Answered.announce();
  }

  private static void invoke(RequestStreamHandler handler, byte[] event) throws IOException {
    ByteArrayOutputStream response = new ByteArrayOutputStream();
    try {
      handler.handleRequest(new java.io.ByteArrayInputStream(event), response, null);
    } finally {
      System.out.println("RESPONSE " + response);
    }
  }

  /** The first class that is loaded after the restore. */
  private static final class Restored {
    static void announce() {}
  }

  /** The first class that is loaded after the answer. */
  private static final class Answered {
    static void announce() {}
  }
}
