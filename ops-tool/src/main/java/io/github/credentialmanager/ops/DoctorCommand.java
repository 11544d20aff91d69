package io.github.credentialmanager.ops;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.credentialmanager.ops.AppTable.Row;
import io.github.credentialmanager.ops.GitHubApi.App;
import io.github.credentialmanager.ops.GitHubApi.Installation;
import io.github.credentialmanager.ops.KeyManagerException.Reason;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.services.sts.model.GetCallerIdentityResponse;

@Command(
    name = "doctor",
    description = {
      "Looks for what keeps tokens from being issued, from your credentials to the installation's"
          + " permissions, and says how to set it right. Changes nothing.",
      "Endpoints are taken from CREDENTIAL_MANAGER_ENDPOINT or CREDENTIAL_MANAGER_*_ENDPOINT, or"
          + " found by their tags."
    },
    footer = {
      "%nExample:",
      "  credential-manager doctor --app-id 123456 --table AppTable --node-id O_kgDOAbc123"
    })
final class DoctorCommand extends ToolCommand {
  @Option(
      names = "--app-id",
      paramLabel = "<appId>",
      converter = AppIdConverter.class,
      description = "The App to look at; without it, only your side and the endpoints are.")
  private @Nullable Long appId;

  @Option(
      names = "--table",
      paramLabel = "NAME",
      description = "The App table; by default the one tagged as App table.")
  private @Nullable String tableName;

  @Option(
      names = "--node-id",
      paramLabel = "ID",
      description = "Node id of the account whose installation to look at; by default all.")
  private @Nullable String nodeId;

  @Option(
      names = "--stack",
      paramLabel = "NAME",
      description = "The CloudFormation stack, where there is more than one.")
  private @Nullable String stack;

  /** As AWS answered. */
  private Optional<Instant> awsTime = Optional.empty();

  @Override
  Result run(Session session) {
    Checklist checklist = new Checklist();
    Check identity = identity(session);
    checklist.add(identity);
    Optional<Instant> time = awsTime;
    try {
      time = session.gitHub().time().or(() -> awsTime);
    } catch (KeyManagerException e) {
      checklist.add(Check.failed("GitHub", e));
    }
    Check clock = clock(time, session.tool().clock().instant());
    checklist.add(clock);
    if (identity.isFailed() || clock.isFailed()) {
      checklist.add(Check.skipped("endpoints", "needs credentials and a clock that is right"));
    } else {
      endpoints(session).forEach(checklist::add);
    }
    if (appId == null) {
      checklist.add(Check.skipped("App", "give --app-id to look at an App"));
    } else {
      checklist.addAll(app(session, appId));
    }
    return checklist.result(session.terminal());
  }

  private Check identity(Session session) {
    try {
      GetCallerIdentityResponse caller =
          AwsFailures.explained(
              "sts:GetCallerIdentity", () -> session.aws().sts().getCallerIdentity());
      awsTime = caller.sdkHttpResponse().firstMatchingHeader("date").flatMap(Timestamps::parseHttp);
      return Check.ok("identity", "%s in %s".formatted(caller.arn(), session.aws().region()));
    } catch (KeyManagerException e) {
      return Check.failed("identity", e);
    }
  }

  private static Check clock(Optional<Instant> time, Instant now) {
    if (time.isEmpty()) {
      return Check.warning("clock", "nobody tells the time", "check the clock yourself");
    }
    Duration skew = Duration.between(time.get(), now);
    String detail = "%+d s off".formatted(skew.toSeconds());
    return skew.abs().compareTo(GitHubApi.TOLERATED_SKEW) > 0
        ? Check.failed("clock", detail, "set this machine's clock")
        : Check.ok("clock", detail);
  }

  private List<Check> endpoints(Session session) {
    Map<Endpoint, URI> urls;
    try {
      urls = endpointUrls(session);
    } catch (KeyManagerException e) {
      return List.of(Check.failed("endpoints", e));
    }
    List<Check> checks = new ArrayList<>();
    for (Endpoint endpoint : Endpoint.values()) {
      URI url = urls.get(endpoint);
      checks.add(
          url == null
              ? Check.failed(endpoint.operation(), "no URL known", "set " + endpoint.variable())
              : invoke(session, endpoint, url));
    }
    return checks;
  }

  private Map<Endpoint, URI> endpointUrls(Session session) {
    Map<Endpoint, URI> configured = new EnumMap<>(Endpoint.class);
    for (Endpoint endpoint : Endpoint.values()) {
      session
          .variable(endpoint.variable())
          .or(() -> session.variable(Endpoint.ALL))
          .ifPresent(url -> configured.put(endpoint, url(url, endpoint)));
    }
    return configured.isEmpty()
        ? StackEndpoints.find(session.taggedResources(), stack)
        : configured;
  }

  private static URI url(String text, Endpoint endpoint) {
    try {
      return URI.create(text);
    } catch (IllegalArgumentException e) {
      throw new KeyManagerException(
          Reason.BAD_CONFIGURATION,
          "The endpoint is no URL: correct %s or %s".formatted(endpoint.variable(), Endpoint.ALL));
    }
  }

