/** The front door: Function URL events in, typed responses out. */
@NullMarked
package io.github.credentialmanager.server.functionurl;

import org.jspecify.annotations.NullMarked;
