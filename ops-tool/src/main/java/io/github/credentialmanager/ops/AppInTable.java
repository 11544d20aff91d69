package io.github.credentialmanager.ops;

import picocli.CommandLine.Parameters;

/** The arguments {@code <appId> <tableName>}, after those that a command has of its own. */
final class AppInTable {
  @Parameters(
      index = "+",
      paramLabel = "<appId>",
      converter = AppIdConverter.class,
      description = "The App's id, a number.")
  long appId;

  @Parameters(
      index = "+",
      paramLabel = "<tableName>",
      description = "The App table, see get-table-name.")
  @SuppressWarnings("NullAway.Init")
  String tableName;
}
