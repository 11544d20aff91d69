package io.github.credentialmanager.server.github;

import io.github.credentialmanager.server.json.JsonObject;
import java.util.OptionalInt;

/** Reads a page of installations as the real thing does, for tests without HTTP. */
public final class GitHubPages {
  private GitHubPages() {}

  public static InstallationPage page(
      String json, int pageSize, boolean hasNext, OptionalInt last) {
    return HttpGitHubApi.page(JsonObject.parseList(json), pageSize, hasNext, last);
  }
}
