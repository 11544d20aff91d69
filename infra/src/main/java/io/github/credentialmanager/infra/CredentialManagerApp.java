package io.github.credentialmanager.infra;

import software.amazon.awscdk.App;
import software.amazon.awscdk.StackProps;
import software.amazon.awscdk.services.sns.Topic;
import software.amazon.awscdk.services.sns.subscriptions.EmailSubscription;

/**
 * The app of this module's {@code cdk.json}: one {@link CredentialManagerStack} with its alarms and
 * dashboard, for those who want the service and no program of their own around it.
 *
 * <p>It takes three context values: {@code stackName}, {@code gitHubApiUrl} and {@code alarmEmail}.
 */
public final class CredentialManagerApp {
  private CredentialManagerApp() {}

  public static void main(String[] args) {
    App app = new App();
    addStack(app);
    app.synth();
  }

  static void addStack(App app) {
    CredentialManagerProps.Builder props = CredentialManagerProps.builder();
    if (app.getNode().tryGetContext("gitHubApiUrl") instanceof String url) {
      props.gitHubApiUrl(url);
    }
    CredentialManagerStack stack =
        new CredentialManagerStack(
            app,
            app.getNode().tryGetContext("stackName") instanceof String name
                ? name
                : "CredentialManager",
            StackProps.builder().build(),
            props.build());
    Topic alarms = stack.addAlarms();
    if (app.getNode().tryGetContext("alarmEmail") instanceof String email) {
      alarms.addSubscription(new EmailSubscription(email));
    }
  }
}
