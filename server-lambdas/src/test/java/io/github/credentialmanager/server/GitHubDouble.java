package io.github.credentialmanager.server;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.security.GeneralSecurityException;
import java.security.Signature;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A GitHub on which many installations live: it verifies App JWTs, pages, makes and revokes tokens,
 * and remembers every call, for the limits on calls to be judged by.
 */
public final class GitHubDouble implements AutoCloseable {
  private static final Pattern PATH =
      Pattern.compile("/(?:app/installations/([0-9]+)(/access_tokens)?|.*)");
  private static final Pattern PAGE = Pattern.compile("per_page=([0-9]+)&page=([0-9]+)");

  private final HttpServer server;
  private final ExecutorService executor = Executors.newCachedThreadPool();
  private final Supplier<Instant> clock;
  private final Map<Long, Map<Long, String>> apps = new ConcurrentHashMap<>();
  private final Map<String, Long> tokens = new ConcurrentHashMap<>();
  private final Map<String, Answer> answers = new ConcurrentHashMap<>();
  private final Set<Answer> once = ConcurrentHashMap.newKeySet();
  private final Set<String> revoked = ConcurrentHashMap.newKeySet();
  private final List<Call> calls = new CopyOnWriteArrayList<>();
  private final AtomicInteger underWay = new AtomicInteger();
  private final AtomicInteger mostAtATime = new AtomicInteger();

  /**
   * @param clock the time that JWTs and calls are judged by
   */
  public GitHubDouble(Supplier<Instant> clock) {
    this.clock = clock;
    try {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    server.createContext("/", this::serve);
    server.setExecutor(executor);
    server.start();
  }

  public URI url() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
  }

  /** Installs the App on an organisation. Its key is the one that all keys of the tests are. */
  public GitHubDouble install(long appId, long installationId, String nodeId) {
    return list(
        appId,
        installationId,
        "{\"id\":%d,\"account\":{\"login\":\"account-%d\",\"node_id\":\"%s\"},\"target_type\":\"Organization\",\"suspended_at\":null}"
            .formatted(installationId, installationId, nodeId));
  }

  /**
   * Installs the App.
   *
   * @param entry how GitHub lists the installation
   */
  public GitHubDouble list(long appId, long installationId, String entry) {
    apps.computeIfAbsent(appId, any -> new ConcurrentSkipListMap<>()).put(installationId, entry);
    return this;
  }

  public void uninstall(long appId, long installationId) {
    apps.getOrDefault(appId, Map.of()).remove(installationId);
  }

  /**
   * From now on such calls are answered so.
   *
   * @param path with {@code ID} for the installation's, and {@code ?page=N} for a page of a list
   * @param installationId zero if the call is about none
   */
  public void answer(String method, String path, long installationId, Answer answer) {
    answers.put(method + " " + path + installationId, answer);
  }

  /** The next such call is answered so. */
  public void answerOnce(String method, String path, long installationId, Answer answer) {
    answer(method, path, installationId, answer);
    once.add(answer);
  }

  public List<Call> calls() {
    return List.copyOf(calls);
  }

  public int mostAtATime() {
    return mostAtATime.get();
  }

  /** Every token that was made. */
  public Set<String> tokens() {
    return Set.copyOf(tokens.keySet());
  }

  /** How many tokens were made and not revoked. */
  public long tokensAlive() {
    return tokens.keySet().stream().filter(token -> !revoked.contains(token)).count();
  }

  private void serve(HttpExchange exchange) throws IOException {
    mostAtATime.accumulateAndGet(underWay.incrementAndGet(), Math::max);
    try (exchange) {
      String body = new String(exchange.getRequestBody().readAllBytes(), UTF_8);
      Answer answer = answer(exchange, body);
      answer.headers().forEach(exchange.getResponseHeaders()::set);
      byte[] bytes = answer.body().getBytes(UTF_8);
      exchange.sendResponseHeaders(answer.status(), bytes.length == 0 ? -1 : bytes.length);
      // Before the last byte: after it the caller may be on its next call.
      underWay.decrementAndGet();
      exchange.getResponseBody().write(bytes);
    }
  }

  private Answer answer(HttpExchange exchange, String body) {
    String method = exchange.getRequestMethod();
    String path = exchange.getRequestURI().getPath();
    String credential = exchange.getRequestHeaders().getFirst("authorization").substring(7);
    Long ofToken = tokens.get(credential);
    long appId = ofToken == null ? appOf(credential) : appWith(ofToken);
    Matcher installation = PATH.matcher(path);
    long id =
        ofToken != null
            ? ofToken
            : installation.matches() && installation.group(1) != null
                ? Long.parseLong(installation.group(1))
                : 0;
    calls.add(new Call(clock.get(), appId, id, method, path, body));
    if (appId == 0 || revoked.contains(credential)) {
      return Answer.message(401, "Bad credentials");
    }
    String query = exchange.getRequestURI().getQuery();
    Matcher page = PAGE.matcher(query == null ? "" : query);
    String call = method + " " + path.replace("/" + id, "/ID");
    Answer told = answers.get(call + (page.matches() ? "?page=" + page.group(2) : "") + id);
    if (told != null) {
      if (once.remove(told)) {
        answers.values().remove(told);
      }
      return told;
    }
    return switch (call) {
      case "GET /app/installations" -> page(appId, page);
      case "GET /app/installations/ID" -> entry(appId, id);
      case "POST /app/installations/ID/access_tokens" -> newToken(appId, id, body);
      case "GET /rate_limit" -> Answer.ok(rateLimit(id));
      case "DELETE /installation/token" -> revoke(credential);
      default -> Answer.message(404, "Not Found");
    };
  }

