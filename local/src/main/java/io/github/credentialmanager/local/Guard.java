package io.github.credentialmanager.local;

import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Decides who may call an operation of the local AWS services. */
@FunctionalInterface
interface Guard {
  /**
   * @param service the service's name in signatures, for example {@code kms}
   * @param action as in an IAM policy, for example {@code kms:Sign}
   * @return the signer's access key id
   * @throws AwsJsonException if the signature is not good or the signer may not do that
   */
  String admit(SignedRequest request, String service, String action);

  /** Lets everybody in and believes the access key id they name; empty if they name none. */
  static Guard open() {
    Pattern credential = Pattern.compile("Credential=([^/,\\s]+)/");
    return (request, service, action) -> {
      Matcher matcher = credential.matcher(request.value("authorization").orElse(""));
      return matcher.find() ? matcher.group(1) : "";
    };
  }

  /**
   * Verifies signatures.
   *
   * @param verifiers by service
   */
  static Guard verifying(Map<String, SigV4Verifier> verifiers) {
    Map<String, SigV4Verifier> copy = Map.copyOf(verifiers);
    return (request, service, action) -> {
      SigV4Verifier verifier = copy.get(service);
      if (verifier == null) {
        throw new IllegalArgumentException("No verifier for " + service);
      }
      try {
        return verifier.verify(request);
      } catch (SignatureRefusedException e) {
        throw new AwsJsonException(e.errorType(), e.getMessage());
      }
    };
  }
}
