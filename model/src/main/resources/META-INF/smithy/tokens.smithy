$version: "2.0"

namespace framework.api

/// Signs a JSON Web Token that authenticates as the GitHub App itself.
///
/// The token is signed by the App's key in AWS KMS and is good for the `/app` resources of GitHub's
/// API. `iat` lies 60 seconds in the past and `exp` 480 seconds ahead, within the ten minutes that
/// GitHub allows.
@http(method: "POST", uri: "/tokens/app", code: 200)
operation GetAppToken {
    input: GetAppTokenInput
    output: GetAppTokenOutput
}

@input
structure GetAppTokenInput {
    @required
    @range(min: 1)
    appId: AppId
}

@output
structure GetAppTokenOutput {
    @required
    appId: AppId

    @required
    appToken: AppToken

    /// Ten seconds before the `exp` claim of the token.
    @required
    @timestampFormat("date-time")
    expirationTime: Timestamp
}

/// Asks GitHub for a token that acts as one installation of the GitHub App.
///
/// Each call is answered with a token of its own, that lives for GitHub's full hour and can be
/// revoked alone. Callers are expected to keep it until shortly before `expirationTime`.
@http(method: "POST", uri: "/tokens/installation", code: 200)
operation GetInstallationToken {
    input: GetInstallationTokenInput
    output: GetInstallationTokenOutput
}

@input
structure GetInstallationTokenInput {
    @required
    @range(min: 1)
    appId: AppId

    @required
    @length(min: 1, max: 256)
    nodeId: NodeId

    /// What the token is narrowed to. Absent, `null` or without any member: everything that the
    /// installation may do. An unknown member, an empty list or an empty map is refused, because
    /// GitHub would read it as everything.
    scopeDown: ScopeDown
}

@output
structure GetInstallationTokenOutput {
    /// What GitHub granted: never more than what was asked for. Repositories are absent where
    /// GitHub does not list them, which is the case for a token that was not narrowed to any.
    @required
    actualScopeDown: ScopeDown

    @required
    appId: AppId

    @required
    @timestampFormat("date-time")
    expirationTime: Timestamp

    @required
    installationToken: InstallationToken

    @required
    nodeId: NodeId

    /// The `scopeDown` of the request as it was sent; absent if none was.
    requestedScopeDown: ScopeDown
}

/// A subset of the repositories and permissions of an installation. A member that is absent does
/// not narrow.
///
/// GitHub grants `metadata: read` with every repository permission, asked for or not.
structure ScopeDown {
    repositoryIds: RepositoryIds
    repositoryNames: RepositoryNames
    permissions: Permissions
}

/// Numbers of repositories.
@length(min: 1)
list RepositoryIds {
    member: Long
}

/// Names of repositories, without the owner.
@length(min: 1)
list RepositoryNames {
    member: String
}

/// Permissions by GitHub's names, each with `read`, `write` or `admin`.
@length(min: 1)
map Permissions {
    key: String
    value: String
}

/// A JSON Web Token signed with RS256.
@sensitive
string AppToken

/// An installation access token of GitHub. It is opaque: neither its length, nor its first letters,
/// nor its alphabet mean anything.
@sensitive
string InstallationToken
