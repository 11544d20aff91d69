/** What is left of GitHub's rate limits for each installation, as CloudWatch metrics. */
@NullMarked
package io.github.credentialmanager.server.ratelimit;

import org.jspecify.annotations.NullMarked;
