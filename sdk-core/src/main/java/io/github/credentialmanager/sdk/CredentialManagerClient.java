package io.github.credentialmanager.sdk;

import static java.util.Objects.requireNonNull;

import io.github.credentialmanager.sdk.Transport.Answer;
import io.github.credentialmanager.sdk.WireFormat.MalformedAnswerException;
import io.github.credentialmanager.sdk.WireFormat.TokenAnswer;
import java.net.URI;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.identity.spi.AwsCredentialsIdentity;
import software.amazon.awssdk.identity.spi.IdentityProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.utils.SdkAutoCloseable;

/**
 * The Credential Manager's five operations.
 *
 * <pre>{@code
 * try (CredentialManagerClient client = CredentialManagerClient.create()) {
 *   AccessToken token = client.getInstallationToken(1001, "O_kgDOA");
 * }
 * }</pre>
 *
 * <p>Each call asks the server; {@link TokenProvider#credentialManager()} remembers. Calls are
 * signed with AWS Signature Version 4, go to https only (http to loopback), follow no redirect, and
 * are tried again after failures that may pass, within one {@linkplain Builder#timeout timeout}.
 *
 * <p>Every operation throws {@link TokenDeniedException} if the server or IAM refuses, or a setting
 * is missing, and {@link TokenUnavailableException} if there is no answer in time.
 *
 * <p>Safe for use by multiple threads.
 */
public final class CredentialManagerClient implements AutoCloseable {
  private static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(30);

  private final ClientConfiguration configuration;
  private final Transport transport;
  private final InstantSource clock;
  private final Duration timeout;

  /** What nobody else closes. */
  private final List<SdkAutoCloseable> owned = new ArrayList<>();

  private CredentialManagerClient(Builder builder) {
    this.configuration = builder.configuration();
    this.clock = builder.clock;
    this.timeout = builder.timeout;
    SdkHttpClient http = builder.httpClient;
    IdentityProvider<? extends AwsCredentialsIdentity> credentials = builder.credentialsProvider;
    if (http == null) {
      http = own(defaultHttpClient());
    }
    if (credentials == null) {
      credentials = own(DefaultCredentialsProvider.builder().build());
    }
    this.transport = new Transport(http, credentials, clock, builder.sleeper, builder.random);
  }

  /**
   * A client that is configured by system properties, then environment variables, as {@link
   * Builder} says.
   *
   * @throws IllegalArgumentException if a setting is malformed
   */
  public static CredentialManagerClient create() {
    return builder().build();
  }

  public static Builder builder() {
    return new Builder();
  }

  /** The App's own token, a JWT that lives about 8 minutes. */
  public AccessToken getAppToken(long appId) {
    return token(TokenRequest.app(appId));
  }

  /** A token for everything the App may do on one account; lives an hour. */
  public AccessToken getInstallationToken(long appId, String nodeId) {
    return token(TokenRequest.installation(appId, nodeId));
  }

  /** A narrowed token for one account; lives an hour. */
  public AccessToken getInstallationToken(long appId, String nodeId, Scope scope) {
    return token(TokenRequest.installation(appId, nodeId, scope));
  }

  /** Has the server read all installations of all its Apps from GitHub anew. */
  public RefreshSummary refreshCachedData() {
    return call(
        Operation.REFRESH_CACHED_DATA,
        null,
        timeout,
        "Installations not refreshed",
        WireFormat::refreshAnswer);
  }

  /**
   * The installations of the server's Apps on one account, as the server last read them; empty if
   * there are none.
   */
  public List<Installation> getInstallationData(String nodeId) {
    byte[] body = WireFormat.installationDataRequest(TokenRequest.checkNodeId(nodeId));
    return call(
            Operation.GET_INSTALLATION_DATA,
            body,
            timeout,
            "No installations of node " + nodeId,
            WireFormat::installationsAnswer)
        .installations();
  }

  /** The first page of all installations, in the size that the server chooses. */
  public InstallationsPage getInstallations() {
    return getInstallations(0, null);
  }

  /**
   * One page of all installations, as the server last read them.
   *
   * @param maxResults how many at most; 0 lets the server choose
   * @param nextToken {@link InstallationsPage#nextToken()} of the page before; null for the first
   *     page
   * @throws IllegalArgumentException if {@code maxResults} is negative
   */
  public InstallationsPage getInstallations(int maxResults, @Nullable String nextToken) {
    if (maxResults < 0) {
      throw new IllegalArgumentException("maxResults " + maxResults + " is negative.");
    }
    return call(
        Operation.GET_INSTALLATIONS,
        WireFormat.installationsRequest(maxResults, nextToken),
        timeout,
        "No installations",
        WireFormat::installationsAnswer);
  }

  /** All installations. */
  public Stream<Installation> paginateInstallations() {
    return paginateInstallations(0);
  }

