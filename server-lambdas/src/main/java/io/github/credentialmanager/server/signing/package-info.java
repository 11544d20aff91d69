/** App JWTs, signed by a key that never leaves AWS KMS. */
@NullMarked
package io.github.credentialmanager.server.signing;

import org.jspecify.annotations.NullMarked;
