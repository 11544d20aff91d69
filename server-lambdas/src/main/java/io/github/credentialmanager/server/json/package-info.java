/** JSON as strict as the wire contract. */
@NullMarked
package io.github.credentialmanager.server.json;

import org.jspecify.annotations.NullMarked;
