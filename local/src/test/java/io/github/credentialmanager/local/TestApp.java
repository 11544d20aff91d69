package io.github.credentialmanager.local;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.time.Instant;
import java.util.Base64;

/** A GitHub App's key pair and the JWTs made with it. */
record TestApp(KeyPair keys) {
  static TestApp generate() {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
      generator.initialize(2048);
      return new TestApp(generator.generateKeyPair());
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  /** As the server makes them: issued a minute ago, valid for eight more. */
  String jwt(Object issuer, Instant now) {
    String iss = issuer instanceof Number ? issuer.toString() : "\"" + issuer + "\"";
    return jwt(
        "{\"iat\":%d,\"exp\":%d,\"iss\":%s}"
            .formatted(now.getEpochSecond() - 60, now.getEpochSecond() + 480, iss));
  }

  String jwt(String claims) {
    return jwt("{\"alg\":\"RS256\",\"typ\":\"JWT\"}", claims);
  }

  String jwt(String header, String claims) {
    Base64.Encoder base64 = Base64.getUrlEncoder().withoutPadding();
    String signed =
        base64.encodeToString(header.getBytes(UTF_8))
            + "."
            + base64.encodeToString(claims.getBytes(UTF_8));
    try {
      Signature rs256 = Signature.getInstance("SHA256withRSA");
      rs256.initSign(keys.getPrivate());
      rs256.update(signed.getBytes(UTF_8));
      return signed + "." + base64.encodeToString(rs256.sign());
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public String toString() {
    return "TestApp";
  }
}
