/** What every call to another service obeys: a deadline, few attempts, growing pauses. */
@NullMarked
package io.github.credentialmanager.server.outbound;

import org.jspecify.annotations.NullMarked;
