package io.github.credentialmanager.server.installations;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.credentialmanager.server.json.JsonException;
import io.github.credentialmanager.server.json.JsonObject;
import io.github.credentialmanager.server.json.JsonText;
import io.github.credentialmanager.server.store.InstallationTable.Key;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Where the next page begins, in a form that clients can only hand back.
 *
 * <p>A checksum tells a token from a text that someone made up or cut short. It is no signature,
 * for nothing rests on it: whoever may ask for one page may ask for all.
 */
final class PageToken {
  private static final int CHECKSUM_BYTES = 8;
  private static final int MAX_LENGTH = 4096;
  private static final String PURPOSE = "installations page 1\n";

  private PageToken() {}

  static String of(Key key) {
    byte[] position = JsonText.of(Map.of("a", key.appId(), "n", key.nodeId())).getBytes(UTF_8);
    byte[] token = Arrays.copyOf(checksum(position), CHECKSUM_BYTES + position.length);
    System.arraycopy(position, 0, token, CHECKSUM_BYTES, position.length);
    return Base64.getUrlEncoder().withoutPadding().encodeToString(token);
  }

  /** The key that the token was made of; empty if it is not a token of {@link #of}. */
  static Optional<Key> read(String text) {
    if (text.length() > MAX_LENGTH) {
      return Optional.empty();
    }
    try {
      byte[] token = Base64.getUrlDecoder().decode(text);
      byte[] position =
          Arrays.copyOfRange(token, Math.min(CHECKSUM_BYTES, token.length), token.length);
      JsonObject members = JsonObject.parse(new String(position, UTF_8));
      OptionalLong appId = members.integer("a");
      Optional<String> nodeId = members.string("n");
      if (appId.isEmpty() || nodeId.isEmpty()) {
        return Optional.empty();
      }
      Key key = new Key(appId.getAsLong(), nodeId.get());
      // One spelling only: checksum, member order, white space and padding bits included.
      return of(key).equals(text) ? Optional.of(key) : Optional.empty();
    } catch (IllegalArgumentException | JsonException e) {
      return Optional.empty();
    }
  }

  private static byte[] checksum(byte[] position) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(PURPOSE.getBytes(UTF_8));
      return Arrays.copyOf(digest.digest(position), CHECKSUM_BYTES);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
