package io.github.credentialmanager.server.apptoken;

import io.github.credentialmanager.server.appcredentials.AppCredentials;
import io.github.credentialmanager.server.audit.HashedToken;
import io.github.credentialmanager.server.callerpolicy.CallerPolicy;
import io.github.credentialmanager.server.contract.Constraints;
import io.github.credentialmanager.server.functionurl.Answer;
import io.github.credentialmanager.server.functionurl.Operation;
import io.github.credentialmanager.server.functionurl.Request;
import io.github.credentialmanager.server.signing.AppJwt;
import java.time.Duration;
import java.util.Map;

/** Hands out the JWT by which a program acts as the App itself. */
public final class GetAppToken implements Operation {
  /** How much sooner than it does the JWT is said to expire. */
  private static final Duration EXPIRY_MARGIN = Duration.ofSeconds(10);

  private final AppCredentials credentials;
  private final CallerPolicy policy;

  public GetAppToken(AppCredentials credentials, CallerPolicy policy) {
    this.credentials = credentials;
    this.policy = policy;
  }

  @Override
  public Answer answer(Request request) {
    Constraints constraints = new Constraints();
    long appId = constraints.required("/appId", request.input().integer("appId"), 1);
    constraints.check();
    policy.requireAppToken(request.caller(), appId);

    AppJwt jwt = credentials.provenJwt(appId, request.deadline());
    String expirationTime = jwt.expiresAt().minus(EXPIRY_MARGIN).toString();
    return Answer.vending(
        Map.of("appId", appId, "appToken", jwt.value(), "expirationTime", expirationTime),
        "AppTokenVended",
        Map.of(
            "appId",
            appId,
            "expirationTime",
            expirationTime,
            "hashedToken",
            HashedToken.of(jwt.value()),
            "kmsKeyArn",
            jwt.keyArn()));
  }
}