  /**
   * Whether IAM lets the caller in. The request is one that every operation refuses before it does
   * anything, for its content type.
   */
  private static Check invoke(Session session, Endpoint endpoint, URI base) {
    String name = endpoint.operation();
    URI url = endpoint.under(base);
    SignedHttp.Response response;
    try {
      response =
          session
              .aws()
              .signedHttp()
              .send(
                  "lambda:InvokeFunctionUrl of " + name,
                  SdkHttpMethod.POST,
                  url,
                  "lambda",
                  Map.of("content-type", "text/plain", "accept", "text/plain"),
                  "doctor".getBytes(UTF_8));
    } catch (IOException e) {
      return Check.failed(
          name,
          "no answer from %s (%s)".formatted(url, e.getClass().getSimpleName()),
          "check the network and " + endpoint.variable());
    } catch (KeyManagerException e) {
      return Check.failed(name, e);
    }
    int status = response.status();
    String error = response.header("x-amzn-errortype").orElse("").split(":", 2)[0];
    if (status == 406 || status == 415) {
      return Check.ok(name, "may be invoked at " + url);
    }
    if (status == 403 && error.contains("Signature")) {
      return Check.failed(
          name,
          "the signature is refused (%s)".formatted(error),
          "renew the credentials, and give the region of the URL as --region");
    }
    if (status == 403) {
      return Check.failed(
          name,
          "this identity may not invoke it",
          "allow lambda:InvokeFunctionUrl, and lambda:InvokeFunction with"
              + " lambda:InvokedViaFunctionUrl=true, on its function");
    }
    if (status == 429) {
      return Check.warning(
          name, "throttled", "look at the function's reserved concurrency: 0 switches it off");
    }
    if (status == 404) {
      return Check.failed(name, "not found at " + url, "correct " + endpoint.variable());
    }
    return Check.failed(
        name, "answers %d at %s".formatted(status, url), "look into the function's log");
  }

  private List<Check> app(Session session, long id) {
    Row row;
    try {
      String table = tableName != null ? tableName : onlyTable(session);
      row = session.table(table).row(id).orElse(null);
      if (row == null || row.live() == null) {
        return List.of(
            Check.failed(
                "App table",
                "%s has no key for App %d".formatted(table, id),
                "credential-manager import-private-key PEM %d %s".formatted(id, table)));
      }
    } catch (KeyManagerException e) {
      return List.of(Check.failed("App table", e));
    }
    String live = row.live();
    List<Check> checks = new ArrayList<>();
    checks.add(Check.ok("App table", "App %d signs with %s".formatted(id, live)));
    try {
      checks.addAll(new KeyInspector(session.keys(), session.gitHub()).inspect(live, id));
    } catch (KeyManagerException e) { // of GitHub's URL
      checks.add(Check.failed("GitHub", e));
    }
    if (checks.stream().anyMatch(Check::isFailed)) {
      checks.add(Check.skipped("installation", "needs a key that GitHub accepts"));
    } else {
      checks.addAll(installations(session, id, live));
    }
    return checks;
  }

  private static String onlyTable(Session session) {
    List<String> tables = session.taggedResources().appTables();
    if (tables.size() != 1) {
      throw new KeyManagerException(
          Reason.BAD_CONFIGURATION,
          "%d tables are tagged as App tables: give --table".formatted(tables.size()));
    }
    return tables.get(0);
  }

  private List<Check> installations(Session session, long id, String keyArn) {
    KmsKeys keys = session.keys();
    GitHubApi gitHub = session.gitHub();
    try {
      String fingerprint = Fingerprint.of(keys.publicKey(keyArn));
      AppJwt.Signer signer = input -> keys.sign(keyArn, input);
      App app = gitHub.prove(id, signer, fingerprint);
      List<Installation> installations =
          gitHub.installations(id, signer, fingerprint).stream()
              .filter(found -> nodeId == null || nodeId.equals(found.nodeId()))
              .toList();
      if (installations.isEmpty()) {
        return List.of(
            Check.failed(
                "installation",
                nodeId == null
                    ? "the App is not installed anywhere"
                    : "the App is not installed on " + nodeId,
                "install it from its settings page, or check the node id"));
      }
      return installations.stream().map(found -> installation(found, app)).toList();
    } catch (KeyManagerException e) {
      return List.of(Check.failed("installation", e));
    }
  }

  private static Check installation(Installation found, App app) {
    String name = "installation " + found.account();
    if (found.suspended()) {
      return Check.failed(
          name, "is suspended", "have its owner unsuspend it: " + found.settingsUrl());
    }
    List<String> notGranted =
        app.permissions().entrySet().stream()
            .filter(asked -> !asked.getValue().equals(found.permissions().get(asked.getKey())))
            .map(asked -> asked.getKey() + "=" + asked.getValue())
            .toList();
    return notGranted.isEmpty()
        ? Check.ok(name, "%s, permissions %s".formatted(found.nodeId(), found.permissions()))
        : Check.warning(
            name,
            "has not granted " + String.join(", ", notGranted),
            "have its owner accept the App's new permissions: " + found.settingsUrl());
  }
}
