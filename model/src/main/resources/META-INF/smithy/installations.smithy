$version: "2.0"

namespace framework.api

/// Brings the stored installations of every registered GitHub App up to date with GitHub.
///
/// Clients send neither a body nor a content type.
@http(method: "POST", uri: "/installations/refresh", code: 200)
operation RefreshCachedData {
    input: RefreshCachedDataInput
    output: RefreshCachedDataOutput
}

@input
structure RefreshCachedDataInput {}

@output
structure RefreshCachedDataOutput {
    /// `Installation sync completed.`
    @required
    message: String

    @required
    @timestampFormat("date-time")
    refreshedDate: Timestamp
}

/// Lists the GitHub Apps that are installed on one account.
///
/// Answered from what is stored, without a call to GitHub. An account with no installation is a
/// `ClientSideError`.
@http(method: "POST", uri: "/installations/info", code: 200)
operation GetInstallationData {
    input: GetInstallationDataInput
    output: GetInstallationDataOutput
}

@input
structure GetInstallationDataInput {
    @required
    @length(min: 1, max: 256)
    nodeId: NodeId
}

@output
structure GetInstallationDataOutput {
    @required
    installations: InstallationDataList
}

list InstallationDataList {
    member: InstallationData
}

/// One GitHub App installed on the account that was asked for.
structure InstallationData with [Installation] {}

/// Lists every stored installation of every registered GitHub App, page by page.
///
/// Answered from what is stored, without a call to GitHub.
@paginated(
    inputToken: "nextToken"
    outputToken: "nextToken"
    pageSize: "maxResults"
    items: "installations"
)
@http(method: "POST", uri: "/installations", code: 200)
operation GetInstallations {
    input: GetInstallationsInput
    output: GetInstallationsOutput
}

@input
structure GetInstallationsInput {
    /// The most installations that a page may hold. Absent or 0: no limit of the caller's.
    @range(min: 0)
    maxResults: Integer

    nextToken: NextToken
}

@output
structure GetInstallationsOutput {
    @required
    installations: InstallationRecordList

    /// Absent on the last page.
    nextToken: NextToken
}

list InstallationRecordList {
    member: InstallationRecord
}

/// One GitHub App installed on one account.
structure InstallationRecord with [Installation] {}

/// Where the next page begins. Opaque: only what an earlier page returned is accepted.
string NextToken

@mixin
structure Installation {
    @required
    appId: AppId

    @required
    installationId: InstallationId

    @required
    nodeId: NodeId

    /// `Organization`, `User` or `Enterprise`.
    targetType: String

    /// The login of the organisation or user, or the slug of the enterprise.
    name: String
}
