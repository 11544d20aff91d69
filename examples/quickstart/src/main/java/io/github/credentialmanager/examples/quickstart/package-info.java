/** A program to copy from, and the demonstration that runs it against a local stack. */
@NullMarked
package io.github.credentialmanager.examples.quickstart;

import org.jspecify.annotations.NullMarked;
