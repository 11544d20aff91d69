package io.github.credentialmanager.examples.quickstart;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyPairGenerator;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Runs {@link Quickstart} as a user would: starts the local stack, imports a new key with the
 * operator's tool, runs the program with the stack's environment, and counts what it cost.
 *
 * <p>Every part is a process of its own, started by the script a user starts. Ends with exit code 0
 * only if each step happened.
 */
public final class Demonstration {
  private static final long APP_ID = 1001;
  private static final String NODE_ID = "O_kgDOquick";

  /** RSA-2048 in PKCS#8 is 26 bytes of wrapping, then the PKCS#1 structure (RFC 5208, RFC 8017). */
  private static final int PKCS8_HEADER_LENGTH = 26;

  private static final String SEED =
      """
      {
        "accounts": [
          {"login": "octo-org", "nodeId": "O_kgDOquick",
           "repositories": ["hello-world", "spoon-knife", "linguist"]}
        ],
        "apps": [
          {"id": 1001, "slug": "quickstart", "privateKeyFile": "quickstart.private-key.pem", "imported": false,
           "installations": [{"account": "octo-org"}]}
        ]
      }
      """;

  private final Path localStack;
  private final Path operatorsTool;
  private final Path directory;

  private Demonstration(Path localStack, Path operatorsTool, Path directory) {
    this.localStack = localStack;
    this.operatorsTool = operatorsTool;
    this.directory = directory;
  }

  /**
   * @param args the local stack's script, the operator's tool's script, and a directory to work in
   */
  public static void main(String[] args) throws Exception {
    Instant start = Instant.now();
    new Demonstration(Path.of(args[0]), Path.of(args[1]), Path.of(args[2])).run();
    System.out.printf("%nDone in %d s.%n", Duration.between(start, Instant.now()).toSeconds());
  }

  private void run() throws Exception {
    Files.createDirectories(directory);
    Path pem = directory.resolve("quickstart.private-key.pem");

    heading("1. A new private key, as GitHub's settings page hands it out (PKCS#1)");
    writePrivateKey(pem);
    System.out.println(pem);

    heading("2. The Credential Manager, on this machine");
    Path seed = Files.writeString(directory.resolve("seed.json"), SEED);
    try (StackProcess stack = StackProcess.start(localStack, seed)) {
      Map<String, String> environment = stack.environment();
      System.out.println(environment.get("CREDENTIAL_MANAGER_ENDPOINT"));

      heading("3. Import the key into KMS with the operator's tool");
      run(
          environment,
          operatorsTool.toString(),
          "import-private-key",
          pem.toString(),
          Long.toString(APP_ID),
          environment.getOrDefault("APP_TABLE_NAME", ""));
      require(Files.notExists(pem), "The tool left the PEM file behind: " + pem);

      heading("4. Your program: connect(appId, nodeId), list repositories, 100 further calls");
      run(
          environment,
          Path.of(System.getProperty("java.home"), "bin", "java").toString(),
          "-cp",
          System.getProperty("java.class.path"),
          Quickstart.class.getName(),
          Long.toString(APP_ID),
          NODE_ID);

      heading("5. What it cost: the service's audit log");
      List<String> vends = stack.stop();
      vends.forEach(System.out::println);
      require(vends.size() == 1, "Expected one vend for all calls, not " + vends.size() + ".");
      System.out.println("One installation token for all calls.");
    }
  }

  private static void writePrivateKey(Path pem) throws IOException, GeneralSecurityException {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
    generator.initialize(2048);
    byte[] pkcs8 = generator.generateKeyPair().getPrivate().getEncoded();
    byte[] pkcs1 = Arrays.copyOfRange(pkcs8, PKCS8_HEADER_LENGTH, pkcs8.length);
    String text =
        "-----BEGIN RSA PRIVATE KEY-----\n"
            + Base64.getMimeEncoder(64, "\n".getBytes(US_ASCII)).encodeToString(pkcs1)
            + "\n-----END RSA PRIVATE KEY-----\n";
    Files.deleteIfExists(pem);
    Files.createFile(
        pem, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.writeString(pem, text);
  }

  /** Runs a command to its end, its output shown. */
  private static void run(Map<String, String> environment, String... command)
      throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().putAll(environment);
    Process process = builder.start();
    process.getOutputStream().close();
    try (var output = process.inputReader(UTF_8)) {
      output.lines().forEach(System.out::println);
    }
    require(
        process.waitFor(60, TimeUnit.SECONDS) && process.exitValue() == 0, "Failed: " + command[0]);
  }

  private static void heading(String text) {
    System.out.printf("%n%s%n", text);
  }

  private static void require(boolean condition, String otherwise) {
    if (!condition) {
      throw new IllegalStateException(otherwise);
    }
  }
}
