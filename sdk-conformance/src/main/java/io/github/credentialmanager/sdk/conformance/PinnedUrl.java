package io.github.credentialmanager.sdk.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Objects;

/**
 * A URL, and whether a request to it may carry the token of a client that is configured for {@code
 * https://api.github.com}.
 *
 * @param url as an attacker would write it, not always a valid one
 * @param allowed whether it is {@code https://api.github.com} indeed
 */
public record PinnedUrl(String url, boolean allowed) {
  private static final String TABLE = "urls-that-resemble-github.txt";

  /** All of the table. */
  public static List<PinnedUrl> all() {
    try (InputStream in =
            Objects.requireNonNull(PinnedUrl.class.getResourceAsStream(TABLE), TABLE);
        BufferedReader lines = new BufferedReader(new InputStreamReader(in, UTF_8))) {
      return lines
          .lines()
          .filter(line -> !line.isEmpty() && !line.startsWith("#"))
          .map(PinnedUrl::parse)
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static PinnedUrl parse(String line) {
    String[] cells = line.split("\t", 2);
    return new PinnedUrl(
        cells[1].replace("\\t", "\t").replace("\\n", "\n").replace("\\0", "\0"),
        switch (cells[0]) {
          case "yes" -> true;
          case "no" -> false;
          default -> throw new IllegalArgumentException(line);
        });
  }

  @Override
  public String toString() {
    return url;
  }
}
