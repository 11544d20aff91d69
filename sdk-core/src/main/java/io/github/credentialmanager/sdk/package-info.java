/** Ask for a GitHub App token and keep it fresh. */
@NullMarked
package io.github.credentialmanager.sdk;

import org.jspecify.annotations.NullMarked;
