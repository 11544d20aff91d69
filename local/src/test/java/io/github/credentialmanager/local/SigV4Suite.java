package io.github.credentialmanager.local;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;

/** Reads the published Signature Version 4 cases, each in its header and its query form. */
final class SigV4Suite {
  private SigV4Suite() {}

  /** One case in one form. */
  record Case(Path directory, String form, JsonNode context) {
    SignedRequest signedRequest() {
      return parse(read("signed-request.txt"));
    }

    byte[] signedRequestBytes() {
      return read("signed-request.txt").getBytes(ISO_8859_1);
    }

    String text(String file) {
      return read(file + ".txt");
    }

    Instant time() {
      return Instant.parse(context.get("timestamp").textValue());
    }

    String region() {
      return context.get("region").textValue();
    }

    boolean normalizes() {
      return context.get("normalize").booleanValue();
    }

    AwsCredentials credentials() {
      JsonNode node = context.get("credentials");
      String id = node.get("access_key_id").textValue();
      String secret = node.get("secret_access_key").textValue();
      return node.has("token")
          ? AwsSessionCredentials.create(id, secret, node.get("token").textValue())
          : AwsBasicCredentials.create(id, secret);
    }

    SigV4Verifier verifier() {
      return new SigV4Verifier(
          region(),
          context.get("service").textValue(),
          normalizes(),
          !context.path("omit_session_token").booleanValue(),
          this::time,
          id -> Optional.of(credentials()).filter(known -> known.accessKeyId().equals(id)));
    }

    private String read(String file) {
      try {
        return Files.readString(directory.resolve(form + "-" + file), ISO_8859_1);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public String toString() {
      return directory.getFileName() + " (" + form + ")";
    }
  }

  static Stream<Case> cases() throws IOException {
    Path suite = Path.of(System.getProperty("conformance.dir", "missing"), "sigv4");
    assumeTrue(Files.isDirectory(suite), () -> "no conformance vectors at " + suite);
    ObjectMapper json = new ObjectMapper();
    List<Case> cases = new ArrayList<>();
    try (Stream<Path> directories = Files.list(suite)) {
      for (Path directory : directories.sorted().toList()) {
        JsonNode context = json.readTree(directory.resolve("context.json").toFile());
        for (String form : List.of("header", "query")) {
          cases.add(new Case(directory, form, context));
        }
      }
    }
    assertThat(cases).hasSize(2 * 38);
    return cases.stream();
  }

  /** Parses the text of a request, whose header values may be folded over several lines. */
  static SignedRequest parse(String text) {
    int end = text.indexOf("\n\n");
    List<String> lines = Arrays.asList((end < 0 ? text : text.substring(0, end)).split("\n", -1));
    String requestLine = lines.get(0);
    int method = requestLine.indexOf(' ');
    int version = requestLine.lastIndexOf(' ');
    List<SignedRequest.Header> headers = new ArrayList<>();
    for (String line : lines.subList(1, lines.size())) {
      if (line.startsWith(" ")) {
        SignedRequest.Header folded = headers.remove(headers.size() - 1);
        headers.add(new SignedRequest.Header(folded.name(), folded.value() + "\n" + line));
      } else {
        int colon = line.indexOf(':');
        String name = colon < 0 ? line : line.substring(0, colon);
        String value = colon < 0 ? "" : line.substring(colon + 1);
        headers.add(new SignedRequest.Header(name, value));
      }
    }
    boolean hasBody =
        headers.stream()
            .anyMatch(header -> header.name().toLowerCase(Locale.ROOT).equals("content-length"));
    byte[] body = hasBody && end >= 0 ? text.substring(end + 2).getBytes(ISO_8859_1) : new byte[0];
    return new SignedRequest(
        requestLine.substring(0, Math.max(method, 0)),
        requestLine.substring(method + 1, Math.max(version, method + 1)),
        headers,
        body);
  }
}
