package io.github.credentialmanager.server.installationtoken;

import io.github.credentialmanager.server.appcredentials.AppCredentials;
import io.github.credentialmanager.server.audit.HashedToken;
import io.github.credentialmanager.server.audit.ServiceLog;
import io.github.credentialmanager.server.callerpolicy.CallerPolicy;
import io.github.credentialmanager.server.contract.Constraints;
import io.github.credentialmanager.server.contract.Reason;
import io.github.credentialmanager.server.contract.ServiceException;
import io.github.credentialmanager.server.functionurl.Answer;
import io.github.credentialmanager.server.functionurl.Operation;
import io.github.credentialmanager.server.functionurl.Request;
import io.github.credentialmanager.server.github.GitHubApi;
import io.github.credentialmanager.server.github.GitHubException;
import io.github.credentialmanager.server.github.InstallationToken;
import io.github.credentialmanager.server.github.InstallationToken.Repository;
import io.github.credentialmanager.server.github.TokenScope;
import io.github.credentialmanager.server.json.JsonException;
import io.github.credentialmanager.server.json.JsonObject;
import io.github.credentialmanager.server.outbound.Deadline;
import io.github.credentialmanager.server.signing.AppJwt;
import io.github.credentialmanager.server.store.InstallationTable;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Hands out a token by which a program acts as one installation of an App.
 *
 * <p>Each call has GitHub make a new token. What GitHub granted is compared with what was asked
 * for; a token that can do more is revoked and never handed out.
 */
public final class GetInstallationToken implements Operation {
  private static final int MAX_NODE_ID_LENGTH = 256;
  private static final Set<String> SCOPE_MEMBERS =
      Set.of("repositoryIds", "repositoryNames", "permissions");

  private final AppCredentials credentials;
  private final Installations installations;
  private final GitHubApi gitHub;
  private final CallerPolicy policy;
  private final ServiceLog log;

  public GetInstallationToken(
      AppCredentials credentials,
      InstallationTable table,
      GitHubApi gitHub,
      CallerPolicy policy,
      ServiceLog log,
      InstantSource clock) {
    this.credentials = credentials;
    this.installations = new Installations(table, gitHub, clock);
    this.gitHub = gitHub;
    this.policy = policy;
    this.log = log;
  }

  @Override
  public Answer answer(Request request) {
    JsonObject input = request.input();
    Constraints constraints = new Constraints();
    long appId = constraints.required("/appId", input.integer("appId"), 1);
    String nodeId = constraints.required("/nodeId", input.string("nodeId"), 1, MAX_NODE_ID_LENGTH);
    Optional<JsonObject> scopeDown = input.object("scopeDown");
    JsonObject narrowing = scopeDown.orElseGet(JsonObject::empty);
    if (!SCOPE_MEMBERS.containsAll(narrowing.names())) {
      // A misspelt member would otherwise hand out a token for everything.
      throw new JsonException("/scopeDown has an unknown member");
    }
    Optional<List<Long>> repositoryIds =
        narrowing
            .integers("repositoryIds")
            .map(ids -> constraints.elements("/scopeDown/repositoryIds", ids));
    Optional<List<String>> repositoryNames =
        narrowing
            .strings("repositoryNames")
            .map(names -> constraints.elements("/scopeDown/repositoryNames", names));
    Optional<Map<String, String>> permissions =
        narrowing
            .stringMap("permissions")
            .map(levels -> constraints.entries("/scopeDown/permissions", levels));
    constraints.check();

    TokenScope scope = new TokenScope(repositoryIds, repositoryNames, permissions);
    policy.requireInstallationToken(request.caller(), appId, nodeId, scope);
    Deadline deadline = request.deadline();
    Minted minted =
        credentials.call(appId, deadline, jwt -> mint(appId, nodeId, scope, jwt, deadline));
    requireWithinScope(appId, nodeId, scope, minted, deadline);
    return answer(appId, nodeId, scopeDown.map(sent -> scope.toJson()), minted);
  }

  private Minted mint(long appId, String nodeId, TokenScope scope, AppJwt jwt, Deadline deadline) {
    long id =
        installations
            .find(appId, nodeId, jwt.value(), deadline)
            .orElseThrow(
                () ->
                    ServiceException.clientSide(
                        Reason.INSTALLATION_NOT_FOUND,
                        "Error: Installation not found in response for app Id: "
                            + appId
                            + " and target: "
                            + nodeId));
    try {
      return new Minted(gitHub.createToken(jwt.value(), id, scope, deadline), id, jwt.keyArn());
    } catch (GitHubException e) {
      if (e.reason() != GitHubException.Cause.NOT_FOUND) {
        throw e;
      }
      long successor =
          installations
              .findSuccessor(id, appId, nodeId, jwt.value(), deadline)
              .orElseThrow(() -> e);
      return new Minted(
          gitHub.createToken(jwt.value(), successor, scope, deadline), successor, jwt.keyArn());
    }
  }

  private void requireWithinScope(
      long appId, String nodeId, TokenScope requested, Minted minted, Deadline deadline) {
    if (GrantCheck.isWithin(requested, minted.token())) {
      return;
    }
    log.alarm(
        "GrantWiderThanAsked",
        Map.of(
            "appId", appId,
            "nodeId", nodeId,
            "installationId", minted.installationId(),
            "hashedToken", HashedToken.of(minted.token().value()),
            "requestedScopeDown", requested.toJson(),
            "actualScopeDown", granted(minted.token())));
    try {
      gitHub.revoke(minted.token(), deadline);
    } catch (GitHubException e) {
      // Nobody has the token, and it ends by itself within the hour.
    }
    throw ServiceException.serverSide(Reason.INTERNAL, null);
  }

  private static Answer answer(
      long appId, String nodeId, Optional<Map<String, Object>> requestedScopeDown, Minted minted) {
    InstallationToken token = minted.token();
    Map<String, Object> common = new TreeMap<>();
    common.put("appId", appId);
    common.put("nodeId", nodeId);
    common.put("expirationTime", token.expiresAt().toString());
    common.put("actualScopeDown", granted(token));
    requestedScopeDown.ifPresent(sent -> common.put("requestedScopeDown", sent));

    Map<String, Object> output = new TreeMap<>(common);
    output.put("installationToken", token.value());

    Map<String, Object> audit = new TreeMap<>(common);
    audit.put("installationId", minted.installationId());
    audit.put("hashedToken", HashedToken.of(token.value()));
    audit.put("kmsKeyArn", minted.keyArn());
    token.requestId().ifPresent(id -> audit.put("gitHubRequestId", id));
    return Answer.vending(output, "InstallationTokenVended", audit);
  }

  private static Map<String, Object> granted(InstallationToken token) {
    Map<String, Object> granted = new TreeMap<>();
    granted.put("permissions", token.permissions());
    token
        .repositories()
        .ifPresent(
            repositories -> {
              granted.put("repositoryIds", repositories.stream().map(Repository::id).toList());
              granted.put("repositoryNames", repositories.stream().map(Repository::name).toList());
            });
    return granted;
  }

  /** Forgets everything, as if nothing had been asked yet. */
  public void clear() {
    installations.clear();
  }

  private record Minted(InstallationToken token, long installationId, String keyArn) {}
}
