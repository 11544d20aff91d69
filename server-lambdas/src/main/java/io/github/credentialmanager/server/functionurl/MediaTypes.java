package io.github.credentialmanager.server.functionurl;

import java.util.Locale;

/** Whether {@code content-type} and {@code accept} leave room for {@code application/json}. */
final class MediaTypes {
  private static final String JSON = "application/json";

  private MediaTypes() {}

  /** Whether the content is JSON in UTF-8, with a parameter that says so or without. */
  static boolean isJson(String contentType) {
    String[] parts = split(contentType, ";");
    if (!parts[0].equals(JSON)) {
      return false;
    }
    for (int i = 1; i < parts.length; i++) {
      if (parts[i].startsWith("charset=") && !parts[i].replace("\"", "").equals("charset=utf-8")) {
        return false;
      }
    }
    return true;
  }

  /** Whether one range of the list matches JSON with a weight above zero (RFC 9110, 12.5.1). */
  static boolean acceptJson(String accept) {
    for (String range : split(accept, ",")) {
      String[] parts = split(range, ";");
      boolean matches =
          parts[0].equals(JSON) || parts[0].equals("application/*") || parts[0].equals("*/*");
      if (matches && !isRefused(parts)) {
        return true;
      }
    }
    return false;
  }

  private static boolean isRefused(String[] parts) {
    for (int i = 1; i < parts.length; i++) {
      if (parts[i].matches("q=0(\\.0{0,3})?")) {
        return true;
      }
    }
    return false;
  }

  private static String[] split(String list, String separator) {
    String[] parts = list.toLowerCase(Locale.ROOT).split(separator, -1);
    for (int i = 0; i < parts.length; i++) {
      parts[i] = parts[i].strip();
    }
    return parts;
  }
}
