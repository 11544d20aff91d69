/** The code of the READMEs. */
@NullMarked
package io.github.credentialmanager.examples.snippets;

import org.jspecify.annotations.NullMarked;
