package io.github.credentialmanager.infra;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.credentialmanager.infra.IamEvaluator.Request;
import java.util.Map;
import org.junit.jupiter.api.Test;

class IamEvaluatorTest {
  private static final String ROLE = "arn:aws:iam::111111111111:role/caller";
  private static final String FOREIGN_ROLE = "arn:aws:iam::222222222222:role/caller";
  private static final String FUNCTION = "arn:aws:lambda:eu-central-1:111111111111:function:f:live";
  private static final String INVOKE = "lambda:InvokeFunction";

  private final IamEvaluator iam = new IamEvaluator();

  @Test
  void whatNobodyPermitsIsDenied() {
    assertThat(iam.allows(new Request(ROLE, INVOKE, FUNCTION))).isFalse();
  }

  @Test
  void withinAnAccountEitherSideIsEnough() throws Exception {
    identity(ROLE, "{'Effect':'Allow','Action':'lambda:Invoke*','Resource':'*'}");
    assertThat(iam.allows(new Request(ROLE, INVOKE, FUNCTION))).isTrue();

    iam.identityPolicies.clear();
    resource(
        "{'Effect':'Allow','Action':'lambda:InvokeFunction','Resource':'%s','Principal':{'AWS':'%s'}}",
        FUNCTION, ROLE);
    assertThat(iam.allows(new Request(ROLE, INVOKE, FUNCTION))).isTrue();
  }

  @Test
  void theOwnAccountInAResourcePolicyPermitsNobodyByItself() throws Exception {
    resource(
        "{'Effect':'Allow','Action':'lambda:InvokeFunction','Resource':'%s','Principal':{'AWS':'111111111111'}}",
        FUNCTION);
    assertThat(iam.allows(new Request(ROLE, INVOKE, FUNCTION))).isFalse();
  }

  @Test
  void acrossAccountsBothSidesMustPermit() throws Exception {
    Request request = new Request(FOREIGN_ROLE, INVOKE, FUNCTION);
    identity(FOREIGN_ROLE, "{'Effect':'Allow','Action':'*','Resource':'*'}");
    assertThat(iam.allows(request)).isFalse();
    resource(
        "{'Effect':'Allow','Action':'lambda:InvokeFunction','Resource':'%s','Principal':{'AWS':'222222222222'}}",
        FUNCTION);
    assertThat(iam.allows(request)).isTrue();
    iam.identityPolicies.clear();
    assertThat(iam.allows(request)).isFalse();
  }

  @Test
  void aDenialWins() throws Exception {
    identity(
        ROLE,
        "{'Effect':'Allow','Action':'*','Resource':'*'}",
        "{'Effect':'Deny','Action':'lambda:*','Resource':'*','Condition':{'Null':{'k':'false'}}}");
    assertThat(iam.allows(new Request(ROLE, INVOKE, FUNCTION))).isTrue();
    assertThat(iam.allows(new Request(ROLE, INVOKE, FUNCTION, Map.of("k", "v")))).isFalse();
  }

  @Test
  void aConditionOnAnAbsentKeyDoesNotHold() throws Exception {
    identity(
        ROLE,
        "{'Effect':'Allow','Action':'*','Resource':'*','Condition':"
            + "{'Bool':{'lambda:InvokedViaFunctionUrl':true}}}");
    assertThat(iam.allows(new Request(ROLE, INVOKE, FUNCTION))).isFalse();
    assertThat(iam.allows(new Request(ROLE, INVOKE, FUNCTION, viaUrl("false")))).isFalse();
    assertThat(iam.allows(new Request(ROLE, INVOKE, FUNCTION, viaUrl("true")))).isTrue();
  }

  @Test
  void aPatternIsNoRegularExpression() throws Exception {
    identity(ROLE, "{'Effect':'Allow','Action':'lambda:InvokeFunctio?','Resource':'arn:*:f.live'}");
    assertThat(iam.allows(new Request(ROLE, INVOKE, FUNCTION))).isFalse();
    identity(ROLE, "{'Effect':'Allow','Action':'lambda:InvokeFunctio?','Resource':'arn:*:f:live'}");
    assertThat(iam.allows(new Request(ROLE, INVOKE, FUNCTION))).isTrue();
  }

  @Test
  void whatItDoesNotKnowIsAnError() {
    assertThatThrownBy(() -> identity(ROLE, "{'Effect':'Allow','NotAction':'x','Resource':'*'}"))
        .isInstanceOf(AssertionError.class);
    assertThatThrownBy(
            () -> {
              identity(
                  ROLE,
                  "{'Effect':'Allow','Action':'*','Resource':'*','Condition':{'IpAddress':{'k':'v'}}}");
              iam.allows(new Request(ROLE, INVOKE, FUNCTION));
            })
        .isInstanceOf(AssertionError.class);
  }

  private static Map<String, String> viaUrl(String value) {
    return Map.of("lambda:InvokedViaFunctionUrl", value);
  }

  private void identity(String role, String... statements) throws Exception {
    iam.identityPolicies.put(role, IamEvaluator.statements(document(String.join(",", statements))));
  }

  private void resource(String statement, Object... arguments) throws Exception {
    iam.resourcePolicies.put(
        FUNCTION, IamEvaluator.statements(document(statement.formatted(arguments))));
  }

  private static com.fasterxml.jackson.databind.JsonNode document(String statements)
      throws Exception {
    return new ObjectMapper().readTree("{\"Statement\":[" + statements.replace('\'', '"') + "]}");
  }
}
