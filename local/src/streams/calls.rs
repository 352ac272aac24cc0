//! Calls of the service's operations: who calls what, and the log of it.

use axum::http::{HeaderMap, Method, StatusCode, header};
use jiff::Timestamp;

use super::error::ServiceError;

/// An operation of the service's model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "AWS's own names; their meaning is in the service's documentation")]
pub enum Operation {
    StartStreamSession,
    GetStreamSession,
    ListStreamSessions,
    ListStreamSessionsByAccount,
    TerminateStreamSession,
    ExportStreamSessionFiles,
    CreateStreamSessionConnection,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::StartStreamSession,
        Self::GetStreamSession,
        Self::ListStreamSessions,
        Self::ListStreamSessionsByAccount,
        Self::TerminateStreamSession,
        Self::ExportStreamSessionFiles,
        Self::CreateStreamSessionConnection,
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::StartStreamSession => "StartStreamSession",
            Self::GetStreamSession => "GetStreamSession",
            Self::ListStreamSessions => "ListStreamSessions",
            Self::ListStreamSessionsByAccount => "ListStreamSessionsByAccount",
            Self::TerminateStreamSession => "TerminateStreamSession",
            Self::ExportStreamSessionFiles => "ExportStreamSessionFiles",
            Self::CreateStreamSessionConnection => "CreateStreamSessionConnection",
        }
    }

    /// Its method, path and the status of its success.
    pub(super) fn route(self) -> (Method, &'static str, StatusCode) {
        const SESSIONS: &str = "/streamgroups/{group}/streamsessions";
        const SESSION: &str = "/streamgroups/{group}/streamsessions/{session}";
        match self {
            Self::StartStreamSession => (Method::POST, SESSIONS, StatusCode::CREATED),
            Self::ListStreamSessions => (Method::GET, SESSIONS, StatusCode::OK),
            Self::ListStreamSessionsByAccount => (Method::GET, "/streamsessions", StatusCode::OK),
            Self::GetStreamSession => (Method::GET, SESSION, StatusCode::OK),
            Self::TerminateStreamSession => (Method::DELETE, SESSION, StatusCode::NO_CONTENT),
            Self::ExportStreamSessionFiles => {
                (Method::PUT, "/streamgroups/{group}/streamsessions/{session}/exportfiles", StatusCode::OK)
            }
            Self::CreateStreamSessionConnection => {
                (Method::POST, "/streamgroups/{group}/streamsessions/{session}/connections", StatusCode::OK)
            }
        }
    }

    /// Whether it only reads.
    #[must_use]
    pub fn is_read_only(self) -> bool {
        matches!(self, Self::GetStreamSession | Self::ListStreamSessions | Self::ListStreamSessionsByAccount)
    }
}

/// Who calls, as far as an unverified signature tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) access_key_id: String,
    pub(super) user_agent: String,
}

impl Caller {
    /// Reads Signature Version 4's `Authorization` header. The signature itself is not verified.
    pub(super) fn read(headers: &HeaderMap) -> Result<Self, ServiceError> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let authorization = text(header::AUTHORIZATION).ok_or(ServiceError::MissingAuthenticationToken)?;
        let access_key_id = authorization
            .strip_prefix("AWS4-HMAC-SHA256 ")
            .and_then(|parts| parts.split(',').find_map(|part| part.trim().strip_prefix("Credential=")))
            .and_then(|credential| credential.split_once('/'))
            .map(|(access_key_id, _scope)| access_key_id.to_owned())
            .filter(|access_key_id| !access_key_id.is_empty())
            .ok_or_else(|| {
                ServiceError::IncompleteSignature(
                    "Authorization header requires 'Credential' parameter.".into(),
                )
            })?;
        Ok(Self { access_key_id, user_agent: text(header::USER_AGENT).unwrap_or_default().to_owned() })
    }
}

/// A call that has arrived and is not answered yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// What is called.
    pub operation: Operation,
    /// The stream group and the session, as the request names them; empty where it names none.
    pub identifiers: [String; 2],
}

/// One call in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRecord {
    /// When it was answered.
    pub time: Timestamp,
    /// What was called.
    pub operation: Operation,
    /// The stream group and the session, as the request names them.
    pub identifiers: Vec<String>,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The error's code, if it is one.
    pub error_code: Option<&'static str>,
    /// Whose call it was; `None` if it was not signed.
    pub access_key_id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(authorization: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, authorization.parse().expect("a header's value"));
        headers
    }

    #[test]
    fn the_access_key_id_is_the_first_part_of_the_credential() {
        let signed = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261123/us-west-2/gameliftstreams/aws4_request, \
                      SignedHeaders=host;x-amz-date, Signature=abc";
        assert_eq!(
            Caller::read(&headers(signed)).map(|caller| caller.access_key_id),
            Ok("AKIDEXAMPLE".into())
        );
    }

    #[test]
    fn without_a_signature_there_is_no_caller() {
        assert_eq!(Caller::read(&HeaderMap::new()), Err(ServiceError::MissingAuthenticationToken));
        for strange in ["Bearer abc", "AWS4-HMAC-SHA256 Signature=abc", "AWS4-HMAC-SHA256 Credential=/x"] {
            assert!(matches!(Caller::read(&headers(strange)), Err(ServiceError::IncompleteSignature(_))));
        }
    }
}
