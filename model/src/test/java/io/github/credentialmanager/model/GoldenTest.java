package io.github.credentialmanager.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import software.amazon.smithy.model.Model;
import software.amazon.smithy.model.knowledge.OperationIndex;
import software.amazon.smithy.model.node.Node;
import software.amazon.smithy.model.node.ObjectNode;
import software.amazon.smithy.model.shapes.Shape;
import software.amazon.smithy.model.shapes.ShapeId;
import software.amazon.smithy.model.shapes.StructureShape;
import software.amazon.smithy.model.traits.HttpErrorTrait;
import software.amazon.smithy.model.validation.NodeValidationVisitor;
import software.amazon.smithy.model.validation.Severity;
import software.amazon.smithy.model.validation.ValidationEvent;

class GoldenTest {
  private static final Path FOLDER = Path.of("src/main/resources/golden");

  private static Stream<Exchange> exchanges() {
    return Exchange.all();
  }

  private static Stream<Exchange> exchangesOfOurHandlers() {
    return Exchange.all().filter(exchange -> !exchange.isAnsweredByLambda());
  }

  private static Stream<Exchange> exchangesJudgedByTheirRequestBody() {
    Set<String> answers = Set.of("Success", "ValidationException", "SerializationException");
    return exchangesOfOurHandlers()
        .filter(exchange -> answers.contains(exchange.errorType().orElse("Success")));
  }

  private static Stream<Exchange> refusalsForViolations() {
    return exchangesOfOurHandlers().filter(exchange -> exchange.isError("ValidationException"));
  }

  private static Stream<Exchange> throttlings() {
    return exchangesOfOurHandlers().filter(exchange -> exchange.isError("ThrottlingException"));
  }

  private static Stream<Exchange> exchangesWithAClient() {
    return Exchange.all().filter(exchange -> exchange.client().isPresent());
  }

  private static Stream<Exchange> exchangesOfOurHandlersWithAClient() {
    return exchangesWithAClient().filter(exchange -> !exchange.isAnsweredByLambda());
  }

  @Nested
  class TheFolder {
    @Test
    void isListedWholeAndSortedInItsIndex() throws IOException {
      try (Stream<Path> files = Files.walk(FOLDER, 2)) {
        assertThat(Exchange.paths())
            .isEqualTo(
                files
                    .filter(file -> file.toString().endsWith(".json"))
                    .map(file -> FOLDER.relativize(file).toString().replace('\\', '/'))
                    .filter(path -> !path.equals("index.json"))
                    .sorted()
                    .toList());
      }
    }

    @Test
    void namesEachFileAfterItsOperation() {
      assertThat(Exchange.all())
          .allSatisfy(
              exchange ->
                  assertThat(exchange.path())
                      .matches(
                          (exchange.isAnsweredByLambda() ? "FunctionUrl" : exchange.operation())
                              + "/[a-z0-9]+(-[a-z0-9]+)*\\.json"));
    }

    @Test
    void holdsASuccessAndEveryErrorClassForEachOperationItAppliesTo() {
      Map<String, Set<String>> answers = new TreeMap<>();
      exchangesOfOurHandlers()
          .forEach(
              exchange ->
                  answers
                      .computeIfAbsent(exchange.operation(), name -> new TreeSet<>())
                      .add(exchange.errorType().orElse("Success")));

      Set<String> always =
          Set.of(
              "Success",
              "AccessDeniedException",
              "MethodNotAllowedException",
              "NotAcceptableException",
              "RequestTooLargeException",
              "ServerSideError",
              "UnknownOperationException",
              "UnsupportedMediaTypeException");
      Set<String> withInput = Set.of("SerializationException", "ValidationException");
      Set<String> withSubject = Set.of("ClientSideError");
      Set<String> withUpstream = Set.of("ThrottlingException");
      assertThat(answers)
          .containsExactlyInAnyOrderEntriesOf(
              Map.of(
                  "GetAppToken", union(always, withInput, withSubject, withUpstream),
                  "GetInstallationToken", union(always, withInput, withSubject, withUpstream),
                  "GetInstallationData", union(always, withInput, withSubject),
                  "GetInstallations", union(always, withInput),
                  "RefreshCachedData", always));
    }

