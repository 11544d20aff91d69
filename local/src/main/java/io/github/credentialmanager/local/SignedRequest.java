package io.github.credentialmanager.local;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * An HTTP request as it came over the wire.
 *
 * <p>The target and the headers hold one {@code char} for each byte received (ISO-8859-1), so that
 * a signature over raw UTF-8 is checked over the very bytes that were sent.
 *
 * @param target path and query, exactly as in the request line
 * @param headers in the order received, repeats as entries of their own
 */
record SignedRequest(String method, String target, List<Header> headers, byte[] body) {

  /** One header line; {@code value} may be folded over several lines. */
  record Header(String name, String value) {}

  SignedRequest {
    headers = List.copyOf(headers);
  }

  String path() {
    int query = target.indexOf('?');
    return query < 0 ? target : target.substring(0, query);
  }

  /** The query without its question mark; empty if there is none. */
  String query() {
    int query = target.indexOf('?');
    return query < 0 ? "" : target.substring(query + 1);
  }

  /** The values of a header, in the order received. */
  List<String> values(String lowerCaseName) {
    return headers.stream()
        .filter(header -> header.name().toLowerCase(Locale.ROOT).equals(lowerCaseName))
        .map(Header::value)
        .toList();
  }

  /** The one value of a header; empty if it is missing or sent twice. */
  Optional<String> value(String lowerCaseName) {
    List<String> values = values(lowerCaseName);
    return values.size() == 1 ? Optional.of(values.get(0).strip()) : Optional.empty();
  }
}
