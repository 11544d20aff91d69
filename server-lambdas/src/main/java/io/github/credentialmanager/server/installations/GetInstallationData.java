package io.github.credentialmanager.server.installations;

import io.github.credentialmanager.server.contract.Constraints;
import io.github.credentialmanager.server.contract.Reason;
import io.github.credentialmanager.server.contract.ServiceException;
import io.github.credentialmanager.server.functionurl.Answer;
import io.github.credentialmanager.server.functionurl.Operation;
import io.github.credentialmanager.server.functionurl.Request;
import io.github.credentialmanager.server.store.Installation;
import io.github.credentialmanager.server.store.InstallationTable;
import java.util.List;
import java.util.Map;

/** Says which Apps are installed on one account. */
public final class GetInstallationData implements Operation {
  private static final int MAX_NODE_ID_LENGTH = 256;

  private final InstallationTable table;

  public GetInstallationData(InstallationTable table) {
    this.table = table;
  }

  @Override
  public Answer answer(Request request) {
    Constraints constraints = new Constraints();
    String nodeId =
        constraints.required("/nodeId", request.input().string("nodeId"), 1, MAX_NODE_ID_LENGTH);
    constraints.check();

    List<Installation> installations = table.onAccount(nodeId, request.deadline());
    if (installations.isEmpty()) {
      throw ServiceException.clientSide(
          Reason.INSTALLATION_NOT_FOUND, "Error: No installations found for node: " + nodeId);
    }
    return Answer.of(
        Map.of("installations", installations.stream().map(InstallationOutput::of).toList()));
  }
}
