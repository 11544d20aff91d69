package io.github.credentialmanager.sdk;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The contract's JSON: what is sent and what is answered.
 *
 * <p>Members that are not known are skipped, known ones must have the contract's type. Failures
 * never carry a piece of the text, which may be a token.
 */
final class WireFormat {
  private static final JsonFactory JSON = new JsonFactory();

  /** An id from outside that may go into a message. */
  static final Pattern REQUEST_ID = Pattern.compile("[!-~]{1,128}");

  private WireFormat() {}

  /** An answer that is not what the contract says. The message is what was there instead. */
  static final class MalformedAnswerException extends Exception {
    private static final long serialVersionUID = 1L;

    MalformedAnswerException(String message) {
      super(message);
    }
  }

  /** An answer with a token in it; what else was left out is null. */
  record TokenAnswer(
      Secret token,
      Instant expirationTime,
      @Nullable Long appId,
      @Nullable String nodeId,
      @Nullable Scope grantedScope) {}

  /** A modelled error's members; what the server left out is null. */
  record ErrorAnswer(
      @Nullable String type,
      @Nullable Reason reason,
      @Nullable String requestId,
      @Nullable Duration retryAfter) {
    static final ErrorAnswer NONE = new ErrorAnswer(null, null, null, null);
  }

  // ---- requests

  static byte[] appTokenRequest(long appId) {
    return object(json -> json.writeNumberField("appId", appId));
  }

  static byte[] installationTokenRequest(long appId, String nodeId, @Nullable Scope scope) {
    return object(
        json -> {
          json.writeNumberField("appId", appId);
          json.writeStringField("nodeId", nodeId);
          if (scope != null) {
            json.writeObjectFieldStart("scopeDown");
            writeScope(json, scope);
            json.writeEndObject();
          }
        });
  }

  static byte[] installationDataRequest(String nodeId) {
    return object(json -> json.writeStringField("nodeId", nodeId));
  }

  static byte[] installationsRequest(int maxResults, @Nullable String nextToken) {
    return object(
        json -> {
          if (maxResults > 0) {
            json.writeNumberField("maxResults", maxResults);
          }
          if (nextToken != null) {
            json.writeStringField("nextToken", nextToken);
          }
        });
  }

  /** The members of GitHub's own token request, which has other names for the same narrowing. */
  static byte[] gitHubTokenRequest(@Nullable Scope scope) {
    return object(
        json -> {
          if (scope == null) {
            return;
          }
          if (!scope.repositories().isEmpty()) {
            writeStrings(json, "repositories", scope.repositories());
          }
          if (!scope.repositoryIds().isEmpty()) {
            writeLongs(json, "repository_ids", scope.repositoryIds());
          }
          writePermissions(json, scope.permissions());
        });
  }

  private static void writeScope(JsonGenerator json, Scope scope) throws IOException {
    if (!scope.repositoryIds().isEmpty()) {
      writeLongs(json, "repositoryIds", scope.repositoryIds());
    }
    if (!scope.repositories().isEmpty()) {
      writeStrings(json, "repositoryNames", scope.repositories());
    }
    writePermissions(json, scope.permissions());
  }

  private static void writeLongs(JsonGenerator json, String name, List<Long> values)
      throws IOException {
    json.writeArrayFieldStart(name);
    for (long value : values) {
      json.writeNumber(value);
    }
    json.writeEndArray();
  }

  private static void writeStrings(JsonGenerator json, String name, List<String> values)
      throws IOException {
    json.writeArrayFieldStart(name);
    for (String value : values) {
      json.writeString(value);
    }
    json.writeEndArray();
  }

  private static void writePermissions(JsonGenerator json, Map<String, Scope.Access> permissions)
      throws IOException {
    if (permissions.isEmpty()) {
      return;
    }
    json.writeObjectFieldStart("permissions");
    for (Map.Entry<String, Scope.Access> permission : permissions.entrySet()) {
      json.writeStringField(permission.getKey(), permission.getValue().wireName());
    }
    json.writeEndObject();
  }

  @FunctionalInterface
  private interface Members {
    void writeTo(JsonGenerator json) throws IOException;
  }

  private static byte[] object(Members members) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (JsonGenerator json = JSON.createGenerator(out)) {
      json.writeStartObject();
      members.writeTo(json);
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  // ---- answers

  static TokenAnswer tokenAnswer(byte[] body) throws MalformedAnswerException {
    return read(
        body,
        json -> {
          Secret token = null;
          Instant expirationTime = null;
          Long appId = null;
          String nodeId = null;
          Scope grantedScope = null;
          for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
            json.nextToken();
            switch (name) {
              case "appToken", "installationToken" -> token = Secret.of(text(json));
              case "expirationTime" -> expirationTime = Instant.parse(text(json));
              case "appId" -> appId = number(json);
              case "nodeId" -> nodeId = text(json);
              case "actualScopeDown" -> grantedScope = scope(json);
              default -> json.skipChildren();
            }
          }
          return new TokenAnswer(
              required(token, "token"),
              required(expirationTime, "expirationTime"),
              appId,
              nodeId,
              grantedScope);
        });
  }

