package io.github.credentialmanager.local;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.credentialmanager.local.AwsJsonEndpoint.Reply;
import java.net.URI;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What an operator's tool asks of an account besides its keys and tables: who am I (STS {@code
 * GetCallerIdentity}), and what is a function's URL (Lambda {@code ListFunctionUrlConfigs}).
 */
final class AccountOperations implements AwsJsonEndpoint.OtherOperations {
  private static final Pattern FUNCTION_URLS =
      Pattern.compile("/2021-10-31/functions/([A-Za-z0-9_:-]+)/urls");

  private final Identities identities;
  private final Supplier<URI> front;

  /**
   * @param front where the Function URLs are
   */
  AccountOperations(Identities identities, Supplier<URI> front) {
    this.identities = identities;
    this.front = front;
  }

  @Override
  public Reply call(SignedRequest request, Guard guard) {
    Matcher functionUrls = FUNCTION_URLS.matcher(request.path());
    if (request.method().equals("GET") && functionUrls.matches()) {
      guard.admit(request, "lambda", "lambda:ListFunctionUrlConfigs");
      return functionUrls(functionUrls.group(1));
    }
    if (new String(request.body(), UTF_8).contains("Action=GetCallerIdentity")) {
      return callerIdentity(guard.admit(request, "sts", "sts:GetCallerIdentity"));
    }
    throw new AwsJsonException("UnknownOperationException", "");
  }

  private Reply functionUrls(String functionName) {
    ObjectNode answer = JsonNodeFactory.instance.objectNode();
    ObjectNode config = answer.putArray("FunctionUrlConfigs").addObject();
    config.put("FunctionUrl", front.get() + "/");
    config.put("FunctionArn", functionName);
    config.put("AuthType", "AWS_IAM");
    config.put("InvokeMode", "BUFFERED");
    return new Reply("application/json", answer.toString());
  }

  private Reply callerIdentity(String accessKeyId) {
    Identities.Identity caller = identities.identity(accessKeyId).orElseThrow();
    return new Reply(
        "text/xml",
        """
        <GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
          <GetCallerIdentityResult>
            <Arn>%s</Arn><UserId>%s</UserId><Account>%s</Account>
          </GetCallerIdentityResult>
          <ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata>
        </GetCallerIdentityResponse>
        """
            .formatted(caller.userArn(), caller.callerId(), Identities.ACCOUNT, UUID.randomUUID()));
  }
}
