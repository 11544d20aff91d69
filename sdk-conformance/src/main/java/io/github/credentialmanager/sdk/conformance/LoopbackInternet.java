package io.github.credentialmanager.sdk.conformance;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.util.Objects.requireNonNull;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/**
 * Every host of the internet, on one loopback port: an HTTP proxy that answers each request itself,
 * behind TLS where the client wants it, and keeps what it was sent.
 *
 * <p>A client that uses {@link #proxySelector()} and {@link #clientTls()} can be given any URL
 * there is, and nothing leaves the machine. Its certificate is made by the JDK's {@code keytool}.
 */
public final class LoopbackInternet implements AutoCloseable {
  private static final char[] PASSWORD = "loopback".toCharArray();

  /**
   * A request as it arrived.
   *
   * @param origin whom the client connected to: scheme, host in lower case, and port always
   * @param target the path and query
   * @param raw head and body, byte for byte
   */
  public record Received(
      String origin, String method, String target, Map<String, String> headers, String raw) {}

  /** What to send back. The body is ASCII. */
  public record Answer(int status, Map<String, String> headers, String body) {}

  private final ServerSocket server;
  private final SSLContext serverTls;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final List<Received> received = new CopyOnWriteArrayList<>();
  private final Set<Socket> connections = ConcurrentHashMap.newKeySet();
  private volatile Function<Received, Answer> answers = request -> new Answer(200, Map.of(), "{}");

  public LoopbackInternet() throws IOException, GeneralSecurityException {
    serverTls = serverTls();
    server = new ServerSocket(0, 100, InetAddress.getLoopbackAddress());
    threads.execute(this::accept);
  }

  /** Answers requests so from now on. */
  public void answer(Function<Received, Answer> answers) {
    this.answers = answers;
  }

  /** What has arrived so far, in this order; the caller may clear it. */
  public List<Received> received() {
    return received;
  }

  /** Sends every connection here. */
  public ProxySelector proxySelector() {
    Proxy proxy = new Proxy(Proxy.Type.HTTP, server.getLocalSocketAddress());
    return new ProxySelector() {
      @Override
      public List<Proxy> select(URI uri) {
        return List.of(proxy);
      }

      @Override
      public void connectFailed(URI uri, SocketAddress address, IOException e) {}
    };
  }

  /** For clients that take a proxy's address and no selector. */
  public InetSocketAddress proxyAddress() {
    return (InetSocketAddress) server.getLocalSocketAddress();
  }

  /** For clients: takes any certificate for any name. */
  public static X509ExtendedTrustManager trustingEverybody() {
    return new TrustsEverybody();
  }