  static RefreshSummary refreshAnswer(byte[] body) throws MalformedAnswerException {
    return read(
        body,
        json -> {
          String message = "";
          Instant refreshedDate = null;
          for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
            json.nextToken();
            switch (name) {
              case "message" -> message = text(json);
              case "refreshedDate" -> refreshedDate = Instant.parse(text(json));
              default -> json.skipChildren();
            }
          }
          return new RefreshSummary(message, required(refreshedDate, "refreshedDate"));
        });
  }

  static InstallationsPage installationsAnswer(byte[] body) throws MalformedAnswerException {
    return read(
        body,
        json -> {
          List<Installation> installations = null;
          String nextToken = null;
          for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
            json.nextToken();
            switch (name) {
              case "installations" -> {
                expect(json, JsonToken.START_ARRAY);
                installations = new ArrayList<>();
                while (json.nextToken() != JsonToken.END_ARRAY) {
                  installations.add(installation(json));
                }
              }
              case "nextToken" -> nextToken = textOrNull(json);
              default -> json.skipChildren();
            }
          }
          return new InstallationsPage(required(installations, "installations"), nextToken);
        });
  }

  /** GitHub's answer to a token request. */
  static TokenAnswer gitHubTokenAnswer(byte[] body) throws MalformedAnswerException {
    return read(
        body,
        json -> {
          Secret token = null;
          Instant expiresAt = null;
          Scope.Builder granted = Scope.builder();
          for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
            json.nextToken();
            switch (name) {
              case "token" -> token = Secret.of(text(json));
              case "expires_at" -> expiresAt = Instant.parse(text(json));
              case "permissions" -> permissions(json, granted);
              case "repositories" -> {
                expect(json, JsonToken.START_ARRAY);
                while (json.nextToken() != JsonToken.END_ARRAY) {
                  gitHubRepository(json, granted);
                }
              }
              default -> json.skipChildren();
            }
          }
          return new TokenAnswer(
              required(token, "token"),
              required(expiresAt, "expires_at"),
              null,
              null,
              granted.buildGranted());
        });
  }

  /** One installation in GitHub's list of an App's. */
  record GitHubInstallation(long id, String nodeId) {}

  /** GitHub's list of an App's installations, without those whose account is gone. */
  static List<GitHubInstallation> gitHubInstallations(byte[] body) throws MalformedAnswerException {
    return readArray(
        body,
        (json, installations) -> {
          Long id = null;
          String nodeId = null;
          for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
            JsonToken value = json.nextToken();
            if (name.equals("id")) {
              id = number(json);
            } else if (name.equals("account") && value == JsonToken.START_OBJECT) {
              nodeId = nodeId(json);
            } else {
              json.skipChildren();
            }
          }
          if (nodeId != null) {
            installations.add(new GitHubInstallation(required(id, "id"), nodeId));
          }
        });
  }

  /**
   * What GitHub says about an error, to tell one 403 from another; empty if nothing. Never to be
   * shown.
   */
  static String gitHubMessage(byte[] body) {
    try {
      return read(
          body,
          json -> {
            String message = "";
            for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
              if (json.nextToken() == JsonToken.VALUE_STRING && name.equals("message")) {
                message = json.getText();
              } else {
                json.skipChildren();
              }
            }
            return message;
          });
    } catch (MalformedAnswerException e) {
      return "";
    }
  }

  /**
   * An error's members; none if the body is not JSON, as when something in front of the server
   * answered.
   */
  static ErrorAnswer errorAnswer(byte[] body) {
    try {
      return read(body, WireFormat::error);
    } catch (MalformedAnswerException e) {
      return ErrorAnswer.NONE;
    }
  }

  private static ErrorAnswer error(JsonParser json) throws IOException {
    String type = null;
    Reason reason = null;
    String requestId = null;
    Duration retryAfter = null;
    for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
      JsonToken value = json.nextToken();
      if (value == JsonToken.VALUE_STRING) {
        switch (name) {
          case "__type" -> type = json.getText();
          case "reason" -> reason = reason(json.getText());
          case "requestId" -> requestId = harmless(json.getText());
          default -> {}
        }
      } else if (value == JsonToken.VALUE_NUMBER_INT && name.equals("retryAfterSeconds")) {
        retryAfter = Duration.ofSeconds(Math.max(0, json.getLongValue()));
      } else {
        json.skipChildren();
      }
    }
    return new ErrorAnswer(type, reason, requestId, retryAfter);
  }

  private static @Nullable String harmless(String id) {
    return REQUEST_ID.matcher(id).matches() ? id : null;
  }

  private static Reason reason(String name) {
    for (Reason reason : Reason.values()) {
      if (reason.name().equals(name)) {
        return reason;
      }
    }
    return Reason.UNKNOWN;
  }

  private static Installation installation(JsonParser json)
      throws IOException, MalformedAnswerException {
    expect(json, JsonToken.START_OBJECT);
    Long appId = null;
    Long installationId = null;
    String nodeId = null;
    String targetType = "";
    String login = "";
    for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
      json.nextToken();
      switch (name) {
        case "appId" -> appId = number(json);
        case "installationId" -> installationId = number(json);
        case "nodeId" -> nodeId = text(json);
        case "targetType" -> targetType = text(json);
        case "name" -> login = text(json);
        default -> json.skipChildren();
      }
    }
    return new Installation(
        required(appId, "appId"),
        required(installationId, "installationId"),
        required(nodeId, "nodeId"),
        targetType,
        login);
  }

  private static void gitHubRepository(JsonParser json, Scope.Builder granted)
      throws IOException, MalformedAnswerException {
    expect(json, JsonToken.START_OBJECT);
    for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
      json.nextToken();
      switch (name) {
        case "id" -> granted.repositoryIds(number(json));
        case "name" -> granted.repositories(text(json));
        default -> json.skipChildren();
      }
    }
  }

  private static @Nullable String nodeId(JsonParser json) throws IOException {
    String nodeId = null;
    for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
      if (json.nextToken() == JsonToken.VALUE_STRING && name.equals("node_id")) {
        nodeId = json.getText();
      } else {
        json.skipChildren();
      }
    }
    return nodeId;
  }

  /** Adds permissions. A level of access that this version does not know is left out. */
  private static void permissions(JsonParser json, Scope.Builder scope)
      throws IOException, MalformedAnswerException {
    expect(json, JsonToken.START_OBJECT);
    for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
      json.nextToken();
      Scope.Access access = Scope.Access.ofWireName(text(json));
      if (access != null) {
        scope.permission(name, access);
      }
    }
  }

  private static @Nullable Scope scope(JsonParser json)
      throws IOException, MalformedAnswerException {
    if (json.currentToken() == JsonToken.VALUE_NULL) {
      return null;
    }
    expect(json, JsonToken.START_OBJECT);
    Scope.Builder scope = Scope.builder();
    for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
      json.nextToken();
      switch (name) {
        case "repositoryIds" -> {
          expect(json, JsonToken.START_ARRAY);
          while (json.nextToken() != JsonToken.END_ARRAY) {
            scope.repositoryIds(number(json));
          }
        }
        case "repositoryNames" -> {
          expect(json, JsonToken.START_ARRAY);
          while (json.nextToken() != JsonToken.END_ARRAY) {
            scope.repositories(text(json));
          }
        }
        case "permissions" -> permissions(json, scope);
        default -> json.skipChildren();
      }
    }
    return scope.buildGranted();
  }

  // ---- reading

  @FunctionalInterface
  private interface ObjectReader<T> {
    T read(JsonParser json) throws IOException, MalformedAnswerException;
  }

  /** Reads one element of an array, and adds it or not. */
  @FunctionalInterface
  private interface ElementReader<T> {
    void read(JsonParser json, List<T> elements) throws IOException, MalformedAnswerException;
  }

  private static <T> T read(byte[] body, ObjectReader<T> reader) throws MalformedAnswerException {
    return readDocument(
        body,
        json -> {
          expect(json, JsonToken.START_OBJECT);
          return reader.read(json);
        });
  }

  private static <T> List<T> readArray(byte[] body, ElementReader<T> reader)
      throws MalformedAnswerException {
    return readDocument(
        body,
        json -> {
          expect(json, JsonToken.START_ARRAY);
          List<T> elements = new ArrayList<>();
          while (json.nextToken() != JsonToken.END_ARRAY) {
            expect(json, JsonToken.START_OBJECT);
            reader.read(json, elements);
          }
          return elements;
        });
  }

  private static <T> T readDocument(byte[] body, ObjectReader<T> reader)
      throws MalformedAnswerException {
    try (JsonParser json = JSON.createParser(body)) {
      json.nextToken();
      T answer = reader.read(json);
      if (json.nextToken() != null) {
        throw new MalformedAnswerException("more than one JSON value");
      }
      return answer;
    } catch (IOException | DateTimeException | IllegalArgumentException e) {
      // Not chained: these messages quote the text.
      throw new MalformedAnswerException("malformed JSON (" + e.getClass().getSimpleName() + ")");
    }
  }

  private static String text(JsonParser json) throws IOException, MalformedAnswerException {
    expect(json, JsonToken.VALUE_STRING);
    return json.getText();
  }

  private static @Nullable String textOrNull(JsonParser json)
      throws IOException, MalformedAnswerException {
    return json.currentToken() == JsonToken.VALUE_NULL ? null : text(json);
  }

  private static long number(JsonParser json) throws IOException, MalformedAnswerException {
    expect(json, JsonToken.VALUE_NUMBER_INT);
    return json.getLongValue();
  }

  private static void expect(JsonParser json, JsonToken expected)
      throws IOException, MalformedAnswerException {
    if (json.currentToken() != expected) {
      throw new MalformedAnswerException("something else where the contract says " + expected);
    }
  }

  private static <T> T required(@Nullable T value, String name) throws MalformedAnswerException {
    if (value == null) {
      throw new MalformedAnswerException("an answer without " + name);
    }
    return value;
  }
}
