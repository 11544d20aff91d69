package io.github.credentialmanager.server.github;

import io.github.credentialmanager.server.outbound.Deadline;
import java.util.function.Supplier;

/** Decides when a request may go out. */
public interface RequestLimit {
  /**
   * Makes the request when its turn has come.
   *
   * @param points what GitHub counts it as
   * @throws io.github.credentialmanager.server.outbound.DeadlineExceededException if its turn does
   *     not come in time
   */
  <T> T call(int points, Deadline deadline, Supplier<T> request);

  /** Whenever it likes. */
  static RequestLimit none() {
    return new RequestLimit() {
      @Override
      public <T> T call(int points, Deadline deadline, Supplier<T> request) {
        return request.get();
      }
    };
  }
}