  /**
   * All installations. Each page is asked for when the stream gets to it.
   *
   * @param pageSize how many to ask for at a time; 0 lets the server choose
   * @throws IllegalArgumentException if {@code pageSize} is negative
   */
  public Stream<Installation> paginateInstallations(int pageSize) {
    if (pageSize < 0) {
      throw new IllegalArgumentException("pageSize " + pageSize + " is negative.");
    }
    return StreamSupport.stream(
            Spliterators.spliteratorUnknownSize(
                new Pages(pageSize), Spliterator.ORDERED | Spliterator.NONNULL),
            false)
        .flatMap(page -> page.installations().stream());
  }

  /**
   * This client as a source of tokens, without memory: each request is one call.
   *
   * <p>{@link TokenRequest#withTimeout} shortens the client's timeout for that request. Closing the
   * provider closes this client.
   */
  public TokenProvider asTokenProvider() {
    return new UncachedTokens();
  }

  /** Closes connections and threads of its own. What was given to the builder stays open. */
  @Override
  public void close() {
    transport.close();
    owned.forEach(SdkAutoCloseable::close);
  }

  private <T extends SdkAutoCloseable> T own(T resource) {
    owned.add(resource);
    return resource;
  }

  /** This client, as the cache in front of it sees it. */
  final class UncachedTokens implements TokenProvider {
    @Override
    public AccessToken getToken(TokenRequest request) {
      return token(request);
    }

    @Override
    public void close() {
      CredentialManagerClient.this.close();
    }

    /** The later of this machine's clock and the server's, as far as that is known. */
    InstantSource pessimisticClock() {
      return transport.pessimisticClock();
    }
  }

  private AccessToken token(TokenRequest request) {
    String nodeId = request.nodeId().orElse(null);
    Duration wait = request.timeout().filter(own -> own.compareTo(timeout) < 0).orElse(timeout);
    String wanted = "No token for " + request.describe();
    AccessToken token =
        nodeId == null
            ? call(
                Operation.GET_APP_TOKEN,
                WireFormat.appTokenRequest(request.appId()),
                wait,
                wanted,
                body -> accessToken(request, WireFormat.tokenAnswer(body)))
            : call(
                Operation.GET_INSTALLATION_TOKEN,
                WireFormat.installationTokenRequest(
                    request.appId(), nodeId, request.scope().orElse(null)),
                wait,
                wanted,
                body -> accessToken(request, WireFormat.tokenAnswer(body)));
    request.checkRemaining(token, clock.instant());
    return token;
  }

  private AccessToken accessToken(TokenRequest request, TokenAnswer answer)
      throws MalformedAnswerException {
    String nodeId = request.nodeId().orElse(null);
    if ((answer.appId() != null && answer.appId() != request.appId())
        || (answer.nodeId() != null && !answer.nodeId().equals(nodeId))) {
      throw new MalformedAnswerException("a token for someone else");
    }
    AccessToken.Builder token;
    try {
      token = AccessToken.builder(request.appId(), answer.token(), answer.expirationTime());
    } catch (IllegalArgumentException e) {
      throw new MalformedAnswerException("a token that no header can carry");
    }
    token.issuedAt(clock.instant());
    if (nodeId != null) {
      token.nodeId(nodeId);
    }
    if (answer.grantedScope() != null) {
      token.grantedScope(answer.grantedScope());
    }
    return token.build();
  }

  @FunctionalInterface
  private interface AnswerReader<T> {
    T read(byte[] body) throws MalformedAnswerException;
  }

  private <T> T call(
      Operation operation,
      byte @Nullable [] body,
      Duration wait,
      String wanted,
      AnswerReader<T> reader) {
    URI url = configuration.url(operation);
    Answer answer = transport.call(operation, url, configuration.region(url), body, wait, wanted);
    try {
      return reader.read(answer.body());
    } catch (MalformedAnswerException e) {
      throw new Failures(operation, url, wanted).unexpected(String.valueOf(e.getMessage()), answer);
    }
  }

  private static SdkHttpClient defaultHttpClient() {
    return UrlConnectionHttpClient.builder()
        .connectionTimeout(Duration.ofSeconds(2))
        // The server gives up after 10 s with an answer of its own.
        .socketTimeout(Duration.ofSeconds(12))
        .build();
  }

  /**
   * Page after page. A token that does not move on would go round forever, so it ends in an
   * exception.
   */
  private final class Pages implements Iterator<InstallationsPage> {
    private final int pageSize;
    private @Nullable String nextToken;
    private boolean last;

    Pages(int pageSize) {
      this.pageSize = pageSize;
    }

    @Override
    public boolean hasNext() {
      return !last;
    }

    @Override
    public InstallationsPage next() {
      if (last) {
        throw new NoSuchElementException();
      }
      InstallationsPage page = getInstallations(pageSize, nextToken);
      String next = page.nextToken().orElse(null);
      if (next != null && next.equals(nextToken)) {
        throw new TokenUnavailableException(
            "The server gave the same page of installations twice.", Reason.UNEXPECTED_ANSWER);
      }
      nextToken = next;
      last = next == null;
      return page;
    }
  }

