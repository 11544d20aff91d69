/** Hand tokens to OkHttp. */
@NullMarked
package io.github.credentialmanager.okhttp;

import org.jspecify.annotations.NullMarked;
