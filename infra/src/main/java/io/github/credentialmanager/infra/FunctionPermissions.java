package io.github.credentialmanager.infra;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import software.amazon.awscdk.ArnComponents;
import software.amazon.awscdk.ArnFormat;
import software.amazon.awscdk.Aws;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.services.dynamodb.ITable;
import software.amazon.awscdk.services.kms.IKey;

/**
 * What the functions may do beside writing their logs: all of it is here.
 *
 * <p>No function may write the App table, so none can point an App to another key.
 */
final class FunctionPermissions {
  private final Stack stack;
  private final ITable appTable;
  private final ITable installationTable;

  FunctionPermissions(Stack stack, ITable appTable, ITable installationTable) {
    this.stack = stack;
    this.appTable = appTable;
    this.installationTable = installationTable;
  }

  void allow(
      Map<Operation, ServerFunction> operations,
      ServerFunction installationTracker,
      ServerFunction rateLimitTracker) {
    ServerFunction appToken = requireNonNull(operations.get(Operation.GET_APP_TOKEN));
    readApp(appToken);
    sign(appToken);

    ServerFunction installationToken =
        requireNonNull(operations.get(Operation.GET_INSTALLATION_TOKEN));
    readApp(installationToken);
    sign(installationToken);
    onInstallations(installationToken, "ReadInstallation", List.of("dynamodb:GetItem"));

    reconcile(requireNonNull(operations.get(Operation.REFRESH_CACHED_DATA)));
    reconcile(installationTracker);

    onApps(rateLimitTracker, "ReadApps", List.of("dynamodb:GetItem", "dynamodb:Scan"));
    sign(rateLimitTracker);
    onInstallations(rateLimitTracker, "ReadInstallations", List.of("dynamodb:Query"));

    ServerFunction installationData =
        requireNonNull(operations.get(Operation.GET_INSTALLATION_DATA));
    installationData.allow(
        "ReadInstallationsOfAccount",
        List.of("dynamodb:Query"),
        List.of(installationTable.getTableArn() + "/index/NodeID"));
    useKeyOf(installationTable, "UseKeyOfInstallations", installationData, false);

    onInstallations(
        requireNonNull(operations.get(Operation.GET_INSTALLATIONS)),
        "ReadInstallations",
        List.of("dynamodb:Scan"));
  }

  private void readApp(ServerFunction function) {
    onApps(function, "ReadApp", List.of("dynamodb:GetItem"));
  }

  private void reconcile(ServerFunction function) {
    // The check is half of a transaction: rows of an App are deleted while the App is not there.
    onApps(
        function,
        "ReadApps",
        List.of("dynamodb:ConditionCheckItem", "dynamodb:GetItem", "dynamodb:Scan"));
    sign(function);
    onInstallations(
        function,
        "ReconcileInstallations",
        List.of("dynamodb:Query", "dynamodb:Scan", "dynamodb:PutItem", "dynamodb:DeleteItem"));
  }

  private void onApps(ServerFunction function, String sid, List<String> actions) {
    function.allow(sid, actions, List.of(appTable.getTableArn()));
    useKeyOf(appTable, "UseKeyOfApps", function, false);
  }

  private void onInstallations(ServerFunction function, String sid, List<String> actions) {
    function.allow(sid, actions, List.of(installationTable.getTableArn()));
    useKeyOf(
        installationTable, "UseKeyOfInstallations", function, actions.contains("dynamodb:PutItem"));
  }

  /** Signing digests with the private keys of registered Apps, and with no other key. */
  private void sign(ServerFunction function) {
    function.allow(
        "SignWithAppKeys",
        List.of("kms:Sign"),
        List.of(
            stack.formatArn(
                ArnComponents.builder()
                    .service("kms")
                    .resource("key")
                    .resourceName("*")
                    .arnFormat(ArnFormat.SLASH_RESOURCE_NAME)
                    .build())),
        Map.of(
            "StringEquals",
            Map.of(
                "aws:ResourceTag/" + CredentialManager.MANAGED_TAG,
                "true",
                "aws:ResourceTag/Status",
                "Active",
                "kms:SigningAlgorithm",
                "RSASSA_PKCS1_V1_5_SHA_256",
                "kms:MessageType",
                "DIGEST")));
    ExplainedFindings.on(
        function.role,
        "AwsSolutions-IAM5",
        "Keys are imported after deployment, so they are told by their tags: only active keys of"
            + " registered Apps, only this account's, only digests, only one algorithm.",
        "Resource::arn:<AWS::Partition>:kms:<AWS::Region>:<AWS::AccountId>:key/*");
  }

  /** DynamoDB uses a customer managed key in the name of whoever reads or writes the table. */
  private static void useKeyOf(ITable table, String sid, ServerFunction function, boolean write) {
    IKey key = table.getEncryptionKey();
    if (key == null) {
      return;
    }
    List<String> actions = new ArrayList<>(List.of("kms:Decrypt", "kms:DescribeKey"));
    if (write) {
      actions.addAll(
          List.of("kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"));
    }
    function.allow(
        sid,
        actions,
        List.of(key.getKeyArn()),
        Map.of(
            "StringEquals",
            Map.of("kms:ViaService", "dynamodb." + Aws.REGION + "." + Aws.URL_SUFFIX)));
  }
}
