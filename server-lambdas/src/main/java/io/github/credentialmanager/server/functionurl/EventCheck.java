package io.github.credentialmanager.server.functionurl;

import com.amazonaws.services.lambda.runtime.Context;
import io.github.credentialmanager.server.contract.ServiceException;
import io.github.credentialmanager.server.json.JsonObject;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The second lock behind IAM: does the event come from this function's URL, and from a caller who
 * may be here?
 *
 * <p>Who may call {@code lambda:InvokeFunction} without going through the URL writes the event, and
 * with it {@code authorizer.iam}, as he likes. The grants of this project exclude that; this check
 * makes a grant gone wrong show.
 *
 * @param allowedAccounts accounts let in besides the function's own
 * @param allowedDomains the host names events may come from; empty for Function URLs of the region
 */
public record EventCheck(Set<String> allowedAccounts, Set<String> allowedDomains, String region) {
  private static final String FORMAT = "2.0";
  private static final int ACCOUNT_IN_ARN = 4;

  public EventCheck {
    allowedAccounts = Set.copyOf(allowedAccounts);
    allowedDomains = Set.copyOf(allowedDomains);
  }

  /**
   * @throws ServiceException 403 if the event is not what it should be
   */
  Caller check(FunctionUrlEvent event, @Nullable Context context) {
    require(event.version().filter(FORMAT::equals).isPresent());
    require(event.domainName().filter(this::isAllowedDomain).isPresent());
    JsonObject iam = event.iam().orElseThrow(EventCheck::denied);
    String owner = event.ownerAccount().orElseThrow(EventCheck::denied);
    require(functionAccount(context).map(owner::equals).orElse(true));
    Optional<String> arn = iam.string("userArn");
    String caller =
        iam.string("accountId")
            .or(() -> arn.flatMap(EventCheck::account))
            .orElseThrow(EventCheck::denied);
    require(caller.equals(owner) || allowedAccounts.contains(caller));
    return new Caller(caller, arn, iam.string("accessKey"));
  }

  private boolean isAllowedDomain(String domain) {
    return allowedDomains.isEmpty()
        ? domain.endsWith(".lambda-url." + region + ".on.aws")
        : allowedDomains.contains(domain);
  }

  /** What Lambda itself says, which no event can forge; empty outside of Lambda. */
  private static Optional<String> functionAccount(@Nullable Context context) {
    return context == null
        ? Optional.empty()
        : Optional.ofNullable(context.getInvokedFunctionArn()).flatMap(EventCheck::account);
  }

  private static Optional<String> account(String arn) {
    String[] parts = arn.split(":", -1);
    return parts.length > ACCOUNT_IN_ARN && !parts[ACCOUNT_IN_ARN].isEmpty()
        ? Optional.of(parts[ACCOUNT_IN_ARN])
        : Optional.empty();
  }

  private static void require(boolean fulfilled) {
    if (!fulfilled) {
      throw denied();
    }
  }

  private static ServiceException denied() {
    return ServiceException.unmodelled(403, "AccessDeniedException", null);
  }
}
