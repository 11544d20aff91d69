package io.github.credentialmanager.local;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** Where the local KMS keeps its keys between two starts. */
interface KmsStore {
  List<KmsKey> load();

  void save(Collection<KmsKey> keys);

  /** Forgets everything. */
  static KmsStore inMemory() {
    return new KmsStore() {
      @Override
      public List<KmsKey> load() {
        return List.of();
      }

      @Override
      public void save(Collection<KmsKey> keys) {}
    };
  }

  /**
   * Keeps keys, their material included, in a file that only its owner may read.
   *
   * <p>The material is not encrypted: whoever may read the file may sign. That is a laptop's
   * bargain, and the file says so.
   */
  static KmsStore file(Path file) {
    return new KmsStore() {
      private final ObjectMapper json = new ObjectMapper();

      @Override
      public List<KmsKey> load() {
        if (!Files.exists(file)) {
          return List.of();
        }
        try {
          List<KmsKey> keys = new ArrayList<>();
          for (JsonNode key : json.readTree(file.toFile()).path("keys")) {
            keys.add(KmsKey.fromJson(key));
          }
          return keys;
        } catch (IOException e) {
          throw new UncheckedIOException("Cannot read the keys kept in " + file + ".", e);
        }
      }

      @Override
      public void save(Collection<KmsKey> keys) {
        ObjectNode root = json.createObjectNode();
        root.put(
            "note",
            "Private keys of a local development stack, not encrypted. Keep out of backups.");
        ArrayNode array = root.putArray("keys");
        keys.forEach(key -> array.add(key.toJson()));
        try {
          Path draft = OwnerOnly.create(file.resolveSibling(file.getFileName() + ".new"));
          Files.write(draft, json.writeValueAsBytes(root));
          Files.move(
              draft, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
          throw new UncheckedIOException("Cannot keep the keys in " + file + ".", e);
        }
      }
    };
  }
}
