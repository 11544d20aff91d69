/** GitHub's REST API, as far as a GitHub App needs it. */
@NullMarked
package io.github.credentialmanager.server.github;

import org.jspecify.annotations.NullMarked;
