/** Which key an App signs with, and the JWT it last signed. */
@NullMarked
package io.github.credentialmanager.server.appcredentials;

import org.jspecify.annotations.NullMarked;