    @Test
    void holdsEveryReason() {
      Set<String> reasons = new TreeSet<>();
      exchangesOfOurHandlers()
          .flatMap(exchange -> exchange.responseBody().getStringMember("reason").stream())
          .forEach(reason -> reasons.add(reason.getValue()));

      assertThat(reasons)
          .containsExactlyInAnyOrderElementsOf(
              Contract.shape("Reason").asEnumShape().orElseThrow().getEnumValues().values());
    }

    @SafeVarargs
    private static Set<String> union(Set<String>... sets) {
      Set<String> union = new TreeSet<>();
      for (Set<String> set : sets) {
        union.addAll(set);
      }
      return union;
    }
  }

  @Nested
  class AFile {
    private static final Model FORMAT =
        Model.assembler()
            .addModel(Contract.model())
            .addImport(AFile.class.getResource("/exchange.smithy"))
            .assemble()
            .unwrap();

    @Test
    void hasTheDocumentedShape() {
      assertThat(exchanges()).allSatisfy(this::hasTheDocumentedShape);
    }

    private void hasTheDocumentedShape(Exchange exchange) {
      Shape shape = FORMAT.expectShape(ShapeId.from("framework.golden#Exchange"));

      assertThat(violations(FORMAT, shape, exchange.json())).isEmpty();
      assertThat(exchange.json().expectObjectMember("response").getStringMap())
          .satisfiesAnyOf(
              response -> assertThat(response).containsKey("json").doesNotContainKey("text"),
              response -> assertThat(response).containsKey("text").doesNotContainKey("json"));
    }

    @Test
    void continuesOnlyAnExchangeThatExists() {
      assertThat(exchanges()).allSatisfy(this::continuesOnlyAnExchangeThatExists);
    }

    private void continuesOnlyAnExchangeThatExists(Exchange exchange) {
      exchange
          .json()
          .getObjectMember("given")
          .flatMap(given -> given.getStringMember("after"))
          .ifPresent(after -> assertThat(Exchange.paths()).contains(after.getValue()));
    }
  }

  @Nested
  class ARequest {
    @Test
    void isTakenOrRefusedAsTheModelSays() {
      assertThat(exchangesJudgedByTheirRequestBody())
          .allSatisfy(this::isTakenOrRefusedAsTheModelSays);
    }

    private void isTakenOrRefusedAsTheModelSays(Exchange exchange) {
      String answer = exchange.errorType().orElse("Success");
      Optional<Node> body = StrictJson.object(exchange.requestBody().orElse(""));
      List<ValidationEvent> violations =
          body
              .map(json -> violations(Contract.model(), input(exchange), json))
              .orElse(List.of())
              .stream()
              .filter(violation -> !isTolerated(violation))
              .toList();

      switch (answer) {
        case "Success" -> {
          assertThat(body).isPresent();
          assertThat(violations).isEmpty();
        }
        case "ValidationException" -> {
          // What a token may look like is not for the model to say.
          long ofTheModel =
              exchange.responseBody().expectArrayMember("fieldList").getElements().stream()
                  .map(field -> field.expectObjectNode().expectStringMember("path").getValue())
                  .filter(path -> !path.equals("/nextToken"))
                  .count();
          assertThat(body).isPresent();
          assertThat(violations).hasSize((int) ofTheModel);
        }
        default ->
            assertThat(body)
                .satisfiesAnyOf(
                    json -> assertThat(json).isEmpty(),
                    json -> assertThat(violations).isNotEmpty());
      }
    }

    /** Unknown members are ignored, except in a scope. */
    private static boolean isTolerated(ValidationEvent violation) {
      return violation.getSeverity() == Severity.WARNING
          && !violation.getMessage().contains("ScopeDown");
    }
  }

  @Nested
  class AResponse {
    @Test
    void conformsToTheModel() {
      assertThat(exchangesOfOurHandlers()).allSatisfy(this::conformsToTheModel);
    }

    private void conformsToTheModel(Exchange exchange) {
      if (exchange.errorType().isEmpty()) {
        assertThat(exchange.status()).isEqualTo(200);
        assertThat(violations(Contract.model(), output(exchange), exchange.responseBody()))
            .isEmpty();
        return;
      }
      Optional<StructureShape> modelled = error(exchange.errorType().orElseThrow());
      if (modelled.isPresent()) {
        assertThat(exchange.status())
            .isEqualTo(
                modelled
                    .get()
                    .getTrait(HttpErrorTrait.class)
                    .map(HttpErrorTrait::getCode)
                    .orElse(400));
        assertThat(violations(Contract.model(), modelled.get(), exchange.responseBody())).isEmpty();
      } else {
        assertThat(exchange.status()).isBetween(400, 499);
        assertThat(exchange.responseBody().getMembers()).isEmpty();
      }
    }

