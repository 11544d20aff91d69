/** Hand tokens to JGit. */
@NullMarked
package io.github.credentialmanager.jgit;

import org.jspecify.annotations.NullMarked;
