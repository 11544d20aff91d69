package io.github.credentialmanager.ops;

import java.nio.ByteBuffer;

/** Writes DER (X.690) elements. */
final class DerWriter {
  private DerWriter() {}

  /** An element of {@code tag} around {@code parts}, at most 65,535 bytes of them. */
  static byte[] element(int tag, byte[]... parts) {
    int length = 0;
    for (byte[] part : parts) {
      length += part.length;
    }
    int header = length < 0x80 ? 2 : length < 0x100 ? 3 : 4;
    ByteBuffer element = ByteBuffer.allocate(header + length).put((byte) tag);
    if (header == 2) {
      element.put((byte) length);
    } else if (header == 3) {
      element.put((byte) 0x81).put((byte) length);
    } else {
      element.put((byte) 0x82).putShort((short) length);
    }
    for (byte[] part : parts) {
      element.put(part);
    }
    return element.array();
  }
}
