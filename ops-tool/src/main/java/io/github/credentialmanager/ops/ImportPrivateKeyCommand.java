package io.github.credentialmanager.ops;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "import-private-key",
    description = {
      "Imports an App's private key into KMS, proves it against GitHub, makes it the App's key and"
          + " removes the PEM file.",
      "An App that has a key keeps it as its previous key, usable until retire-key. If anything"
          + " fails, or the command is killed, the App signs as before; run the same command again."
    },
    footer = {
      "%nExample:",
      "  credential-manager import-private-key app.2026-11-23.private-key.pem 123456 AppTable"
    })
class ImportPrivateKeyCommand extends ToolCommand {
  private static final String REMOVED = "removed";

  @Parameters(
      index = "0",
      paramLabel = "<pemFilePath>",
      description = "The .pem file from the App's settings page, or - for standard input.")
  @SuppressWarnings("NullAway.Init")
  private String pemFilePath;

  @Mixin
  @SuppressWarnings("NullAway.Init")
  private AppInTable app;

  @Option(names = "--keep-pem", description = "Leave the PEM file where it is.")
  private boolean keepPem;

  boolean isRotation() {
    return false;
  }

  @Override
  final Result run(Session session) {
    try (PrivateKeyFile file = PrivateKeyFile.read(pemFilePath, session.tool().in())) {
      KeyManager manager = session.keyManager();
      file.warning().ifPresent(session.terminal()::warning);
      if (session.isDryRun()) {
        return planned(manager.plan(file.pem(), app.appId, app.tableName, isRotation()), file);
      }
      ImportedKey key =
          isRotation()
              ? manager.rotateKey(file.pem(), app.appId, app.tableName)
              : manager.importPrivateKey(file.pem(), app.appId, app.tableName);
      return imported(key, pemAfter(file, session));
    }
  }

  private Result planned(KeyManager.Plan plan, PrivateKeyFile file) {
    List<String> text =
        switch (plan) {
          case FIRST_IMPORT ->
              List.of("Would create a KMS key and make it the key of App " + app.appId);
          case ROTATION ->
              List.of(
                  "Would create a KMS key and make it the key of App " + app.appId,
                  "Would keep the present key as the previous one, usable until retire-key");
          case NOTHING -> List.of("App %d signs with this key already".formatted(app.appId));
        };
    List<String> lines = new ArrayList<>(text);
    if (!keepPem && !file.isStandardInput()) {
      lines.add("Would remove " + file);
    }
    lines.add("Dry run: nothing was changed");
    ObjectNode json =
        json()
            .put("dryRun", true)
            .put("appId", app.appId)
            .put("plan", plan.name())
            .put("fingerprint", file.pem().fingerprint());
    return Result.ok(json, lines);
  }

  private Result imported(ImportedKey key, String pem) {
    List<String> lines = new ArrayList<>();
    lines.add(
        key.created()
            ? "App %d signs with %s".formatted(app.appId, key.keyArn())
            : "App %d signs with this key already: %s".formatted(app.appId, key.keyArn()));
    lines.add("Fingerprint " + key.fingerprint());
    if (pem.equals(REMOVED)) {
      lines.add("Removed " + pemFilePath);
    }
    key.previousKeyArn()
        .ifPresent(
            previous ->
                lines.add(
                    "Previous key %s stays usable; after 24 h: credential-manager retire-key %d %s"
                        .formatted(previous, app.appId, app.tableName)));
    ObjectNode json =
        json()
            .put("appId", app.appId)
            .put("keyArn", key.keyArn())
            .put("previousKeyArn", key.previousKeyArn().orElse(null))
            .put("fingerprint", key.fingerprint())
            .put("created", key.created())
            .put("pem", pem);
    return Result.ok(json, lines);
  }

  /** Removes the PEM unless it is to be kept. That it cannot be is no failure of the import. */
  private String pemAfter(PrivateKeyFile file, Session session) {
    if (file.isStandardInput()) {
      return "stdin";
    }
    if (keepPem) {
      session.terminal().warning("The private key is still in %s: remove it".formatted(file));
      return "kept";
    }
    Optional<String> problem = file.remove();
    if (problem.isPresent()) {
      session
          .terminal()
          .warning(
              "The key is imported, but %s could not be removed (%s): remove it"
                  .formatted(file, problem.get()));
      return "not removed";
    }
    return REMOVED;
  }
}
