/** The App and Installation tables. */
@NullMarked
package io.github.credentialmanager.server.store;

import org.jspecify.annotations.NullMarked;
