package io.github.credentialmanager.server.callerpolicy;

import io.github.credentialmanager.server.functionurl.Caller;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An IAM role or user, by account and name.
 *
 * <p>Names are unique in an account whatever their path (IAM User Guide, "IAM identifiers"), and
 * the ARN of an assumed role has no path. The session name is of the caller's own choosing and is
 * no part of this.
 *
 * @param kind {@code role} or {@code user}
 */
record Principal(String account, String kind, String name) {
  static final String NAME = "[A-Za-z0-9_+=,.@-]{1,64}";

  private static final Pattern ASSUMED_ROLE =
      Pattern.compile(
          "arn:aws[a-z-]*:sts::([0-9]{12}):assumed-role/(" + NAME + ")/[A-Za-z0-9_+=,.@-]{2,64}");
  private static final Pattern USER =
      Pattern.compile("arn:aws[a-z-]*:iam::([0-9]{12}):user/(?:[!-.0-~]+/)*(" + NAME + ")");

  /** Empty for whoever is neither: a root user, a federated one, an event without an ARN. */
  static Optional<Principal> of(Caller caller) {
    return caller
        .arn()
        .flatMap(arn -> match(ASSUMED_ROLE, "role", arn).or(() -> match(USER, "user", arn)))
        .filter(principal -> principal.account.equals(caller.account()));
  }

  private static Optional<Principal> match(Pattern pattern, String kind, String arn) {
    Matcher matcher = pattern.matcher(arn);
    return matcher.matches()
        ? Optional.of(new Principal(matcher.group(1), kind, matcher.group(2)))
        : Optional.empty();
  }
}
