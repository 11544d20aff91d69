package io.github.credentialmanager.server.installations;

import io.github.credentialmanager.server.contract.Constraints;
import io.github.credentialmanager.server.functionurl.Answer;
import io.github.credentialmanager.server.functionurl.Operation;
import io.github.credentialmanager.server.functionurl.Request;
import io.github.credentialmanager.server.json.JsonException;
import io.github.credentialmanager.server.store.InstallationTable;
import io.github.credentialmanager.server.store.InstallationTable.Key;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Says which Apps are installed anywhere, page by page. */
public final class GetInstallations implements Operation {
  /** A page of so many installations stays well below the 6 MB that Lambda may answer. */
  private static final int MAX_PAGE = 5_000;

  private final InstallationTable table;

  public GetInstallations(InstallationTable table) {
    this.table = table;
  }

  @Override
  public Answer answer(Request request) {
    long maxResults = request.input().integer("maxResults").orElse(0);
    if (maxResults != (int) maxResults) {
      throw new JsonException("/maxResults is no 32-bit integer");
    }
    Optional<String> nextToken = request.input().string("nextToken");
    Optional<Key> after = nextToken.flatMap(PageToken::read);
    Constraints constraints = new Constraints();
    constraints.atLeast("/maxResults", maxResults, 0);
    if (nextToken.isPresent() && after.isEmpty()) {
      constraints.foreignToken("/nextToken");
    }
    constraints.check();

    int limit = maxResults == 0 ? MAX_PAGE : (int) Math.min(maxResults, MAX_PAGE);
    InstallationTable.Page page = table.list(after, limit, request.deadline());
    Map<String, Object> output = new TreeMap<>();
    output.put("installations", page.installations().stream().map(InstallationOutput::of).toList());
    page.next().ifPresent(next -> output.put("nextToken", PageToken.of(next)));
    return Answer.of(output);
  }
}
