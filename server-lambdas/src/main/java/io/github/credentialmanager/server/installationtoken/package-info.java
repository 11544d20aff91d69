/** GetInstallationToken. */
@NullMarked
package io.github.credentialmanager.server.installationtoken;

import org.jspecify.annotations.NullMarked;
