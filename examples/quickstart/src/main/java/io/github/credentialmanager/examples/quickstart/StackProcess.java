package io.github.credentialmanager.examples.quickstart;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A running local stack, and what it prints. */
final class StackProcess implements AutoCloseable {
  private static final Pattern EXPORT = Pattern.compile("\\s*export (\\w+)='?([^']*)'?");

  private final Process process;
  private final BufferedReader output;
  private final Map<String, String> environment = new TreeMap<>();

  private StackProcess(Process process) {
    this.process = process;
    this.output = process.inputReader(UTF_8);
  }

  /** Starts the script and waits until it says that it is ready. */
  static StackProcess start(Path script, Path seed) throws IOException {
    StackProcess stack =
        new StackProcess(
            new ProcessBuilder(script.toString(), "--port", "0", "--seed", seed.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start());
    try {
      stack.awaitReady();
      return stack;
    } catch (IOException | RuntimeException e) {
      stack.close();
      throw e;
    }
  }

  private void awaitReady() throws IOException {
    for (String line = output.readLine(); line != null; line = output.readLine()) {
      Matcher export = EXPORT.matcher(line);
      if (export.matches()) {
        environment.put(export.group(1), export.group(2));
      } else if (line.startsWith("Ready: ")) {
        return;
      }
    }
    throw new IllegalStateException("The local stack ended before it was ready.");
  }

  /** What a client's environment must hold. */
  Map<String, String> environment() {
    return environment;
  }

  /** Ends the stack as Ctrl-C does; the audit lines of the installation tokens it vended. */
  List<String> stop() throws IOException, InterruptedException {
    process.toHandle().destroy(); // Process.destroy() would close the output with it.
    List<String> vends = new ArrayList<>();
    for (String line = output.readLine(); line != null; line = output.readLine()) {
      if (line.contains("\"event\":\"InstallationTokenVended\"")) {
        vends.add(line);
      }
    }
    if (!process.waitFor(10, TimeUnit.SECONDS)) {
      throw new IllegalStateException("The local stack did not stop.");
    }
    return vends;
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
