/** What the wire contract says about errors and constraints. */
@NullMarked
package io.github.credentialmanager.server.contract;

import org.jspecify.annotations.NullMarked;