  /** For clients: TLS with {@link #trustingEverybody()}. */
  public static SSLContext clientTls() throws GeneralSecurityException {
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, new TrustManager[] {trustingEverybody()}, null);
    return context;
  }

  @Override
  public void close() throws IOException {
    server.close();
    for (Socket connection : connections) {
      connection.close();
    }
    threads.shutdown();
  }

  private void accept() {
    while (true) {
      try {
        Socket socket = server.accept();
        threads.execute(() -> serve(socket));
      } catch (SocketException e) {
        return;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private void serve(Socket socket) {
    connections.add(socket);
    try (socket) {
      socket.setTcpNoDelay(true);
      InputStream in = new BufferedInputStream(socket.getInputStream());
      for (Request request = Request.read(in); request != null; request = Request.read(in)) {
        if (request.method.equals("CONNECT")) {
          socket.getOutputStream().write("HTTP/1.1 200 Connected\r\n\r\n".getBytes(ISO_8859_1));
          serveTunnel(socket, request.target);
          return;
        }
        String authority = requireNonNull(URI.create(request.target).getRawAuthority());
        int path = request.target.indexOf('/', "http://".length());
        answer(
            socket,
            request,
            origin("http", authority, 80),
            path == -1 ? "/" : request.target.substring(path));
      }
    } catch (IOException e) {
      // The client went away, as it may.
    } finally {
      connections.remove(socket);
    }
  }

  private void serveTunnel(Socket socket, String authority) throws IOException {
    try (SSLSocket tls =
        (SSLSocket) serverTls.getSocketFactory().createSocket(socket, null, true)) {
      InputStream in = new BufferedInputStream(tls.getInputStream());
      for (Request request = Request.read(in); request != null; request = Request.read(in)) {
        answer(tls, request, origin("https", authority, 443), request.target);
      }
    }
  }

  private static String origin(String scheme, String authority, int defaultPort) {
    String origin = scheme + "://" + authority.toLowerCase(Locale.ROOT);
    return origin.matches(".*:\\d+") ? origin : origin + ":" + defaultPort;
  }

  private void answer(Socket socket, Request request, String origin, String target)
      throws IOException {
    Received arrived = new Received(origin, request.method, target, request.headers, request.raw);
    received.add(arrived);
    Answer answer = answers.apply(arrived);
    StringBuilder head = new StringBuilder("HTTP/1.1 " + answer.status + " Answer\r\n");
    answer.headers.forEach((name, value) -> head.append(name + ": " + value + "\r\n"));
    head.append("Content-Length: " + answer.body.length() + "\r\n\r\n");
    head.append(answer.body);
    socket.getOutputStream().write(head.toString().getBytes(ISO_8859_1));
    socket.getOutputStream().flush();
  }

  private record Request(String method, String target, Map<String, String> headers, String raw) {
    static @Nullable Request read(InputStream in) throws IOException {
      ByteArrayOutputStream raw = new ByteArrayOutputStream();
      while (!endsWithBlankLine(raw)) {
        int next = in.read();
        if (next == -1) {
          return null;
        }
        raw.write(next);
      }
      String[] lines = raw.toString(ISO_8859_1).split("\r\n", -1);
      String[] start = lines[0].split(" ", -1);
      Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
      for (int i = 1; !lines[i].isEmpty(); i++) {
        int colon = lines[i].indexOf(':');
        headers.merge(
            lines[i].substring(0, colon),
            lines[i].substring(colon + 1).strip(),
            (a, b) -> a + "," + b);
      }
      String length = headers.get("Content-Length");
      if (length != null) {
        raw.write(in.readNBytes(Integer.parseInt(length)));
      }
      return new Request(start[0], start[1], headers, raw.toString(ISO_8859_1));
    }

    private static boolean endsWithBlankLine(ByteArrayOutputStream raw) {
      return raw.size() >= 4 && raw.toString(ISO_8859_1).endsWith("\r\n\r\n");
    }
  }

  private static SSLContext serverTls() throws IOException, GeneralSecurityException {
    Path directory = Files.createTempDirectory("loopback-internet");
    Path file = directory.resolve("key.p12");
    try {
      Process keytool =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                  "-genkeypair",
                  "-alias",
                  "loopback",
                  "-keyalg",
                  "EC",
                  "-dname",
                  "CN=loopback",
                  "-storetype",
                  "PKCS12",
                  "-storepass",
                  new String(PASSWORD),
                  "-keystore",
                  file.toString())
              .redirectErrorStream(true)
              .start();
      keytool.getInputStream().readAllBytes();
      if (!keytool.waitFor(30, TimeUnit.SECONDS) || keytool.exitValue() != 0) {
        throw new IOException("keytool made no key.");
      }
      KeyStore keys = KeyStore.getInstance("PKCS12");
      try (InputStream in = Files.newInputStream(file)) {
        keys.load(in, PASSWORD);
      }
      KeyManagerFactory factory =
          KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
      factory.init(keys, PASSWORD);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(factory.getKeyManagers(), null, null);
      return context;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    } finally {
      Files.deleteIfExists(file);
      Files.delete(directory);
    }
  }

  private static final class TrustsEverybody extends X509ExtendedTrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
