/** Opt-in: which callers may have which tokens. */
@NullMarked
package io.github.credentialmanager.server.callerpolicy;

import org.jspecify.annotations.NullMarked;
