@NullMarked
package io.github.credentialmanager.infra;

import org.jspecify.annotations.NullMarked;
