package io.github.credentialmanager.server.functionurl;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import io.github.credentialmanager.server.audit.ServiceLog;
import io.github.credentialmanager.server.contract.ServiceException;
import io.github.credentialmanager.server.json.JsonException;
import io.github.credentialmanager.server.json.JsonObject;
import io.github.credentialmanager.server.json.JsonText;
import io.github.credentialmanager.server.outbound.Deadline;
import io.github.credentialmanager.server.outbound.DeadlineExceededException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Serves one operation behind a Function URL: reads the event, lets the operation answer, writes
 * the response.
 *
 * <p>There is always a typed response, and in time: the operation runs on another thread, and where
 * it is stuck in a call that cannot be interrupted (a name look-up, say) it is left behind. What it
 * still brings is neither audited nor handed out.
 *
 * <p>An audit line is written before the answer that hands out a token. If it cannot be written,
 * there is no token.
 *
 * <p>Safe for use by multiple threads.
 */
public final class FunctionUrlHandler implements RequestStreamHandler {
  /** Kept back from the time of a request, to write the log and the answer. */
  private static final Duration LAST_WORDS = Duration.ofMillis(250);

  private static final int MAX_LOGGED_LENGTH = 256;

  private final String path;
  private final Operation operation;
  private final EventCheck check;
  private final ServiceLog log;
  private final ExecutorService executor;
  private final Duration timeout;

  /**
   * @param path of the operation, without a slash at its end
   * @param executor runs the operation, on a thread that is free at once
   * @param timeout of a request; Lambda's remaining time if that is shorter
   */
  public FunctionUrlHandler(
      String path,
      Operation operation,
      EventCheck check,
      ServiceLog log,
      ExecutorService executor,
      Duration timeout) {
    this.path = path;
    this.operation = operation;
    this.check = check;
    this.log = log;
    this.executor = executor;
    this.timeout = timeout;
  }

  @Override
  public void handleRequest(InputStream in, OutputStream out, @Nullable Context context)
      throws IOException {
    Deadline deadline = Deadline.in(time(context));
    String event = new String(in.readAllBytes(), UTF_8);
    out.write(JsonText.of(respond(event, context, deadline)).getBytes(UTF_8));
  }

  private Duration time(@Nullable Context context) {
    Duration time =
        context == null
            ? timeout
            : min(timeout, Duration.ofMillis(context.getRemainingTimeInMillis()));
    return time.minus(LAST_WORDS);
  }

  private static Duration min(Duration a, Duration b) {
    return a.compareTo(b) < 0 ? a : b;
  }

  private Map<String, Object> respond(String text, @Nullable Context context, Deadline deadline) {
    String requestId = requestId(context);
    Map<String, Object> line = new TreeMap<>(Map.of("operation", path, "requestId", requestId));
    try {
      FunctionUrlEvent event = event(text);
      Caller caller = check.check(event, context);
      describe(caller, line);
      JsonObject input = input(event);
      describe(input, line);
      Answer answer = answer(new Request(input, caller, deadline));
      answer
          .vend()
          .ifPresent(
              vend -> {
                line.putAll(vend.audit());
                log.write(vend.event(), line);
              });
      return response(200, answer.output(), Map.of());
    } catch (Throwable e) {
      return refuse(Failures.toServiceException(e), requestId, line);
    }
  }

  private static String requestId(@Nullable Context context) {
    return context == null || context.getAwsRequestId() == null
        ? UUID.randomUUID().toString()
        : context.getAwsRequestId();
  }

  private static FunctionUrlEvent event(String text) {
    try {
      return new FunctionUrlEvent(text);
    } catch (JsonException e) {
      throw ServiceException.unmodelled(403, "AccessDeniedException", e);
    }
  }

  private static void describe(Caller caller, Map<String, Object> line) {
    line.put("callerAccount", caller.account());
    caller.arn().ifPresent(arn -> line.put("caller", arn));
    caller.accessKeyId().ifPresent(id -> line.put("accessKeyId", id));
  }

  /** What the request is about, so far as it says so in the right form. */
  private static void describe(JsonObject input, Map<String, Object> line) {
    try {
      input.integer("appId").ifPresent(appId -> line.put("appId", appId));
      input
          .string("nodeId")
          .filter(nodeId -> nodeId.length() <= MAX_LOGGED_LENGTH)
          .ifPresent(nodeId -> line.put("nodeId", nodeId));
    } catch (JsonException e) {
      // The operation will say so.
    }
  }

  private JsonObject input(FunctionUrlEvent event) {
    if (!event.path().equals(path)) {
      throw ServiceException.unmodelled(404, "UnknownOperationException", null);
    }
    if (!event.method().filter("POST"::equals).isPresent()) {
      throw ServiceException.unmodelled(405, "MethodNotAllowedException", null);
    }
    if (!event.header("content-type").map(MediaTypes::isJson).orElse(true)) {
      throw ServiceException.unmodelled(415, "UnsupportedMediaTypeException", null);
    }
    if (!event.header("accept").map(MediaTypes::acceptJson).orElse(true)) {
      throw ServiceException.unmodelled(406, "NotAcceptableException", null);
    }
    String body = event.body();
    return body.isEmpty() ? JsonObject.empty() : JsonObject.parse(body);
  }

  private Answer answer(Request request) throws Throwable {
    Future<Answer> answer = executor.submit(() -> operation.answer(request));
    try {
      return answer.get(request.deadline().remaining().toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      throw new DeadlineExceededException(e);
    } catch (ExecutionException e) {
      throw e.getCause() == null ? e : e.getCause();
    } finally {
      answer.cancel(true);
    }
  }

  private Map<String, Object> refuse(
      ServiceException refusal, String requestId, Map<String, Object> line) {
    line.put("status", refusal.status());
    line.put("errorType", refusal.errorType());
    refusal.reason().ifPresent(reason -> line.put("reason", reason.name()));
    boolean byPolicy = refusal.getCause() instanceof CallerNotAllowedException;
    if (refusal.getCause() instanceof CallerNotAllowedException notAllowed) {
      line.put("reason", "CALLER_POLICY");
      line.put("limit", notAllowed.limit());
    } else {
      line.putAll(Diagnosis.of(refusal.getCause()));
    }
    try {
      if (refusal.status() == 403 && !byPolicy) {
        log.alarm("ForeignEvent", line);
      } else {
        log.write("RequestRefused", line);
      }
    } catch (RuntimeException e) {
      // A log that cannot be written must not turn a refusal into silence.
    }
    Map<String, String> headers = new TreeMap<>();
    headers.put("x-amzn-errortype", refusal.errorType());
    refusal
        .retryAfterSeconds()
        .ifPresent(seconds -> headers.put("retry-after", Long.toString(seconds)));
    if (refusal.status() == 405) {
      headers.put("allow", "POST");
    }
    return response(refusal.status(), refusal.body(requestId), headers);
  }

  private static Map<String, Object> response(
      int status, Map<String, Object> body, Map<String, String> headers) {
    Map<String, String> all = new TreeMap<>(headers);
    all.put("content-type", "application/json");
    all.put("cache-control", "no-store");
    return Map.of(
        "statusCode", status, "headers", all, "body", JsonText.of(body), "isBase64Encoded", false);
  }
}
