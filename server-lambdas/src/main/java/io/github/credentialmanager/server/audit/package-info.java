/** The log: audit lines, refusals and alarms, one JSON object a line. */
@NullMarked
package io.github.credentialmanager.server.audit;

import org.jspecify.annotations.NullMarked;
