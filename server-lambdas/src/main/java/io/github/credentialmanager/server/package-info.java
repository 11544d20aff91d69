/** The Lambda functions that sign with KMS and vend tokens. */
@NullMarked
package io.github.credentialmanager.server;

import org.jspecify.annotations.NullMarked;
