package io.github.credentialmanager.server.ratelimit;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.github.credentialmanager.server.audit.ServiceLog;
import java.util.concurrent.CompletableFuture;
import software.amazon.cloudwatchlogs.emf.environment.Environment;
import software.amazon.cloudwatchlogs.emf.environment.EnvironmentProvider;
import software.amazon.cloudwatchlogs.emf.model.MetricsContext;
import software.amazon.cloudwatchlogs.emf.sinks.ISink;

/**
 * Has metrics written to this service's log, wherever it runs.
 *
 * <p>The library's own provider asks variables and, outside of Lambda, the network where it is.
 */
final class LogEnvironment extends EnvironmentProvider implements Environment, ISink {
  private final ServiceLog log;

  LogEnvironment(ServiceLog log) {
    this.log = log;
  }

  @Override
  public CompletableFuture<Environment> resolveEnvironment() {
    return CompletableFuture.completedFuture(this);
  }

  @Override
  public Environment getDefaultEnvironment() {
    return this;
  }

  @Override
  public boolean probe() {
    return true;
  }

  @Override
  public String getName() {
    return ServiceLog.SERVICE;
  }

  @Override
  public String getType() {
    return "log";
  }

  @Override
  public String getLogGroupName() {
    return "";
  }

  @Override
  public void configureContext(MetricsContext context) {}

  @Override
  public ISink getSink() {
    return this;
  }

  @Override
  public void accept(MetricsContext context) {
    try {
      context.serialize().forEach(log::writeAsIs);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("metrics are strings and numbers", e);
    }
  }

  @Override
  public CompletableFuture<Void> shutdown() {
    return CompletableFuture.completedFuture(null);
  }
}
