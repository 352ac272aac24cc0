//! The errors that the service answers with.

use axum::http::StatusCode;

/// An error as the service's clients see it.
///
/// The first six are in the service's model (botocore's `gameliftstreams/2018-05-10`); the others are what every
/// AWS service answers before it comes to its own operations.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServiceError {
    /// The caller may not do this. 403.
    #[error("{0}")]
    AccessDenied(String),
    /// There is no such stream group, application or session. 404.
    #[error("{0}")]
    ResourceNotFound(String),
    /// The request contradicts an earlier one, or the session's status. 409.
    #[error("{0}")]
    Conflict(String),
    /// The request breaks a constraint of the model, or cannot be met in this status. 400.
    #[error("{0}")]
    Validation(String),
    /// There were too many requests. 429.
    #[error("{0}")]
    Throttling(String),
    /// The service failed. 500.
    #[error("{0}")]
    InternalServer(String),
    /// The request is not signed. 403.
    #[error("Missing Authentication Token")]
    MissingAuthenticationToken,
    /// The `Authorization` header is not one of Signature Version 4. 400.
    #[error("{0}")]
    IncompleteSignature(String),
    /// The request's body is not JSON, or a member has another type. 400.
    #[error("{0}")]
    Serialization(String),
    /// No operation has this method and path. 404.
    #[error("The operation is not known")]
    UnknownOperation,
}

impl ServiceError {
    /// The error's code, as in the header `x-amzn-ErrorType`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::AccessDenied(_) => "AccessDeniedException",
            Self::ResourceNotFound(_) => "ResourceNotFoundException",
            Self::Conflict(_) => "ConflictException",
            Self::Validation(_) => "ValidationException",
            Self::Throttling(_) => "ThrottlingException",
            Self::InternalServer(_) => "InternalServerException",
            Self::MissingAuthenticationToken => "MissingAuthenticationTokenException",
            Self::IncompleteSignature(_) => "IncompleteSignatureException",
            Self::Serialization(_) => "SerializationException",
            Self::UnknownOperation => "UnknownOperationException",
        }
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Validation(_) | Self::Serialization(_) | Self::IncompleteSignature(_) => {
                StatusCode::BAD_REQUEST
            }
            Self::AccessDenied(_) | Self::MissingAuthenticationToken => StatusCode::FORBIDDEN,
            Self::ResourceNotFound(_) | Self::UnknownOperation => StatusCode::NOT_FOUND,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Throttling(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::InternalServer(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}
