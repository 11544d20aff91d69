package io.github.credentialmanager.local.ops;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import software.amazon.awssdk.http.AbortableInputStream;
import software.amazon.awssdk.http.ExecutableHttpRequest;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.HttpExecuteResponse;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.SdkHttpResponse;

/** Lets a test do something at a call to AWS, or end the tool there. */
final class WatchedHttpClient implements SdkHttpClient {
  /** What a test does at calls, which count from 1. */
  interface Watch {
    /** The request has not left yet. */
    default void before(int call, String operation) throws IOException {}

    /** AWS has done what was asked, and the tool does not know it yet. */
    default void after(int call, String operation) throws IOException {}

    /** Whether AWS is to deny the call. */
    default boolean denies(String operation) {
      return false;
    }

    /** Takes a permission away. */
    static Watch deny(String denied) {
      return new Watch() {
        @Override
        public boolean denies(String operation) {
          return operation.equals(denied);
        }
      };
    }

    /** Ends the tool before, or after, AWS has done what a call asks. */
    static Watch kill(int atCall, boolean afterwards) {
      return new Watch() {
        @Override
        public void before(int call, String operation) {
          if (call == atCall && !afterwards) {
            throw new Killed();
          }
        }

        @Override
        public void after(int call, String operation) {
          if (call == atCall) {
            throw new Killed();
          }
        }
      };
    }

    /** Does something once, before the first call of an operation. */
    static Watch before(String operation, Runnable action) {
      return new Watch() {
        private boolean done;

        @Override
        public void before(int call, String name) {
          if (name.equals(operation) && !done) {
            done = true;
            action.run();
          }
        }
      };
    }
  }

  /** What a kill looks like from inside: no handler of exceptions catches it. */
  static final class Killed extends Error {
    Killed() {
      super("killed", null, false, false);
    }
  }

  private final SdkHttpClient delegate;
  private final Watch watch;
  private int calls;

  WatchedHttpClient(SdkHttpClient delegate, Watch watch) {
    this.delegate = delegate;
    this.watch = watch;
  }

  @Override
  public ExecutableHttpRequest prepareRequest(HttpExecuteRequest request) {
    int call = ++calls;
    String target = request.httpRequest().firstMatchingHeader("x-amz-target").orElse("");
    String operation = target.substring(target.indexOf('.') + 1);
    ExecutableHttpRequest prepared = delegate.prepareRequest(request);
    return new ExecutableHttpRequest() {
      @Override
      public HttpExecuteResponse call() throws IOException {
        watch.before(call, operation);
        if (watch.denies(operation)) {
          return denial();
        }
        HttpExecuteResponse response = prepared.call();
        watch.after(call, operation);
        return response;
      }

      @Override
      public void abort() {
        prepared.abort();
      }
    };
  }

  private static HttpExecuteResponse denial() {
    return HttpExecuteResponse.builder()
        .response(
            SdkHttpResponse.builder()
                .statusCode(400)
                .putHeader("x-amzn-errortype", "AccessDeniedException")
                .build())
        .responseBody(
            AbortableInputStream.create(
                new ByteArrayInputStream(
                    "{\"__type\":\"AccessDeniedException\"}".getBytes(US_ASCII))))
        .build();
  }

  @Override
  public void close() {}
}
