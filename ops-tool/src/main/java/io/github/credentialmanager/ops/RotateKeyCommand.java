package io.github.credentialmanager.ops;

import picocli.CommandLine.Command;

@Command(
    name = "rotate-key",
    description = {
      "Replaces an App's key without an outage: as import-private-key, but only for an App that has"
          + " a key.",
      "Generate the new key on the App's settings page first; delete the old one there after"
          + " retire-key."
    },
    footer = {
      "%nExample:",
      "  credential-manager rotate-key app.2026-11-23.private-key.pem 123456 AppTable"
    })
final class RotateKeyCommand extends ImportPrivateKeyCommand {
  @Override
  boolean isRotation() {
    return true;
  }
}
