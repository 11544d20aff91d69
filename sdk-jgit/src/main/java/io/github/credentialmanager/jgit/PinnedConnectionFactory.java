package io.github.credentialmanager.jgit;

import java.io.IOException;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.net.URL;
import org.eclipse.jgit.transport.http.HttpConnection;
import org.eclipse.jgit.transport.http.HttpConnectionFactory;

/**
 * Connections that send no {@code Authorization} anywhere but to one origin.
 *
 * <p>JGit forgets its authentication when a redirect leads to another host, not when it leads to
 * another port of the same one.
 */
final class PinnedConnectionFactory implements HttpConnectionFactory {
  private final HttpConnectionFactory delegate;
  private final GitOrigin origin;

  PinnedConnectionFactory(HttpConnectionFactory delegate, GitOrigin origin) {
    this.delegate = delegate;
    this.origin = origin;
  }

  @Override
  public HttpConnection create(URL url) throws IOException {
    return pinned(url, delegate.create(url));
  }

  @Override
  public HttpConnection create(URL url, java.net.Proxy proxy) throws IOException {
    return pinned(url, delegate.create(url, proxy));
  }

  private HttpConnection pinned(URL url, HttpConnection connection) {
    if (origin.covers(url)) {
      return connection;
    }
    InvocationHandler handler =
        (proxy, method, arguments) -> {
          if (method.getName().equals("setRequestProperty")
              && "Authorization".equalsIgnoreCase((String) arguments[0])) {
            return null;
          }
          try {
            return method.invoke(connection, arguments);
          } catch (InvocationTargetException e) {
            throw e.getCause();
          }
        };
    return (HttpConnection)
        Proxy.newProxyInstance(
            HttpConnection.class.getClassLoader(), new Class<?>[] {HttpConnection.class}, handler);
  }
}
