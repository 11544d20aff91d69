/** Import, rotate and retire a GitHub App's private key in KMS. */
@NullMarked
package io.github.credentialmanager.ops;

import org.jspecify.annotations.NullMarked;
