package io.github.credentialmanager.infra;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.cdklabs.cdknag.AwsSolutionsChecks;
import io.github.cdklabs.cdknag.NagPackProps;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import software.amazon.awscdk.App;
import software.amazon.awscdk.Aspects;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.assertions.Annotations;
import software.amazon.awscdk.assertions.Match;
import software.amazon.awscdk.cxapi.SynthesisMessage;
import software.amazon.awscdk.services.ec2.IVpc;
import software.amazon.awscdk.services.ec2.Vpc;
import software.amazon.awscdk.services.ec2.VpcAttributes;
import software.amazon.awscdk.services.kms.Key;

/** The rules of cdk-nag's AwsSolutions pack. What is deliberate is explained in the template. */
@RequiresNode
class CdkNagTest {

  @Test
  void findsNothingUnexplainedByDefault() {
    assertThat(findings(scope -> CredentialManagerProps.builder().build())).isEmpty();
  }

  @Test
  void findsNothingUnexplainedWithEveryOption() {
    assertThat(
            findings(
                scope -> {
                  Key key = Key.Builder.create(scope, "Key").enableKeyRotation(true).build();
                  return CredentialManagerProps.builder()
                      .tableEncryptionKey(key)
                      .logEncryptionKey(key)
                      .tracing(true)
                      .vpc(existingVpc(scope))
                      .build();
                }))
        .isEmpty();
  }

  /** Shows that the test sees findings: an option that gives up recovery is one. */
  @Test
  void findsWhatIsGivenUp() {
    assertThat(
            findings(scope -> CredentialManagerProps.builder().pointInTimeRecovery(false).build()))
        .anySatisfy(finding -> assertThat(finding).contains("AwsSolutions-DDB3"));
  }

  private static IVpc existingVpc(Stack scope) {
    return Vpc.fromVpcAttributes(
        scope,
        "Vpc",
        VpcAttributes.builder()
            .vpcId("vpc-1")
            .availabilityZones(List.of("eu-central-1a"))
            .privateSubnetIds(List.of("subnet-1"))
            .build());
  }

  private static List<String> findings(Function<Stack, CredentialManagerProps> props) {
    App app = new App();
    Stack stack = new Stack(app, "Test");
    new CredentialManager(stack, "CredentialManager", props.apply(stack));
    Aspects.of(app).add(new AwsSolutionsChecks(NagPackProps.builder().verbose(true).build()));
    // The annotations of a nested stack are with its parent's.
    Annotations annotations = Annotations.fromStack(stack);
    return Stream.of(
            annotations.findError("*", anyFinding()), annotations.findWarning("*", anyFinding()))
        .flatMap(List::stream)
        .map(CdkNagTest::text)
        .toList();
  }

  private static Object anyFinding() {
    return Match.stringLikeRegexp("(AwsSolutions|CdkNag).*");
  }

  private static String text(SynthesisMessage finding) {
    return finding.getId() + ": " + finding.getEntry().getData();
  }
}
