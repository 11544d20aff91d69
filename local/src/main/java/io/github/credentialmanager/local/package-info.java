/** The whole Credential Manager on a laptop. */
@NullMarked
package io.github.credentialmanager.local;

import org.jspecify.annotations.NullMarked;
