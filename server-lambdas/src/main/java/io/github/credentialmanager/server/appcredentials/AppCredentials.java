package io.github.credentialmanager.server.appcredentials;

import io.github.credentialmanager.server.audit.ServiceLog;
import io.github.credentialmanager.server.cache.SingleFlightCache;
import io.github.credentialmanager.server.contract.Reason;
import io.github.credentialmanager.server.contract.ServiceException;
import io.github.credentialmanager.server.github.GitHubApi;
import io.github.credentialmanager.server.github.GitHubException;
import io.github.credentialmanager.server.outbound.Deadline;
import io.github.credentialmanager.server.signing.AppJwt;
import io.github.credentialmanager.server.signing.AppJwtSigner;
import io.github.credentialmanager.server.signing.SigningException;
import io.github.credentialmanager.server.store.AppRow;
import io.github.credentialmanager.server.store.AppTable;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The JWTs by which this service acts as the registered Apps.
 *
 * <p>An App's row is remembered for 60 s, its JWT for half the JWT's life. A key that KMS will not
 * use or that GitHub refuses is not the end: the row is read again, once, and the key that it names
 * now is tried, then the previous one. So a rotation and a roll-back of one take effect at once.
 *
 * <p>Safe for use by multiple threads. Apps do not wait for each other.
 */
public final class AppCredentials {
  private static final Duration ROW_LIFE = Duration.ofSeconds(60);
  private static final Duration JUST_NOW = Duration.ofSeconds(5);
  private static final int MAX_APPS = 1_000;

  private final AppTable apps;
  private final AppJwtSigner signer;
  private final GitHubApi gitHub;
  private final ServiceLog log;
  private final InstantSource clock;

  private final SingleFlightCache<Long, ReadRow> rows = new SingleFlightCache<>(MAX_APPS);
  private final SingleFlightCache<Long, AppJwt> jwts = new SingleFlightCache<>(MAX_APPS);
  private final SingleFlightCache<AppKey, AppJwt> proofs = new SingleFlightCache<>(MAX_APPS);
  private final Set<AppKey> provenKeys = ConcurrentHashMap.newKeySet();

  public AppCredentials(
      AppTable apps, AppJwtSigner signer, GitHubApi gitHub, ServiceLog log, InstantSource clock) {
    this.apps = apps;
    this.signer = signer;
    this.gitHub = gitHub;
    this.log = log;
    this.clock = clock;
  }

  /**
   * A JWT of the App that GitHub accepts. GitHub is asked about each key once, when it is first
   * used.
   *
   * @throws ServiceException if the App is not registered
   * @throws RuntimeException the failure of a table, of KMS or of GitHub
   */
  public AppJwt provenJwt(long appId, Deadline deadline) {
    AppJwt jwt = jwt(appId, deadline);
    AppKey key = new AppKey(appId, jwt.keyArn());
    if (provenKeys.contains(key)) {
      return jwt;
    }
    return proofs.get(
        key,
        this::isUsable,
        deadline,
        () -> call(appId, deadline, used -> prove(appId, used, deadline)));
  }

  private AppJwt prove(long appId, AppJwt jwt, Deadline deadline) {
    if (!provenKeys.contains(new AppKey(appId, jwt.keyArn()))) {
      gitHub.authenticate(jwt.value(), deadline);
    }
    return jwt;
  }

  /**
   * Calls GitHub as the App, again with another key if GitHub refuses the first.
   *
   * @throws ServiceException if the App is not registered
   * @throws RuntimeException the failure of a table, of KMS or of GitHub
   */
  public <T> T call(long appId, Deadline deadline, Function<AppJwt, T> call) {
    AppJwt jwt = jwt(appId, deadline);
    try {
      T result = call.apply(jwt);
      provenKeys.add(new AppKey(appId, jwt.keyArn()));
      return result;
    } catch (GitHubException e) {
      if (e.reason() != GitHubException.Cause.UNAUTHORIZED) {
        throw e;
      }
      jwts.forget(appId, jwt);
      provenKeys.remove(new AppKey(appId, jwt.keyArn()));
      return callAgain(appId, jwt, e, deadline, call);
    }
  }

