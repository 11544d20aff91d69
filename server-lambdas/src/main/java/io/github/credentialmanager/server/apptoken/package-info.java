/** GetAppToken. */
@NullMarked
package io.github.credentialmanager.server.apptoken;

import org.jspecify.annotations.NullMarked;
