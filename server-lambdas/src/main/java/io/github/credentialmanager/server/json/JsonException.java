package io.github.credentialmanager.server.json;

/**
 * Says that a text is not the JSON it should be.
 *
 * <p>The message names where and what, and never quotes a value.
 */
public final class JsonException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public JsonException(String message) {
    super(message);
  }
}