  private <T> T callAgain(
      long appId,
      AppJwt refused,
      GitHubException refusal,
      Deadline deadline,
      Function<AppJwt, T> call) {
    AppRow row = readRowAgain(appId, deadline);
    for (String keyArn : keys(row)) {
      if (keyArn.equals(refused.keyArn()) && isJustSigned(refused)) {
        continue;
      }
      try {
        AppJwt jwt = signer.sign(appId, keyArn, deadline);
        T result = call.apply(jwt);
        provenKeys.add(new AppKey(appId, keyArn));
        jwts.put(appId, jwt);
        reportPreviousKey(row, keyArn);
        return result;
      } catch (SigningException e) {
        requireKeyUnavailable(e);
        refusal.addSuppressed(e);
      } catch (GitHubException e) {
        if (e.reason() != GitHubException.Cause.UNAUTHORIZED) {
          throw e;
        }
        refusal.addSuppressed(e);
      }
    }
    throw refusal;
  }

  private AppJwt jwt(long appId, Deadline deadline) {
    AppRow row = row(appId, deadline);
    return jwts.get(
        appId,
        jwt -> isUsable(jwt) && keys(row).contains(jwt.keyArn()),
        deadline,
        () -> sign(row, deadline));
  }

  private AppJwt sign(AppRow row, Deadline deadline) {
    try {
      return signer.sign(row.appId(), row.kmsKeyArn(), deadline);
    } catch (SigningException e) {
      requireKeyUnavailable(e);
      return signAgain(row, e, deadline);
    }
  }

  private AppJwt signAgain(AppRow refused, SigningException refusal, Deadline deadline) {
    AppRow row = readRowAgain(refused.appId(), deadline);
    for (String keyArn : keys(row)) {
      if (keyArn.equals(refused.kmsKeyArn())) {
        continue;
      }
      try {
        AppJwt jwt = signer.sign(row.appId(), keyArn, deadline);
        reportPreviousKey(row, keyArn);
        return jwt;
      } catch (SigningException e) {
        requireKeyUnavailable(e);
        refusal.addSuppressed(e);
      }
    }
    throw refusal;
  }

  private static void requireKeyUnavailable(SigningException e) {
    if (e.reason() != SigningException.Cause.KEY_UNAVAILABLE) {
      throw e;
    }
  }

  private static List<String> keys(AppRow row) {
    return Stream.concat(Stream.of(row.kmsKeyArn()), row.previousKmsKeyArn().stream()).toList();
  }

  private void reportPreviousKey(AppRow row, String keyArn) {
    if (!keyArn.equals(row.kmsKeyArn())) {
      log.alarm("PreviousKeyUsed", Map.of("appId", row.appId(), "kmsKeyArn", keyArn));
    }
  }

  private boolean isUsable(AppJwt jwt) {
    return jwt.hasHalfItsLifeAt(clock.instant());
  }

  private boolean isJustSigned(AppJwt jwt) {
    return jwt.signedAt().plus(JUST_NOW).isAfter(clock.instant());
  }

  private AppRow row(long appId, Deadline deadline) {
    return rows.get(appId, this::isFresh, deadline, () -> readRow(appId, deadline)).row();
  }

  private AppRow readRowAgain(long appId, Deadline deadline) {
    ReadRow read = readRow(appId, deadline);
    rows.put(appId, read);
    return read.row();
  }

  private ReadRow readRow(long appId, Deadline deadline) {
    Instant now = clock.instant();
    AppRow row =
        apps.find(appId, deadline)
            .orElseThrow(
                () ->
                    ServiceException.clientSide(
                        Reason.APP_NOT_REGISTERED,
                        "Error: Item not found: App " + appId + " is not registered"));
    return new ReadRow(row, now);
  }

  private boolean isFresh(ReadRow read) {
    Instant now = clock.instant();
    return !now.isBefore(read.at()) && now.isBefore(read.at().plus(ROW_LIFE));
  }

  /** Forgets everything, as if nothing had been asked yet. */
  public void clear() {
    rows.clear();
    jwts.clear();
    proofs.clear();
    provenKeys.clear();
  }

  private record ReadRow(AppRow row, Instant at) {}

  /** That a key is one App's does not make it another's. */
  private record AppKey(long appId, String keyArn) {}
}
