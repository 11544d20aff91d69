package io.github.credentialmanager.infra;

import org.jspecify.annotations.Nullable;
import software.amazon.awscdk.CfnOutput;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.StackProps;
import software.amazon.awscdk.services.sns.Topic;
import software.constructs.Construct;

/** A stack that holds one {@link CredentialManager} and puts out what callers and tools need. */
public final class CredentialManagerStack extends Stack {
  private final CredentialManager credentialManager;

  public CredentialManagerStack(
      Construct scope, String id, @Nullable StackProps stackProps, CredentialManagerProps props) {
    super(scope, id, stackProps);
    credentialManager = new CredentialManager(this, "CredentialManager", props);
    output("AppTokenEndpoint", credentialManager.getAppTokenEndpoint());
    output("AppTokenLambdaArn", credentialManager.getAppTokenLambdaArn());
    output(
        "InstallationAccessTokenEndpoint", credentialManager.getInstallationAccessTokenEndpoint());
    output("InstallationAccessLambdaArn", credentialManager.getInstallationAccessLambdaArn());
    output("RefreshCachedDataEndpoint", credentialManager.getRefreshCachedDataEndpoint());
    output("RefreshCachedDataLambdaArn", credentialManager.getRefreshCachedDataLambdaArn());
    output("InstallationRecordEndpoint", credentialManager.getInstallationRecordEndpoint());
    output("InstallationRecordLambdaArn", credentialManager.getInstallationRecordLambdaArn());
    output("InstallationsEndpoint", credentialManager.getInstallationsEndpoint());
    output("InstallationsLambdaArn", credentialManager.getInstallationsLambdaArn());
    output("AppTableName", credentialManager.getAppTable().getTableName());
    output("InstallationTableName", credentialManager.getInstallationTable().getTableName());
  }

  public CredentialManager getCredentialManager() {
    return credentialManager;
  }

  /**
   * Adds the alarms with a topic of their own, and the dashboard.
   *
   * @return the topic, for subscriptions
   */
  public Topic addAlarms() {
    Topic topic = Topic.Builder.create(this, "Alarms").enforceSsl(true).build();
    credentialManager.addAlarms(topic);
    credentialManager.addDashboard();
    output("AlarmTopicArn", topic.getTopicArn());
    return topic;
  }

  private void output(String id, String value) {
    CfnOutput.Builder.create(this, id).value(value).build();
  }
}
