package io.github.credentialmanager.local;

import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.Base64;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;

/**
 * The callers that the local stack's IAM knows, each an assumed role with fresh random credentials.
 *
 * <p>Safe for use by multiple threads.
 */
final class Identities {
  /** The account that owns everything here: the one AWS's documentation takes for examples. */
  static final String ACCOUNT = "111122223333";

  private static final String BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  private static final String SESSION = "local";

  private final SecureRandom random = new SecureRandom();
  private final Map<String, Identity> byAccessKeyId = new ConcurrentHashMap<>();

  /**
   * One caller.
   *
   * @param paths of the operations it may invoke
   * @param operator whether it may use KMS, and ask what an operator's tool asks
   */
  record Identity(
      AwsSessionCredentials credentials,
      String roleName,
      String roleId,
      Set<String> paths,
      boolean operator) {
    Identity {
      paths = Set.copyOf(paths);
    }

    /** The ARN under which requests arrive; its last part is the caller's own choice. */
    String userArn() {
      return "arn:aws:sts::%s:assumed-role/%s/%s".formatted(ACCOUNT, roleName, SESSION);
    }

    String callerId() {
      return roleId + ":" + SESSION;
    }

    boolean mayInvoke(String path) {
      return paths.contains(path);
    }
  }

  /** A new caller. */
  Identity add(String roleName, Set<String> paths, boolean operator) {
    AwsSessionCredentials credentials =
        AwsSessionCredentials.create(
            "ASIA" + base32(16),
            base64(30),
            Base64.getEncoder()
                .encodeToString(
                    ("local session of " + roleName.toLowerCase(Locale.ROOT) + " " + base32(64))
                        .getBytes(StandardCharsets.UTF_8)));
    Identity identity = new Identity(credentials, roleName, "AROA" + base32(17), paths, operator);
    byAccessKeyId.put(credentials.accessKeyId(), identity);
    return identity;
  }

  Optional<Identity> identity(String accessKeyId) {
    return Optional.ofNullable(byAccessKeyId.get(accessKeyId));
  }

  Optional<AwsCredentials> credentials(String accessKeyId) {
    return identity(accessKeyId).map(Identity::credentials);
  }

  /** Lets operators use the AWS services, with good signatures; anybody may ask who he is. */
  Guard guard(String region) {
    // AWS's clients date signatures with the system's clock, whichever clock a test moves.
    Guard signatures =
        Guard.verifying(
            Set.of("kms", "lambda", "sts", "tagging").stream()
                .collect(
                    Collectors.toMap(
                        Function.identity(),
                        service ->
                            new SigV4Verifier(
                                region,
                                service,
                                true,
                                true,
                                InstantSource.system(),
                                this::credentials))));
    return (request, service, action) -> {
      String accessKeyId = signatures.admit(request, service, action);
      Identity caller = identity(accessKeyId).orElseThrow();
      if (!caller.operator() && !service.equals("sts")) {
        throw new AwsJsonException(
            "AccessDeniedException",
            "User: %s is not authorized to perform: %s because no identity-based policy allows it"
                .formatted(caller.userArn(), action));
      }
      return accessKeyId;
    };
  }

  private String base32(int length) {
    StringBuilder text = new StringBuilder(length);
    for (int i = 0; i < length; i++) {
      text.append(BASE32.charAt(random.nextInt(BASE32.length())));
    }
    return text.toString();
  }

  private String base64(int bytes) {
    byte[] value = new byte[bytes];
    random.nextBytes(value);
    return Base64.getEncoder().encodeToString(value);
  }
}
