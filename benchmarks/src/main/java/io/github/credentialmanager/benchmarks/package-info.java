/** What a cached token costs. */
@NullMarked
package io.github.credentialmanager.benchmarks;

import org.jspecify.annotations.NullMarked;
