package example;

import io.github.credentialmanager.infra.CredentialManager;
import software.amazon.awscdk.App;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.services.lambda.Code;
import software.amazon.awscdk.services.lambda.Function;
import software.amazon.awscdk.services.lambda.Runtime;
import software.amazon.awscdk.services.sns.Topic;

/** A stack with a Credential Manager, and a function that may vend installation tokens. */
public final class CdkApp {
  public static void main(String[] args) {
    App app = new App();
    Stack stack = new Stack(app, "MyService");

    CredentialManager credentials = new CredentialManager(stack, "CredentialManager");
    credentials.addAlarms(new Topic(stack, "Alarms"));

    Function report =
        Function.Builder.create(stack, "Report")
            .runtime(Runtime.PYTHON_3_13)
            .handler("index.handler")
            .code(Code.fromInline("def handler(event, context): pass"))
            .build();
    credentials.environmentFor(report);

    app.synth();
  }
}
