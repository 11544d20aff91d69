package io.github.credentialmanager.ops;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** A GitHub App's id: decimal digits and nothing else, as the App's settings page shows it. */
final class AppIdConverter implements ITypeConverter<Long> {
  @Override
  public Long convert(String value) {
    if (!value.matches("[1-9][0-9]{0,17}")) {
      throw new TypeConversionException(
          "'%s' is no App id, which is the number on the App's settings page".formatted(value));
    }
    return Long.valueOf(value);
  }
}
