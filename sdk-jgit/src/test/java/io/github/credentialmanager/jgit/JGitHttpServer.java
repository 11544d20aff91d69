package io.github.credentialmanager.jgit;

import static java.nio.charset.StandardCharsets.UTF_8;

import jakarta.servlet.DispatcherType;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpFilter;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.nio.file.Path;
import java.util.Base64;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.eclipse.jetty.ee10.servlet.FilterHolder;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jgit.api.Git;
import org.eclipse.jgit.http.server.GitServlet;
import org.eclipse.jgit.lib.Repository;
import org.eclipse.jgit.lib.StoredConfig;
import org.jspecify.annotations.Nullable;

/** JGit's HTTP server on a loopback port, with one repository and GitHub's challenge before it. */
final class JGitHttpServer implements AutoCloseable {
  private final Server server = new Server();
  private final ServerConnector connector = new ServerConnector(server);
  private final Set<String> tokens = ConcurrentHashMap.newKeySet();
  private final List<String> authorizations = new CopyOnWriteArrayList<>();
  private final Repository repository;
  private volatile @Nullable String redirectTo;

  JGitHttpServer(Path directory) throws Exception {
    repository =
        Git.init()
            .setBare(true)
            .setInitialBranch("main")
            .setDirectory(directory.toFile())
            .call()
            .getRepository();
    StoredConfig config = repository.getConfig();
    config.setBoolean("http", null, "receivepack", true);
    config.save();
    GitServlet git = new GitServlet();
    git.setRepositoryResolver(
        (request, name) -> {
          repository.incrementOpen();
          return repository;
        });
    ServletContextHandler context = new ServletContextHandler();
    context.addServlet(new ServletHolder(git), "/*");
    context.addFilter(new FilterHolder(new Challenge()), "/*", EnumSet.of(DispatcherType.REQUEST));
    server.setHandler(context);
    connector.setHost(InetAddress.getLoopbackAddress().getHostAddress());
    server.addConnector(connector);
    server.start();
  }

  URI url() {
    return URI.create("http://127.0.0.1:" + port());
  }

  int port() {
    return connector.getLocalPort();
  }

  String repositoryUrl() {
    return url() + "/octo-org/api.git";
  }

  Repository repository() {
    return repository;
  }

  void accept(String token) {
    tokens.add(token);
  }

  void refuse(String token) {
    tokens.remove(token);
  }

  /** From now on each request is sent to the same path at another server. */
  void redirectTo(String origin) {
    redirectTo = origin;
  }

  /** User and password of each request that had any, in clear. */
  List<String> authorizations() {
    return authorizations;
  }

  @Override
  public void close() {
    try (repository) {
      server.stop();
    } catch (Exception e) {
      throw new IllegalStateException("The server does not stop.", e);
    }
  }

  private final class Challenge extends HttpFilter {
    private static final long serialVersionUID = 1L;

    @Override
    protected void doFilter(
        HttpServletRequest request, HttpServletResponse response, FilterChain chain)
        throws IOException, ServletException {
      String credentials = credentials(request.getHeader("Authorization"));
      if (credentials != null) {
        authorizations.add(credentials);
      }
      if (credentials == null
          || !credentials.startsWith("x-access-token:")
          || !tokens.contains(credentials.substring("x-access-token:".length()))) {
        response.setHeader("WWW-Authenticate", "Basic realm=\"GitHub\"");
        response.sendError(HttpServletResponse.SC_UNAUTHORIZED);
        return;
      }
      if (redirectTo != null) {
        String query = request.getQueryString();
        response.setStatus(HttpServletResponse.SC_MOVED_PERMANENTLY);
        response.setHeader(
            "Location", redirectTo + request.getRequestURI() + (query == null ? "" : "?" + query));
        return;
      }
      chain.doFilter(request, response);
    }

    private @Nullable String credentials(@Nullable String header) {
      return header == null
          ? null
          : header.startsWith("Basic ")
              ? new String(Base64.getDecoder().decode(header.substring("Basic ".length())), UTF_8)
              : header;
    }
  }
}
