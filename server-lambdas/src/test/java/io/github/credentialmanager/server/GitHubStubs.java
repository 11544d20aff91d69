package io.github.credentialmanager.server;

import static com.github.tomakehurst.wiremock.client.WireMock.aResponse;
import static com.github.tomakehurst.wiremock.client.WireMock.get;
import static com.github.tomakehurst.wiremock.client.WireMock.okJson;
import static com.github.tomakehurst.wiremock.client.WireMock.post;
import static com.github.tomakehurst.wiremock.client.WireMock.urlPathEqualTo;

import com.github.tomakehurst.wiremock.client.ResponseDefinitionBuilder;
import java.util.Arrays;
import java.util.stream.Collectors;

/** What the tests' GitHub is told to answer. */
public final class GitHubStubs {
  public static final String TOKEN = "ghs_1001_eyJ0.opaque-token_1";
  public static final String EXPIRY = "2026-11-23T09:51:02Z";

  private GitHubStubs() {}

  /** {@code GET /app} knows the App. */
  public static void knowsTheApp(World world) {
    world.gitHub.stubFor(get(urlPathEqualTo("/app")).willReturn(okJson("{\"id\":1001}")));
  }

  /** The installation gets tokens for everything. */
  public static void vends(World world, long installationId) {
    vends(world, installationId, "{\"contents\":\"write\",\"metadata\":\"read\"}", "");
  }

  /**
   * The installation gets tokens of that scope.
   *
   * @param more further members, each with a comma before it
   */
  public static void vends(World world, long installationId, String permissions, String more) {
    answersTokenCall(
        world,
        installationId,
        okJson(
                "{\"token\":\""
                    + TOKEN
                    + "\",\"expires_at\":\""
                    + EXPIRY
                    + "\",\"permissions\":"
                    + permissions
                    + more
                    + "}")
            .withStatus(201)
            .withHeader("x-github-request-id", "ABCD:1"));
  }

  /** The installation's token call is refused. */
  public static void refuses(World world, long installationId, int status, String message) {
    answersTokenCall(
        world,
        installationId,
        aResponse().withStatus(status).withBody("{\"message\":\"" + message + "\"}"));
  }

  public static void answersTokenCall(
      World world, long installationId, ResponseDefinitionBuilder answer) {
    world.gitHub.stubFor(
        post(urlPathEqualTo("/app/installations/" + installationId + "/access_tokens"))
            .willReturn(answer));
  }

  /** The App has these installations, on one page. */
  public static void lists(World world, String... entries) {
    world.gitHub.stubFor(
        get(urlPathEqualTo("/app/installations"))
            .willReturn(okJson(Arrays.stream(entries).collect(Collectors.joining(",", "[", "]")))));
  }

  public static String entry(long id, String nodeId) {
    return "{\"id\":"
        + id
        + ",\"account\":{\"login\":\"account-"
        + id
        + "\",\"node_id\":\""
        + nodeId
        + "\",\"type\":\"Organization\"},\"target_type\":\"Organization\",\"suspended_at\":null}";
  }
}
