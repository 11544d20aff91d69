package io.github.credentialmanager.infra;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import software.amazon.awscdk.services.lambda.Code;

/**
 * The functions' code, which travels inside this library's jar.
 *
 * <p>One archive holds all handlers, so a deployment uploads it once and the functions differ by
 * handler and permissions alone.
 */
final class FunctionCode {
  /** Put beside this class by the build. */
  private static final String ARCHIVE = "server-lambdas.zip";

  private FunctionCode() {}

  /**
   * Stages the archive for a synthesis.
   *
   * <p>The AWS CDK reads assets from the file system and copies them to the cloud assembly, so the
   * archive is unpacked to a temporary directory that lives as long as this JVM. The asset's hash
   * comes from the content: the place does not change the template.
   *
   * @throws IllegalStateException if the archive is not on the class path
   */
  static Code stage() {
    try (InputStream archive = FunctionCode.class.getResourceAsStream(ARCHIVE)) {
      if (archive == null) {
        throw new IllegalStateException(
            "The functions' code is missing from the class path: "
                + FunctionCode.class.getPackageName().replace('.', '/')
                + "/"
                + ARCHIVE
                + ". Use the packaged credential-manager-infra jar, or run ./mvnw package.");
      }
      Path directory = Files.createTempDirectory("credential-manager-");
      Path file = directory.resolve(ARCHIVE);
      // Deleted in reverse order of registration: the file first.
      directory.toFile().deleteOnExit();
      file.toFile().deleteOnExit();
      Files.copy(archive, file);
      return Code.fromAsset(file.toString());
    } catch (IOException e) {
      throw new UncheckedIOException("Could not stage the functions' code", e);
    }
  }
}
