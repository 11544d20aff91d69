package io.github.credentialmanager.local;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;

/** Files and directories that only their owner may read, where the file system knows owners. */
final class OwnerOnly {
  private OwnerOnly() {}

  /** A new empty file, in place of an old one if there is one. */
  static Path create(Path file) throws IOException {
    Files.deleteIfExists(file);
    return Files.createFile(file, attributes(file, "rw-------"));
  }

  /** A directory, made if it is not there. */
  static Path directory(Path directory) throws IOException {
    return Files.isDirectory(directory)
        ? directory
        : Files.createDirectories(directory, attributes(directory, "rwx------"));
  }

  private static FileAttribute<?>[] attributes(Path path, String permissions) {
    boolean posix = path.getFileSystem().supportedFileAttributeViews().contains("posix");
    return posix
        ? new FileAttribute<?>[] {
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))
        }
        : new FileAttribute<?>[0];
  }
}
