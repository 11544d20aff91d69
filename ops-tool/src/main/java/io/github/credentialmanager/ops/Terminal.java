package io.github.credentialmanager.ops;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Help.Ansi;

/**
 * What an operator sees: results on standard output, everything else on standard error.
 *
 * <p>As JSON, standard output carries exactly one document, warnings and errors included.
 */
final class Terminal implements ProgressListener {
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
  private static final int STEPS = ImportStep.values().length;

  private final PrintWriter out;
  private final PrintWriter err;
  private final Ansi ansi;
  private final boolean json;
  private final boolean verbose;
  private final List<String> warnings = new ArrayList<>();
  private boolean midLine;

  Terminal(PrintWriter out, PrintWriter err, Ansi ansi, boolean json, boolean verbose) {
    this.out = out;
    this.err = err;
    this.ansi = ansi;
    this.json = json;
    this.verbose = verbose;
  }

  @Override
  public void started(ImportStep step) {
    if (!json) {
      err.printf("[%d/%d] %s ... ", step.ordinal() + 1, STEPS, titleOf(step));
      err.flush();
      midLine = true;
    }
  }

  @Override
  public void finished(ImportStep step, String detail) {
    if (!json) {
      if (!midLine) {
        err.printf("[%d/%d] %s ... ", step.ordinal() + 1, STEPS, titleOf(step));
      }
      err.println(detail);
      err.flush();
      midLine = false;
    }
  }

  @Override
  public void call(String description) {
    if (verbose) {
      note("  " + description);
    }
  }

  @Override
  public void warning(String message) {
    warnings.add(message);
    if (!json) {
      note(styled("yellow", "warning: ") + message);
    }
  }

  /** One line on standard error. */
  void note(String line) {
    endLine();
    err.println(line);
    err.flush();
  }

  void error(String reason, int exitCode, String message) {
    if (json) {
      ObjectNode document = JSON.createObjectNode();
      document
          .putObject("error")
          .put("reason", reason)
          .put("exitCode", exitCode)
          .put("message", message);
      print(document);
    } else {
      note(styled("bold,red", "error: ") + message);
    }
  }

  void stackTrace(Throwable problem) {
    if (verbose) {
      endLine();
      problem.printStackTrace(err);
      err.flush();
    }
  }

  void print(Result result) {
    endLine();
    if (json) {
      print(result.json());
    } else {
      result.text().forEach(out::println);
      out.flush();
    }
  }

  /** {@code text} in a colour if this is a terminal. */
  String styled(String style, String text) {
    return ansi.string("@|%s %s|@".formatted(style, text));
  }

  private void print(ObjectNode document) {
    warnings.forEach(document.withArray("warnings")::add);
    try {
      out.println(JSON.writeValueAsString(document));
      out.flush();
    } catch (JsonProcessingException e) {
      throw new AssertionError("A tree can be written", e);
    }
  }

  private void endLine() {
    if (midLine) {
      err.println();
      midLine = false;
    }
  }

  private static String titleOf(ImportStep step) {
    return switch (step) {
      case READ_TABLE -> "read the App table";
      case PROVE_PEM -> "prove the PEM to GitHub";
      case CREATE_KEY -> "create a KMS key";
      case GET_PARAMETERS -> "get the wrapping key";
      case IMPORT_MATERIAL -> "wrap and import the key";
      case COMPARE_PUBLIC_KEY -> "compare the public keys";
      case VERIFY_SIGNATURE -> "sign with KMS and verify";
      case PROVE_KMS_KEY -> "prove the KMS key to GitHub";
      case SWITCH -> "switch the App to the key";
    };
  }
}
