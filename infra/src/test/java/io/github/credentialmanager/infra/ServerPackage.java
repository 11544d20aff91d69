package io.github.credentialmanager.infra;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.jar.JarInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;

/** The functions' package as it travels in the jar, opened. */
final class ServerPackage {
  /** The server's own classes by the name of their file. */
  private final Map<String, String> classes = new HashMap<>();

  private final long size;

  private ServerPackage() throws IOException {
    try (InputStream archive = open()) {
      size = archive.readAllBytes().length;
    }
    try (ZipInputStream zip = new ZipInputStream(open())) {
      for (ZipEntry jar; (jar = zip.getNextEntry()) != null; ) {
        if (jar.getName().startsWith("lib/credential-manager-")) {
          JarInputStream inside = new JarInputStream(zip);
          for (ZipEntry entry; (entry = inside.getNextEntry()) != null; ) {
            classes.put(
                entry.getName(), new String(inside.readAllBytes(), StandardCharsets.ISO_8859_1));
          }
        }
      }
    }
  }

  static ServerPackage read() throws IOException {
    return new ServerPackage();
  }

  /** Unpacks it as Lambda does. */
  static void unpackTo(Path directory) throws IOException {
    try (ZipInputStream zip = new ZipInputStream(open())) {
      for (ZipEntry entry; (entry = zip.getNextEntry()) != null; ) {
        Path file = directory.resolve(entry.getName());
        if (entry.isDirectory()) {
          Files.createDirectories(file);
        } else {
          Files.createDirectories(requireNonNull(file.getParent()));
          Files.copy(zip, file);
        }
      }
    }
  }

  private static InputStream open() {
    return requireNonNull(CredentialManager.class.getResourceAsStream("server-lambdas.zip"));
  }

  long size() {
    return size;
  }

  boolean hasClass(String name) {
    return classes.containsKey(name.replace('.', '/') + ".class");
  }

  /** Whether a class of the server's has that text as a constant. */
  boolean says(String text) {
    return classes.values().stream().anyMatch(bytes -> bytes.contains(text));
  }
}
