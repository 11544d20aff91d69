/** What runs over all Apps share, whether on a schedule or on request. */
@NullMarked
package io.github.credentialmanager.server.tracking;

import org.jspecify.annotations.NullMarked;
