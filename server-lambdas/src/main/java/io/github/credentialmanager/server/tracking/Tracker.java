package io.github.credentialmanager.server.tracking;

import io.github.credentialmanager.server.outbound.Deadline;
import java.util.List;

/**
 * Work that is done for every App, one apart from the other.
 *
 * <p>Safe for use by multiple threads, and by several runs at a time.
 */
public interface Tracker {
  /**
   * One run over all Apps.
   *
   * @return what became of each App
   * @throws RuntimeException if the run could not begin, as the port that failed throws it
   */
  List<AppReport> run(Deadline deadline);
}
