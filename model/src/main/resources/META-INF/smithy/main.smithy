$version: "2.0"

namespace framework.api

use aws.auth#sigv4
use aws.protocols#restJson1
use smithy.framework#ValidationException

/// Gives programs GitHub App credentials without ever giving them the App's private key.
///
/// Each operation has a Lambda Function URL of its own, so that IAM can grant each on its own. A
/// Function URL is signed for as service `lambda`. Every answer that carries a token also carries
/// `cache-control: no-store`.
@title("Framework for GitHub Apps on AWS")
@auth([sigv4])
@sigv4(name: "lambda")
@restJson1
service AppFramework {
    version: "2024-08-23"
    operations: [
        GetAppToken
        GetInstallationToken
        RefreshCachedData
        GetInstallationData
        GetInstallations
    ]
    errors: [
        ClientSideError
        ServerSideError
        ThrottlingException
        ValidationException
    ]
}

/// The number of a GitHub App, as shown on its settings page.
long AppId

/// The number of one installation of a GitHub App. It changes when the App is installed again.
long InstallationId

/// The GraphQL node id of the account (organisation, user or enterprise) that a GitHub App is
/// installed on.
string NodeId
