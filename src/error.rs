//! Why an invocation fails. Lambda then retries it, and at last hands the event to the dead-letter queue.

use lambda_runtime::Diagnostic;

use crate::config::ConfigError;
use crate::service::ServiceError;

/// Why an invocation fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The function's environment is wrong; a retry helps only once it is mended.
    #[error(transparent)]
    Configuration(#[from] ConfigError),
    /// The event is of no shape that the function knows, or names something impossible; no retry helps.
    #[error("{0}")]
    Event(String),
    /// An object that is ours holds what we cannot read; no retry helps until somebody mends it.
    #[error("{key} is not what this version writes: {detail}. Move it away, or delete it")]
    Object {
        /// Its key.
        key: String,
        /// What is wrong with it.
        detail: String,
    },
    /// AWS failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// Another invocation wrote the same object at every attempt; a retry helps.
    #[error("{key} was changed by others at each of {attempts} attempts to write it")]
    Contended {
        /// The object's key.
        key: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// An export could not be read to the point where anything is known of it; a retry helps.
    #[error("{key} could not be read: {detail}")]
    Interrupted {
        /// The object's key.
        key: String,
        /// What was in the way.
        detail: String,
    },
    /// Some sessions of the event could not be seen to; a retry helps if throttling or a fault was the reason.
    #[error("not every session could be armed: {0}")]
    Incomplete(String),
}

impl Error {
    /// A stable code: the `errorType` that Lambda reports.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Configuration(_) => "configuration",
            Self::Event(_) => "unknown-event",
            Self::Object { .. } => "unreadable-object",
            Self::Service(_) => "service",
            Self::Contended { .. } => "contended",
            Self::Interrupted { .. } => "interrupted",
            Self::Incomplete(_) => "incomplete",
        }
    }

    /// Whether the same invocation may succeed later with nothing changed.
    #[must_use]
    pub fn retry_helps(&self) -> bool {
        match self {
            Self::Configuration(_) | Self::Event(_) | Self::Object { .. } => false,
            Self::Service(error) => error.retry_helps(),
            Self::Contended { .. } | Self::Interrupted { .. } | Self::Incomplete(_) => true,
        }
    }
}

impl From<Error> for Diagnostic {
    fn from(error: Error) -> Self {
        Self { error_type: error.code().to_owned(), error_message: error.to_string() }
    }
}
