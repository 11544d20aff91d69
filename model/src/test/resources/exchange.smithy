$version: "2.0"

namespace framework.golden

/// A golden exchange, as golden/README.md describes it.
structure Exchange {
    @required
    @length(min: 10)
    description: String

    @required
    operation: Operation

    given: Given

    @required
    request: Request

    @required
    response: Response

    client: Client
}

enum Operation {
    GetAppToken
    GetInstallationToken
    RefreshCachedData
    GetInstallationData
    GetInstallations
}

structure Given {
    @timestampFormat("date-time")
    now: Timestamp

    apps: Apps
    installations: Installations
    gitHub: Stubs
    kms: AwsFault
    dynamoDb: AwsFault
    callerPolicy: Document
    event: Document
    after: String
    functionUrl: Boolean
}

list Apps {
    member: App
}

structure App {
    @required
    appId: Long

    kmsKeyArn: String
}

list Installations {
    member: Installation
}

structure Installation {
    @required
    appId: Long

    @required
    nodeId: String

    @required
    installationId: Long

    @required
    targetType: TargetType

    @required
    name: String
}

enum TargetType {
    Organization
    User
    Enterprise
}

list Stubs {
    member: Stub
}

structure Stub {
    @required
    request: StubRequest

    @required
    response: StubResponse
}

structure StubRequest {
    @required
    method: Method

    @required
    path: Path

    json: Document
}

structure StubResponse {
    @range(min: 200, max: 599)
    status: Integer

    headers: Headers
    json: Document
    body: String
    fault: NetworkFault
}

enum NetworkFault {
    CONNECTION_RESET
    NO_ANSWER
}

structure AwsFault {
    @required
    @pattern("^[A-Z][A-Za-z]+$")
    fault: String
}

structure Request {
    @required
    method: Method

    @required
    path: Path

    query: String

    @required
    headers: Headers

    body: String

    @range(min: 1)
    padTo: Integer
}

structure Response {
    @required
    @range(min: 200, max: 599)
    status: Integer

    @required
    headers: Headers

    json: Document
    text: String
}

structure Client {
    @required
    call: Document

    @required
    outcome: Outcome

    reason: framework.api#Reason
}

enum Outcome {
    token
    result
    denied
    unavailable
}

enum Method {
    GET
    POST
}

@pattern("^/[a-z0-9/_]*$")
string Path

map Headers {
    key: HeaderName
    value: String
}

@pattern("^[a-z0-9-]+$")
string HeaderName