  /**
   * Builds a {@link CredentialManagerClient}.
   *
   * <p>What is not given is read from system properties, then from environment variables:
   *
   * <table>
   * <caption>Settings</caption>
   * <tr><th>variable<th>property<th>what it is
   * <tr><td>{@code CREDENTIAL_MANAGER_ENDPOINT}<td>{@code credential.manager.endpoint}<td>one base URL for all operations
   * <tr><td>{@code CREDENTIAL_MANAGER_APP_TOKEN_ENDPOINT}<td>{@code credential.manager.app.token.endpoint}
   * <td>of GetAppToken alone
   * <tr><td>{@code CREDENTIAL_MANAGER_INSTALLATION_TOKEN_ENDPOINT}
   * <td>{@code credential.manager.installation.token.endpoint}<td>of GetInstallationToken alone
   * <tr><td>{@code CREDENTIAL_MANAGER_REFRESH_ENDPOINT}<td>{@code credential.manager.refresh.endpoint}
   * <td>of RefreshCachedData alone
   * <tr><td>{@code CREDENTIAL_MANAGER_INSTALLATION_DATA_ENDPOINT}
   * <td>{@code credential.manager.installation.data.endpoint}<td>of GetInstallationData alone
   * <tr><td>{@code CREDENTIAL_MANAGER_INSTALLATIONS_ENDPOINT}<td>{@code credential.manager.installations.endpoint}
   * <td>of GetInstallations alone
   * <tr><td>{@code AWS_REGION}<td>{@code aws.region}<td>the region to sign for, unless the host is a Function URL's, which names it
   * </table>
   *
   * <p>An operation's own endpoint goes before the common one of the same source. Missing settings
   * are reported by the first call that needs them.
   *
   * <p>Not safe for use by multiple threads.
   */
  public static final class Builder {
    private final Map<Operation, URI> endpoints = new EnumMap<>(Operation.class);
    private @Nullable URI endpoint;
    private @Nullable Region region;
    private @Nullable IdentityProvider<? extends AwsCredentialsIdentity> credentialsProvider;
    private @Nullable SdkHttpClient httpClient;
    private Duration timeout = DEFAULT_TIMEOUT;
    private InstantSource clock = InstantSource.system();
    private Settings settings = Settings.system();
    private Transport.Sleeper sleeper = pause -> Thread.sleep(pause.toMillis());
    private RandomGenerator random = ThreadSafeRandom.INSTANCE;

    private Builder() {}

    /**
     * One base URL for all operations; their paths are added.
     *
     * @throws IllegalArgumentException if not https (http only for loopback), or with user
     *     information, query or fragment
     */
    public Builder endpoint(URI endpoint) {
      this.endpoint = ClientConfiguration.checkEndpoint(endpoint, "endpoint");
      return this;
    }

    /**
     * The base URL of one operation; its path is added.
     *
     * @throws IllegalArgumentException if not https (http only for loopback), or with user
     *     information, query or fragment
     */
    public Builder endpoint(Operation operation, URI endpoint) {
      endpoints.put(
          requireNonNull(operation, "operation"),
          ClientConfiguration.checkEndpoint(endpoint, "endpoint of " + operation.wireName()));
      return this;
    }

    /** The region to sign for. */
    public Builder region(Region region) {
      this.region = requireNonNull(region, "region");
      return this;
    }

    /** Who calls; default the AWS SDK's default chain. */
    public Builder credentialsProvider(
        IdentityProvider<? extends AwsCredentialsIdentity> credentialsProvider) {
      this.credentialsProvider = requireNonNull(credentialsProvider, "credentialsProvider");
      return this;
    }

    /**
     * What to send with: proxies, TLS and connections are its matter. Default the JDK's URL
     * connection.
     *
     * <p>It must not follow redirects; those of the AWS SDK do not. It stays open when the client
     * is closed.
     */
    public Builder httpClient(SdkHttpClient httpClient) {
      this.httpClient = requireNonNull(httpClient, "httpClient");
      return this;
    }

    /**
     * How long one call may take, all its attempts included; default 30 s.
     *
     * @throws IllegalArgumentException if not positive or more than a year
     */
    public Builder timeout(Duration timeout) {
      this.timeout = TokenRequest.checkTimeout(timeout);
      return this;
    }

    /** The wall clock that signatures are dated with; default the system's. */
    public Builder clock(InstantSource clock) {
      this.clock = requireNonNull(clock, "clock");
      return this;
    }

    Builder settings(Settings settings) {
      this.settings = settings;
      return this;
    }

    Builder sleeper(Transport.Sleeper sleeper) {
      this.sleeper = sleeper;
      return this;
    }

    Builder random(RandomGenerator random) {
      this.random = random;
      return this;
    }

    ClientConfiguration configuration() {
      return ClientConfiguration.resolve(settings, endpoint, endpoints, region);
    }

    /**
     * The client. Does no I/O.
     *
     * @throws IllegalArgumentException if a setting is malformed
     */
    public CredentialManagerClient build() {
      return new CredentialManagerClient(this);
    }
  }
}
