package io.github.credentialmanager.local;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Arrays;

/**
 * Runs another program's {@code main} in a process that ends when its parent does, however the
 * parent ends.
 *
 * <p>The parent holds the other end of standard input and never writes to it; the operating system
 * closes it when the parent is gone, killed or not. Uses nothing but the JDK.
 */
final class StopsWithParent {
  private StopsWithParent() {}

  /**
   * @param arguments the main class, then its arguments
   */
  public static void main(String[] arguments) throws Exception {
    Thread watch = new Thread(StopsWithParent::exitAtEndOfInput, "stops-with-parent");
    watch.setDaemon(true);
    watch.start();
    Class.forName(arguments[0])
        .getMethod("main", String[].class)
        .invoke(null, (Object) Arrays.copyOfRange(arguments, 1, arguments.length));
  }

  private static void exitAtEndOfInput() {
    try (InputStream input = System.in) {
      input.transferTo(OutputStream.nullOutputStream());
    } catch (IOException e) {
      // A broken pipe is an end too.
    }
    System.exit(0);
  }
}
