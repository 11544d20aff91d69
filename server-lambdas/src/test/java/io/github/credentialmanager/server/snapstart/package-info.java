/** Lambda's part in a snapshot, and a function that goes through one. */
@NullMarked
package io.github.credentialmanager.server.snapstart;

import org.jspecify.annotations.NullMarked;
