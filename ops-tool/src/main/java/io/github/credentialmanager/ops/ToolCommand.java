package io.github.credentialmanager.ops;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.concurrent.Callable;
import picocli.CommandLine.ParentCommand;

/** A command: makes a {@link Result}, which is then printed as asked for. */
abstract class ToolCommand implements Callable<Integer> {
  @ParentCommand
  @SuppressWarnings("NullAway.Init")
  private RootCommand root;

  @Override
  public final Integer call() {
    try (Session session = new Session(root)) {
      Result result = run(session);
      session.terminal().print(result);
      return result.exitCode();
    }
  }

  /**
   * @throws KeyManagerException if it cannot be done
   */
  abstract Result run(Session session);

  static ObjectNode json() {
    return JsonNodeFactory.instance.objectNode();
  }
}
