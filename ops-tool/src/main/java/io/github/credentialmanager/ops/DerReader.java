package io.github.credentialmanager.ops;

import java.util.Arrays;

/**
 * Reads the elements of one DER value (X.690) in order and refuses every other encoding: BER's
 * indefinite and padded lengths, padded or negative integers, and bytes left over.
 *
 * <p>It reads in place, so that key bytes have no copies that could not be wiped.
 */
final class DerReader {
  static final int INTEGER = 0x02;
  static final int OCTET_STRING = 0x04;
  static final int OBJECT_IDENTIFIER = 0x06;
  static final int SEQUENCE = 0x30;

  private final byte[] der;
  private final int end;
  private int position;

  DerReader(byte[] der) {
    this(der, 0, der.length);
  }

  private DerReader(byte[] der, int start, int end) {
    this.der = der;
    this.position = start;
    this.end = end;
  }

  boolean hasMore() {
    return position < end;
  }

  /** The contents of the next element, which must carry {@code tag}. */
  DerReader next(int tag) {
    if (end - position < 2 || (der[position] & 0xff) != tag) {
      throw new MalformedDerException();
    }
    position++;
    int length = length();
    if (length > end - position) {
      throw new MalformedDerException();
    }
    DerReader contents = new DerReader(der, position, position + length);
    position += length;
    return contents;
  }

  /** Passes over the next element, which must be a non-negative, minimally encoded INTEGER. */
  void skipInteger() {
    DerReader integer = next(INTEGER);
    int length = integer.end - integer.position;
    if (length == 0
        || der[integer.position] < 0
        || (length > 1 && der[integer.position] == 0 && der[integer.position + 1] >= 0)) {
      throw new MalformedDerException();
    }
  }

  /** Refuses whatever follows the last element read. */
  void end() {
    if (hasMore()) {
      throw new MalformedDerException();
    }
  }

  /** Whether what is left equals {@code expected}. */
  boolean remainsEqualTo(byte[] expected) {
    return Arrays.equals(der, position, end, expected, 0, expected.length);
  }

  /** What is left, copied. */
  byte[] copy() {
    return Arrays.copyOfRange(der, position, end);
  }

  private int length() {
    int first = der[position++] & 0xff;
    if (first < 0x80) {
      return first;
    }
    int octets = first & 0x7f;
    if (octets == 0 || octets > 3 || octets > end - position) {
      throw new MalformedDerException();
    }
    int length = 0;
    for (int i = 0; i < octets; i++) {
      length = length << 8 | (der[position++] & 0xff);
    }
    if (length < 0x80 || (octets > 1 && length >>> 8 * (octets - 1) == 0)) {
      throw new MalformedDerException();
    }
    return length;
  }

  /** The bytes are no DER; carries nothing of them. */
  static final class MalformedDerException extends RuntimeException {
    MalformedDerException() {
      super("Not DER", null, false, false);
    }
  }
}
