package io.github.credentialmanager.server.installations;

import io.github.credentialmanager.server.store.Installation;
import java.util.Map;
import java.util.TreeMap;

/** An installation as the wire contract spells it. */
final class InstallationOutput {
  private InstallationOutput() {}

  static Map<String, Object> of(Installation installation) {
    Map<String, Object> members = new TreeMap<>();
    members.put("appId", installation.appId());
    members.put("installationId", installation.installationId());
    members.put("nodeId", installation.nodeId());
    installation.targetType().ifPresent(type -> members.put("targetType", type));
    installation.name().ifPresent(name -> members.put("name", name));
    return members;
  }
}
