package io.github.credentialmanager.server.signing;

import io.github.credentialmanager.server.outbound.Deadline;
import java.time.InstantSource;
import software.amazon.awssdk.services.kms.KmsClient;

/** Signs JSON Web Tokens on behalf of GitHub Apps. */
public interface AppJwtSigner {
  /**
   * A new JWT of the App, signed by that key.
   *
   * @throws SigningException if there is none to be had
   */
  AppJwt sign(long appId, String keyArn, Deadline deadline);

  /**
   * The signer that asks AWS KMS for every signature.
   *
   * @param client with time-outs and retries of its own, which the deadline shortens
   */
  static AppJwtSigner kms(KmsClient client, InstantSource clock) {
    return new KmsAppJwtSigner(client, clock);
  }
}
