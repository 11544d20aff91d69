/** RefreshCachedData: brings the Installation table up to date with GitHub. */
@NullMarked
package io.github.credentialmanager.server.refresh;

import org.jspecify.annotations.NullMarked;
