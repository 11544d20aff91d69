package io.github.credentialmanager.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.credentialmanager.ops.KeyManagerException.Reason;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@EnabledOnOs({OS.LINUX, OS.MAC})
class PrivateKeyFileTest {
  private static final KeyPair KEY = TestKeys.rsa(2048);

  @TempDir Path directory;
  private Path file;

  @BeforeEach
  void write() throws IOException {
    file = Files.write(directory.resolve("key.pem"), TestKeys.pkcs1Pem(KEY));
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
  }

  private static PrivateKeyFile read(Path path) {
    return PrivateKeyFile.read(path.toString(), InputStream.nullInputStream());
  }

  @Nested
  class Reads {
    @Test
    void aFileOfItsOwnerWithoutAWarning() {
      try (PrivateKeyFile read = read(file)) {
        assertThat(read.pem().publicKey()).isEqualTo(KEY.getPublic());
        assertThat(read.warning()).isEmpty();
      }
    }

    @Test
    void aFileThatOthersMayReadWithAWarning() throws IOException {
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
      try (PrivateKeyFile read = read(file)) {
        assertThat(read.warning()).hasValueSatisfying(it -> assertThat(it).contains("chmod 600"));
      }
    }

    @Test
    void standardInputForADash() {
      try (PrivateKeyFile read =
          PrivateKeyFile.read("-", new ByteArrayInputStream(TestKeys.pkcs8Pem(KEY)))) {
        assertThat(read.isStandardInput()).isTrue();
        assertThat(read.pem().publicKey()).isEqualTo(KEY.getPublic());
        assertThat(read.remove()).isEmpty();
      }
    }

    @Test
    void andOverwritesWhatItReadInto() {
      List<byte[]> buffers = new ArrayList<>();
      InputStream watched =
          new ByteArrayInputStream(TestKeys.pkcs1Pem(KEY)) {
            @Override
            public synchronized int read(byte[] into, int at, int length) {
              buffers.add(into);
              return super.read(into, at, length);
            }
          };
      PrivateKeyFile.read("-", watched).close();
      assertThat(buffers).isNotEmpty().allSatisfy(it -> assertThat(it).containsOnly(0));
    }

    @Test
    void aFileInADirectoryBehindALink() throws IOException {
      Path link =
          Files.createSymbolicLink(
              directory.resolveSibling(directory.getFileName() + "-link"), directory);
      try (PrivateKeyFile read = read(link.resolve("key.pem"))) {
        assertThat(read.pem().publicKey()).isEqualTo(KEY.getPublic());
      } finally {
        Files.delete(link);
      }
    }
  }

  @Nested
  class Refuses {
    @Test
    void aSymbolicLink() throws IOException {
      Path link = Files.createSymbolicLink(directory.resolve("link.pem"), file);
      assertRefused(link.toString(), "symbolic link");
    }

    @Test
    void aDirectory() {
      assertRefused(directory.toString(), "no regular file");
    }

    @Test
    void aFileThatIsNotThere() {
      assertRefused(directory.resolve("none.pem").toString(), "no file");
    }

    @Test
    void aNameThatIsNoPath() {
      assertRefused("a\0b", "Not a path");
    }

    @Test
    void aNamedPipeWithoutWaitingForIt() throws Exception {
      Path pipe = directory.resolve("pipe");
      assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
      assertRefused(pipe.toString(), "no regular file");
    }

    private void assertRefused(String name, String because) {
      assertThatThrownBy(() -> PrivateKeyFile.read(name, InputStream.nullInputStream()))
          .isInstanceOfSatisfying(
              KeyManagerException.class,
              e -> assertThat(e.reason()).isEqualTo(Reason.BAD_PRIVATE_KEY))
          .hasMessageContaining(because);
    }
  }

  @Nested
  class Removes {
    @Test
    void theFile() {
      try (PrivateKeyFile read = read(file)) {
        assertThat(read.remove()).isEmpty();
      }
      assertThat(file).doesNotExist();
    }

    @Test
    void nothingIfItIsGoneAlready() throws IOException {
      try (PrivateKeyFile read = read(file)) {
        Files.delete(file);
        assertThat(read.remove()).isEmpty();
      }
    }

    @Test
    void noFileThatHasTakenItsPlace() throws IOException {
      try (PrivateKeyFile read = read(file)) {
        Path next = Files.writeString(directory.resolve("next.pem"), "another key");
        Files.move(next, file, java.nio.file.StandardCopyOption.REPLACE_EXISTING);

        assertThat(read.remove()).hasValue("another file has taken its place");
      }
      assertThat(file).hasContent("another key");
    }
  }
}