  private Answer page(long appId, Matcher wanted) {
    if (!wanted.matches()) {
      return Answer.message(422, "no page");
    }
    int size = Integer.parseInt(wanted.group(1));
    int page = Integer.parseInt(wanted.group(2));
    List<String> all = new ArrayList<>(apps.getOrDefault(appId, Map.of()).values());
    int last = Math.max(1, (all.size() + size - 1) / size);
    List<String> entries =
        all.subList(Math.min((page - 1) * size, all.size()), Math.min(page * size, all.size()));
    Answer answer = Answer.ok("[" + String.join(",", entries) + "]");
    return page < last
        ? answer.with(
            "link",
            "<%s/app/installations?per_page=%d&page=%d>; rel=\"next\", <%s/app/installations?per_page=%d&page=%d>; rel=\"last\""
                .formatted(url(), size, page + 1, url(), size, last))
        : answer;
  }

  private Answer entry(long appId, long id) {
    String entry = apps.getOrDefault(appId, Map.of()).get(id);
    return entry == null ? Answer.message(404, "Not Found") : Answer.ok(entry);
  }

  private Answer newToken(long appId, long id, String body) {
    if (!apps.getOrDefault(appId, Map.of()).containsKey(id)) {
      return Answer.message(404, "Not Found");
    }
    String token = "ghs_" + appId + "_" + UUID.randomUUID();
    tokens.put(token, id);
    JsonNode permissions = World.read(body).path("permissions");
    return new Answer(
        201,
        Map.of(),
        "{\"token\":\"%s\",\"expires_at\":\"%s\",\"permissions\":%s}"
            .formatted(token, clock.get().plusSeconds(3600), permissions));
  }

  /** As GitHub answers: the categories asked for by default, and one that nobody asked for. */
  private String rateLimit(long id) {
    String category =
        "{\"limit\":5000,\"used\":%d,\"remaining\":%d,\"reset\":%d}"
            .formatted(id % 5000, 5000 - id % 5000, clock.get().getEpochSecond() + 1800);
    return ("{\"resources\":{\"core\":%1$s,\"graphql\":%1$s,\"search\":%1$s,"
            + "\"scim\":%1$s},\"rate\":%1$s}")
        .formatted(category);
  }

  private Answer revoke(String token) {
    revoked.add(token);
    return new Answer(204, Map.of(), "");
  }

  private long appWith(long installationId) {
    return apps.entrySet().stream()
        .filter(app -> app.getValue().containsKey(installationId))
        .map(Map.Entry::getKey)
        .findFirst()
        .orElse(0L);
  }

  /** Zero if the JWT is not a good one. */
  private long appOf(String jwt) {
    String[] parts = jwt.split("\\.", -1);
    if (parts.length != 3) {
      return 0;
    }
    try {
      Signature signature = Signature.getInstance("SHA256withRSA");
      signature.initVerify(KmsDouble.sharedKey().getPublic());
      signature.update((parts[0] + "." + parts[1]).getBytes(US_ASCII));
      JsonNode claims = World.read(new String(Base64.getUrlDecoder().decode(parts[1]), UTF_8));
      long now = clock.get().getEpochSecond();
      boolean good =
          signature.verify(Base64.getUrlDecoder().decode(parts[2]))
              && claims.path("iat").asLong() <= now
              && claims.path("exp").asLong() > now
              && claims.path("exp").asLong() <= now + 600;
      return good ? claims.path("iss").asLong() : 0;
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      return 0;
    }
  }

  @Override
  public void close() {
    server.stop(0);
    executor.shutdownNow();
  }

  /**
   * A call that was made.
   *
   * @param appId zero if the credential was no good
   * @param installationId zero if it was not about one
   */
  public record Call(
      Instant at, long appId, long installationId, String method, String path, String body) {
    /** What GitHub counts it as ("Rate limits for the REST API"). */
    public int points() {
      return method.equals("GET") ? 1 : 5;
    }
  }

  /** What GitHub says. */
  public record Answer(int status, Map<String, String> headers, String body) {
    public static Answer ok(String body) {
      return new Answer(200, Map.of(), body);
    }

    public static Answer message(int status, String message) {
      return new Answer(status, Map.of(), "{\"message\":\"" + message + "\"}");
    }

    public Answer with(String header, String value) {
      return new Answer(status, Map.of(header, value), body);
    }
  }
}
