$version: "2.0"

namespace framework.api

/// The request was understood and is refused: the App or the account is not known, or GitHub does
/// not grant what was asked for. Sending it again changes nothing.
@error("client")
@httpError(400)
structure ClientSideError with [Explained] {
    message: String
}

/// The request may be right, but something behind the service failed. Nothing was handed out.
@error("server")
@httpError(500)
structure ServerSideError with [Explained] {
    message: String = "Internal Server Error"
}

/// GitHub or AWS KMS asks for fewer requests.
@error("client")
@httpError(429)
@retryable(throttling: true)
structure ThrottlingException with [Explained] {
    message: String

    /// The seconds to wait before the next attempt, as the `retry-after` header says too.
    retryAfterSeconds: Integer
}

/// What every error of this service says beside its message.
@mixin
structure Explained {
    reason: Reason

    /// Identifies the request in the logs of the service.
    requestId: String
}

/// Why a request was not served. More may be added.
enum Reason {
    /// No App of this number is registered with the service.
    APP_NOT_REGISTERED

    /// The App is not installed on the account.
    INSTALLATION_NOT_FOUND

    /// The owner of the account, or GitHub, has suspended the installation.
    INSTALLATION_SUSPENDED

    /// GitHub does not grant the repositories or permissions that were asked for.
    SCOPE_NOT_GRANTED

    /// GitHub refuses what the App's key has signed.
    APP_KEY_REJECTED

    /// AWS KMS does not sign with the App's key: it is disabled, pending deletion or denied.
    APP_KEY_UNAVAILABLE

    /// GitHub or AWS KMS asks for fewer requests.
    THROTTLED

    /// GitHub cannot be reached or does not answer as documented.
    GITHUB_UNAVAILABLE

    /// An AWS service behind this one failed.
    AWS_UNAVAILABLE

    /// The answer could not be had within the time that a request may take.
    TIMEOUT

    /// A fault of this service.
    INTERNAL
}
