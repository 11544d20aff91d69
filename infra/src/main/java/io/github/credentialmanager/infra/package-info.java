/** An AWS CDK construct that deploys the GitHub App Credential Manager. */
@NullMarked
package io.github.credentialmanager.infra;

import org.jspecify.annotations.NullMarked;
