package io.github.credentialmanager.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import software.amazon.smithy.aws.traits.auth.SigV4Trait;
import software.amazon.smithy.aws.traits.protocols.RestJson1Trait;
import software.amazon.smithy.model.knowledge.TopDownIndex;
import software.amazon.smithy.model.shapes.ServiceShape;
import software.amazon.smithy.model.shapes.Shape;
import software.amazon.smithy.model.traits.DocumentationTrait;
import software.amazon.smithy.model.traits.HttpErrorTrait;
import software.amazon.smithy.model.traits.HttpTrait;
import software.amazon.smithy.model.traits.RetryableTrait;
import software.amazon.smithy.model.traits.TitleTrait;
import software.amazon.smithy.model.validation.Severity;

class ModelTest {
  @Test
  void isValidWithoutAWarning() {
    assertThat(Contract.assembled().getValidationEvents())
        .filteredOn(event -> event.getSeverity().compareTo(Severity.WARNING) >= 0)
        .isEmpty();
  }

  @Test
  void listsEveryFileInItsManifest() throws IOException {
    Path smithy = Path.of("src/main/resources/META-INF/smithy");
    try (var files = Files.list(smithy)) {
      assertThat(Files.readAllLines(smithy.resolve("manifest")))
          .containsExactlyInAnyOrderElementsOf(
              files
                  .map(file -> file.getFileName().toString())
                  .filter(name -> !name.equals("manifest"))
                  .toList());
    }
  }

  @Test
  void isTheServiceThatExistingClientsKnow() {
    ServiceShape service = service();

    assertThat(service.getVersion()).isEqualTo("2024-08-23");
    assertThat(service.expectTrait(TitleTrait.class).getValue())
        .isEqualTo("Framework for GitHub Apps on AWS");
    assertThat(service.expectTrait(SigV4Trait.class).getName()).isEqualTo("lambda");
    assertThat(service.hasTrait(RestJson1Trait.class)).isTrue();
  }

  @Test
  void takesEachOperationAsAPostToItsPath() {
    Map<String, String> paths = new TreeMap<>();
    for (Shape operation : TopDownIndex.of(Contract.model()).getContainedOperations(service())) {
      HttpTrait http = operation.expectTrait(HttpTrait.class);
      paths.put(operation.getId().getName(), http.getMethod() + " " + http.getUri());
    }

    assertThat(paths)
        .containsExactly(
            entry("GetAppToken", "POST /tokens/app"),
            entry("GetInstallationData", "POST /installations/info"),
            entry("GetInstallationToken", "POST /tokens/installation"),
            entry("GetInstallations", "POST /installations"),
            entry("RefreshCachedData", "POST /installations/refresh"));
  }

  @Test
  void answersErrorsWithTheirStatus() {
    assertThat(status("ClientSideError")).isEqualTo(400);
    assertThat(status("ServerSideError")).isEqualTo(500);
    assertThat(status("ThrottlingException")).isEqualTo(429);
    assertThat(
            Contract.shape("ThrottlingException").expectTrait(RetryableTrait.class).getThrottling())
        .isTrue();
  }

  @Test
  void holdsEveryIdInSixtyFourBits() {
    assertThat(List.of(Contract.shape("AppId"), Contract.shape("InstallationId")))
        .allMatch(Shape::isLongShape);
    assertThat(Contract.shape("RepositoryIds").asListShape().orElseThrow().getMember().getTarget())
        .hasToString("smithy.api#Long");
  }

  @Test
  void saysWhatEachOperationAndErrorIs() {
    ServiceShape service = service();

    assertThat(TopDownIndex.of(Contract.model()).getContainedOperations(service))
        .allMatch(operation -> operation.hasTrait(DocumentationTrait.class));
    assertThat(service.getErrors())
        .allMatch(error -> Contract.model().expectShape(error).hasTrait(DocumentationTrait.class));
  }

  private static int status(String error) {
    return Contract.shape(error).expectTrait(HttpErrorTrait.class).getCode();
  }

  private static ServiceShape service() {
    return Contract.model().expectShape(Contract.SERVICE, ServiceShape.class);
  }
}
