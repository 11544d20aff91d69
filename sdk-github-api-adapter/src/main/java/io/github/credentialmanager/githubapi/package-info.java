/** Hand tokens to hub4j {@code github-api}. */
@NullMarked
package io.github.credentialmanager.githubapi;

import org.jspecify.annotations.NullMarked;
