package io.github.credentialmanager.ops;

import io.github.credentialmanager.ops.KeyManagerException.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Where an operator's PEM comes from: a regular file, or standard input for {@code -}.
 *
 * <p>A symbolic link is refused rather than followed: what would be removed after the import is not
 * what was read. Its directory may be reached through links.
 */
final class PrivateKeyFile implements AutoCloseable {
  private static final Set<PosixFilePermission> OWNER =
      Set.of(
          PosixFilePermission.OWNER_READ,
          PosixFilePermission.OWNER_WRITE,
          PosixFilePermission.OWNER_EXECUTE);

  private final @Nullable Path path;
  private final @Nullable Object fileKey;
  private final @Nullable String warning;
  private final PrivateKeyPem pem;

  private PrivateKeyFile(
      @Nullable Path path, @Nullable Object fileKey, @Nullable String warning, PrivateKeyPem pem) {
    this.path = path;
    this.fileKey = fileKey;
    this.warning = warning;
    this.pem = pem;
  }

  /**
   * Reads the key and wipes what it was read from.
   *
   * @throws KeyManagerException with {@link Reason#BAD_PRIVATE_KEY} if there is no key to be read
   */
  static PrivateKeyFile read(String name, InputStream standardInput) {
    try {
      if (name.equals("-")) {
        return new PrivateKeyFile(null, null, null, parsed(standardInput));
      }
      Path path = Path.of(name);
      BasicFileAttributes attributes =
          Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
      if (attributes.isSymbolicLink()) {
        throw refused("%s is a symbolic link: give the file it points to".formatted(name));
      }
      if (!attributes.isRegularFile()) {
        throw refused("%s is no regular file: give the PEM file itself".formatted(name));
      }
      try (InputStream in =
          Files.newInputStream(path, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
        return new PrivateKeyFile(path, attributes.fileKey(), modeWarning(path), parsed(in));
      }
    } catch (NoSuchFileException e) {
      throw refused("There is no file %s: check the path of the PEM file".formatted(name));
    } catch (InvalidPathException e) {
      throw refused("Not a path: check the path of the PEM file");
    } catch (IOException e) {
      throw new KeyManagerException(
          Reason.BAD_PRIVATE_KEY,
          "%s cannot be read (%s): check who may read it"
              .formatted(name, e.getClass().getSimpleName()),
          e);
    }
  }

  PrivateKeyPem pem() {
    return pem;
  }

  /** Who else may read the file, if anyone. */
  Optional<String> warning() {
    return Optional.ofNullable(warning);
  }

  boolean isStandardInput() {
    return path == null;
  }

  /**
   * Removes the file, unless another has taken its place.
   *
   * @return why it is still there, or empty once it is gone
   */
  Optional<String> remove() {
    if (path == null) {
      return Optional.empty();
    }
    try {
      BasicFileAttributes now =
          Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
      if (!now.isRegularFile() || !Objects.equals(now.fileKey(), fileKey)) {
        return Optional.of("another file has taken its place");
      }
      Files.delete(path);
      return Optional.empty();
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      return Optional.of(e.getClass().getSimpleName());
    }
  }

  @Override
  public void close() {
    pem.close();
  }

  @Override
  public String toString() {
    return path == null ? "standard input" : path.toString();
  }

  private static PrivateKeyPem parsed(InputStream in) throws IOException {
    byte[] bytes = new byte[PrivateKeyPem.MAX_BYTES + 1];
    byte[] exact = {};
    try {
      int length = in.readNBytes(bytes, 0, bytes.length);
      exact = Arrays.copyOf(bytes, length);
      return PrivateKeyPem.parse(exact);
    } finally {
      Arrays.fill(bytes, (byte) 0);
      Arrays.fill(exact, (byte) 0);
    }
  }

  private static @Nullable String modeWarning(Path path) throws IOException {
    if (!path.getFileSystem().supportedFileAttributeViews().contains("posix")) {
      return null;
    }
    PosixFileAttributes attributes =
        Files.readAttributes(path, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    return OWNER.containsAll(attributes.permissions())
        ? null
        : "Others may read %s: `chmod 600` it, and consider the key known to them".formatted(path);
  }

  private static KeyManagerException refused(String message) {
    return new KeyManagerException(Reason.BAD_PRIVATE_KEY, message);
  }
}
