package io.github.credentialmanager.model;

import software.amazon.smithy.model.Model;
import software.amazon.smithy.model.shapes.Shape;
import software.amazon.smithy.model.shapes.ShapeId;
import software.amazon.smithy.model.validation.ValidatedResult;

/** The Smithy model as a user of the jar finds it: through {@code META-INF/smithy/manifest}. */
final class Contract {
  static final String NAMESPACE = "framework.api";
  static final ShapeId SERVICE = ShapeId.fromParts(NAMESPACE, "AppFramework");

  private static final ValidatedResult<Model> ASSEMBLED =
      Model.assembler().discoverModels(Contract.class.getClassLoader()).assemble();

  private Contract() {}

  static ValidatedResult<Model> assembled() {
    return ASSEMBLED;
  }

  static Model model() {
    return ASSEMBLED.unwrap();
  }

  static Shape shape(String name) {
    return model().expectShape(ShapeId.fromParts(NAMESPACE, name));
  }
}
