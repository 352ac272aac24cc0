//! What went wrong in a call to AWS, and whether a retry helps.

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

/// The kinds of failure that callers tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// There is no such thing.
    NotFound,
    /// The role may not do this.
    Denied,
    /// Too many requests.
    Throttled,
    /// A condition (`If-Match`, `If-None-Match`) did not hold: 412.
    PreconditionFailed,
    /// Somebody else wrote at the same moment: 409.
    Conflict,
    /// The service refused what was asked: 400, or 416 for a range.
    Refused,
    /// The service failed, or could not be reached.
    Unavailable,
}

/// A call to AWS that failed for good, after the SDK's own retries.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{operation}: {code}: {message}")]
pub struct ServiceError {
    /// The API operation, such as `GetStreamSession`.
    pub operation: &'static str,
    /// Its kind.
    pub fault: Fault,
    /// The service's error code, or `Unreachable`. Where there is none, one of its status.
    pub code: String,
    /// The service's message.
    pub message: String,
}

impl ServiceError {
    /// Reads an SDK error: by its code, and by the HTTP status for codes that are not known.
    pub fn new<E>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let status = error.raw_response().map_or(0, |response| response.status().as_u16());
        let code = error.code().unwrap_or_else(|| code_of(status));
        let message = match error.message() {
            Some(message) => message.to_owned(),
            // An answer to HEAD has no body that could tell more.
            None if status >= 400 => format!("HTTP status {status}"),
            None => DisplayErrorContext(error).to_string(),
        };
        Self { operation, fault: Fault::of(code, status), code: code.to_owned(), message }
    }

    /// A response whose body broke off.
    #[must_use]
    pub fn broken_body(operation: &'static str, error: &dyn std::error::Error) -> Self {
        Self { operation, fault: Fault::Unavailable, code: "BrokenBody".into(), message: error.to_string() }
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub fn retry_helps(&self) -> bool {
        matches!(self.fault, Fault::Throttled | Fault::Conflict | Fault::Unavailable)
    }
}

/// The code of an answer that has none, such as S3's to HEAD.
fn code_of(status: u16) -> &'static str {
    match status {
        0 => "Unreachable",
        403 => "AccessDenied",
        404 => "NotFound",
        _ => "Unknown",
    }
}

impl Fault {
    fn of(code: &str, status: u16) -> Self {
        match (code, status) {
            ("ThrottlingException" | "SlowDown" | "TooManyRequestsException", _) | (_, 429) => {
                Self::Throttled
            }
            ("PreconditionFailed", _) | (_, 412) => Self::PreconditionFailed,
            (_, 404) => Self::NotFound,
            (_, 401 | 403) => Self::Denied,
            (_, 409) => Self::Conflict,
            (_, 400..=499) => Self::Refused,
            _ => Self::Unavailable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_told_by_code_and_then_by_status() {
        assert_eq!(Fault::of("ThrottlingException", 400), Fault::Throttled);
        assert_eq!(Fault::of("SlowDown", 503), Fault::Throttled);
        assert_eq!(Fault::of("PreconditionFailed", 412), Fault::PreconditionFailed);
        assert_eq!(Fault::of("NoSuchKey", 404), Fault::NotFound);
        assert_eq!(Fault::of("AccessDenied", 403), Fault::Denied);
        assert_eq!(Fault::of("ConditionalRequestConflict", 409), Fault::Conflict);
        assert_eq!(Fault::of("ValidationException", 400), Fault::Refused);
        assert_eq!(Fault::of("InternalServerException", 500), Fault::Unavailable);
        assert_eq!(Fault::of("Unreachable", 0), Fault::Unavailable);
    }
}
