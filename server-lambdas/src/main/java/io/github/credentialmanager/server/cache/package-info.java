/** What a warm environment remembers, to save calls. */
@NullMarked
package io.github.credentialmanager.server.cache;

import org.jspecify.annotations.NullMarked;
