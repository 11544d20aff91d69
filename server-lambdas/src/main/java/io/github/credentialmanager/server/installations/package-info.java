/** GetInstallationData and GetInstallations: what the Installation table knows. */
@NullMarked
package io.github.credentialmanager.server.installations;

import org.jspecify.annotations.NullMarked;
