package io.github.credentialmanager.server.functionurl;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.credentialmanager.server.contract.ServiceException;
import io.github.credentialmanager.server.json.JsonException;
import io.github.credentialmanager.server.json.JsonObject;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.Base64;
import java.util.Optional;

/**
 * A Function URL event, payload format 2.0 (AWS Lambda Developer Guide, "Invoking Lambda function
 * URLs"), as far as it is looked at.
 *
 * <p>Any member may be {@code null} or absent. It holds the caller's session token, so it is never
 * logged, and never prints itself.
 */
final class FunctionUrlEvent {
  static final int MAX_BODY_BYTES = 64 * 1024;

  private final JsonObject event;
  private final JsonObject context;

  /**
   * @throws JsonException if the text is no such event
   */
  FunctionUrlEvent(String text) {
    this.event = JsonObject.parse(text);
    this.context = event.object("requestContext").orElseGet(JsonObject::empty);
  }

  Optional<String> version() {
    return event.string("version");
  }

  /** The account that owns the function. */
  Optional<String> ownerAccount() {
    return context.string("accountId");
  }

  Optional<String> domainName() {
    return context.string("domainName");
  }

  Optional<String> requestId() {
    return context.string("requestId");
  }

  Optional<String> method() {
    return context.object("http").flatMap(http -> http.string("method"));
  }

  /** The path, without the slashes at its end. */
  String path() {
    String path = event.string("rawPath").orElse("");
    int end = path.length();
    while (end > 0 && path.charAt(end - 1) == '/') {
      end--;
    }
    return path.substring(0, end);
  }

  /** What IAM found out about the caller; empty if IAM did not authorise the event. */
  Optional<JsonObject> iam() {
    return context.object("authorizer").flatMap(authorizer -> authorizer.object("iam"));
  }

  Optional<String> header(String lowerCaseName) {
    return event.object("headers").flatMap(headers -> headers.string(lowerCaseName));
  }

  /**
   * The body as text; empty text if there is none.
   *
   * @throws ServiceException 413 if it is over 64 KiB, {@code SerializationException} if it is not
   *     UTF-8
   */
  String body() {
    String body = event.string("body").orElse("");
    if (!event.bool("isBase64Encoded").orElse(false)) {
      requireSmall(body.length() > MAX_BODY_BYTES ? body.length() : body.getBytes(UTF_8).length);
      return body;
    }
    try {
      byte[] bytes = Base64.getDecoder().decode(body);
      requireSmall(bytes.length);
      return UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (IllegalArgumentException | CharacterCodingException e) {
      throw ServiceException.serialization(e);
    }
  }

  private static void requireSmall(int bytes) {
    if (bytes > MAX_BODY_BYTES) {
      throw ServiceException.unmodelled(413, "RequestTooLargeException", null);
    }
  }

  @Override
  public String toString() {
    return "FunctionUrlEvent";
  }
}
