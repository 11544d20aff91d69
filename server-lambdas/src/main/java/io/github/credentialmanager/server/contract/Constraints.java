package io.github.credentialmanager.server.contract;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Collects what a request breaks, in the order in which its members are asked about.
 *
 * <p>Ask about all members first, then {@link #check()}, then use what the questions returned:
 * until then a value may be a stand-in for a missing one.
 *
 * <p>Not safe for use by multiple threads.
 */
public final class Constraints {
  private final List<Violation> violations = new ArrayList<>();

  /** The required integer, at least {@code least}. */
  public long required(String path, OptionalLong value, long least) {
    if (value.isEmpty()) {
      violate(path, "Value", "must not be null");
      return least;
    }
    return atLeast(path, value.getAsLong(), least);
  }

  /** The integer, at least {@code least}. */
  public long atLeast(String path, long value, long least) {
    if (value < least) {
      violate(path, "Value", "must be greater than or equal to " + least);
    }
    return value;
  }

  /** The required string of {@code least} to {@code most} code points. */
  public String required(String path, Optional<String> value, int least, int most) {
    if (value.isEmpty()) {
      violate(path, "Value", "must not be null");
      return "";
    }
    int length = value.get().codePointCount(0, value.get().length());
    if (length < least || length > most) {
      violate(
          path,
          "Value with length " + length,
          "must have length between " + least + " and " + most + ", inclusive");
    }
    return value.get();
  }

  /** The list without nulls, with at least one element. */
  public <T> List<T> elements(String path, List<? extends @Nullable T> list) {
    requireSome(path, list);
    List<T> elements = new ArrayList<>(list.size());
    for (int i = 0; i < list.size(); i++) {
      T element = list.get(i);
      if (element == null) {
        violate(path + "/" + i, "Value", "must not be null");
      } else {
        elements.add(element);
      }
    }
    return elements;
  }

  /** The map without null values, with at least one entry. */
  public Map<String, String> entries(String path, Map<String, @Nullable String> map) {
    requireSome(path, map.keySet());
    Map<String, String> entries = new TreeMap<>();
    map.forEach(
        (key, value) -> {
          if (value == null) {
            violate(path + "/" + pointer(key), "Value", "must not be null");
          } else {
            entries.put(key, value);
          }
        });
    return entries;
  }

  /** Reports that a page token is not one that this operation returned. */
  public void foreignToken(String path) {
    violate(path, "Value", "must be a token that this operation returned");
  }

  private void requireSome(String path, Collection<?> collection) {
    if (collection.isEmpty()) {
      violate(path, "Value with length 0", "must have length greater than or equal to 1");
    }
  }

  private void violate(String path, String value, String constraint) {
    violations.add(
        new Violation(
            path, value + " at '" + path + "' failed to satisfy constraint: Member " + constraint));
  }

  /** RFC 6901, section 3. */
  private static String pointer(String name) {
    return name.replace("~", "~0").replace("/", "~1");
  }

  /**
   * @throws ServiceException a {@code ValidationException} with everything collected, if anything
   *     was
   */
  public void check() {
    if (!violations.isEmpty()) {
      throw ServiceException.validation(violations);
    }
  }
}
