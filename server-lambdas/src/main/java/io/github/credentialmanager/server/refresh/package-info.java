/** The Installation table kept up to date with GitHub: on a schedule, and by RefreshCachedData. */
@NullMarked
package io.github.credentialmanager.server.refresh;

import org.jspecify.annotations.NullMarked;
