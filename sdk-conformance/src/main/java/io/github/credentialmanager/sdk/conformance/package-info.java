/**
 * The tests that every {@code TokenProvider} and every HTTP adapter passes, to run against your
 * own.
 */
@NullMarked
package io.github.credentialmanager.sdk.conformance;

import org.jspecify.annotations.NullMarked;
