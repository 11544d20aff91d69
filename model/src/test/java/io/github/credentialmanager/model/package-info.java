/** Tests of the contract itself: the Smithy model and the golden exchanges. */
@NullMarked
package io.github.credentialmanager.model;

import org.jspecify.annotations.NullMarked;