    @Test
    void keepsTokensOutOfCaches() {
      assertThat(exchangesOfOurHandlers()).allSatisfy(this::keepsTokensOutOfCaches);
    }

    private void keepsTokensOutOfCaches(Exchange exchange) {
      boolean token =
          exchange.responseBody().getMember("appToken").isPresent()
              || exchange.responseBody().getMember("installationToken").isPresent();

      assertThat(exchange.responseHeaders().getStringMember("cache-control").isPresent())
          .isEqualTo(token);
    }

    @Test
    void summarizesItsViolations() {
      assertThat(refusalsForViolations()).allSatisfy(this::summarizesItsViolations);
    }

    private void summarizesItsViolations(Exchange exchange) {
      List<String> messages =
          exchange.responseBody().expectArrayMember("fieldList").getElements().stream()
              .map(field -> field.expectObjectNode().expectStringMember("message").getValue())
              .toList();

      assertThat(exchange.responseBody().expectStringMember("message").getValue())
          .isEqualTo(
              messages.size() == 1
                  ? "1 validation error detected. " + messages.get(0)
                  : messages.size()
                      + " validation errors at "
                      + messages.size()
                      + " paths detected. First failure: "
                      + messages.get(0));
    }

    @Test
    void saysTheWaitTwice() {
      assertThat(throttlings()).allSatisfy(this::saysTheWaitTwice);
    }

    private void saysTheWaitTwice(Exchange exchange) {
      assertThat(exchange.responseHeaders().expectStringMember("retry-after").getValue())
          .isEqualTo(
              exchange.responseBody().expectNumberMember("retryAfterSeconds").getValue() + "");
    }
  }

  @Nested
  class AClient {
    @Test
    void sendsItsArguments() {
      assertThat(exchangesWithAClient()).allSatisfy(this::sendsItsArguments);
    }

    private void sendsItsArguments(Exchange exchange) {
      ObjectNode call = exchange.client().orElseThrow().expectObjectMember("call");

      assertThat(violations(Contract.model(), input(exchange), call)).isEmpty();
      assertThat(exchange.requestBody().map(Node::parse).orElse(Node.objectNode())).isEqualTo(call);
    }

    @Test
    void endsAsTheStatusSays() {
      assertThat(exchangesWithAClient()).allSatisfy(this::endsAsTheStatusSays);
    }

    private void endsAsTheStatusSays(Exchange exchange) {
      String outcome = exchange.client().orElseThrow().expectStringMember("outcome").getValue();

      assertThat(outcome)
          .isEqualTo(
              switch (exchange.status()) {
                case 200 -> exchange.operation().endsWith("Token") ? "token" : "result";
                case 429, 500, 502 -> "unavailable";
                default -> "denied";
              });
    }

    @Test
    void repeatsTheServersReason() {
      assertThat(exchangesOfOurHandlersWithAClient()).allSatisfy(this::repeatsTheServersReason);
    }

    private void repeatsTheServersReason(Exchange exchange) {
      assertThat(exchange.client().orElseThrow().getStringMember("reason"))
          .isEqualTo(exchange.responseBody().getStringMember("reason"));
    }
  }

  private static List<ValidationEvent> violations(Model model, Shape shape, Node value) {
    return shape
        .accept(
            NodeValidationVisitor.builder()
                .model(model)
                .value(value)
                .addFeature(NodeValidationVisitor.Feature.ALLOW_OPTIONAL_NULLS)
                .build())
        .stream()
        .filter(event -> event.getSeverity().compareTo(Severity.WARNING) >= 0)
        .toList();
  }

  private static StructureShape input(Exchange exchange) {
    return OperationIndex.of(Contract.model())
        .expectInputShape(ShapeId.fromParts(Contract.NAMESPACE, exchange.operation()));
  }

  private static StructureShape output(Exchange exchange) {
    return OperationIndex.of(Contract.model())
        .expectOutputShape(ShapeId.fromParts(Contract.NAMESPACE, exchange.operation()));
  }

  private static Optional<StructureShape> error(String name) {
    return OperationIndex.of(Contract.model()).getErrors(Contract.SERVICE).stream()
        .filter(error -> error.getId().getName().equals(name))
        .findAny();
  }
}
