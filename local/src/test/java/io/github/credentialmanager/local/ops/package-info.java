/** The operator's tool against the local stack's KMS, DynamoDB and GitHub. */
@NullMarked
package io.github.credentialmanager.local.ops;

import org.jspecify.annotations.NullMarked;
