//! What came of an invocation.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An invocation that has ended: one attempt of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Invocation {
    /// The function's name.
    pub function: String,
    /// The same for all attempts of an asynchronous event.
    pub request_id: String,
    /// Counts from 1.
    pub attempt: u32,
    /// The event.
    pub payload: Value,
    /// What came of it.
    pub outcome: Outcome,
    /// From hand-over to answer; in a new environment with its start.
    pub duration: Duration,
    /// The largest memory that the environment's process has had so far (`VmHWM`), in bytes; unknown once it is gone.
    pub peak_memory: Option<u64>,
}

/// An answer, or an error.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The function's answer.
    Answered(Value),
    /// The function's error, or what became of its process.
    Failed(FunctionError),
}

impl Outcome {
    /// The answer, if there is one.
    #[must_use]
    pub fn answer(&self) -> Option<&Value> {
        match self {
            Self::Answered(answer) => Some(answer),
            Self::Failed(_) => None,
        }
    }

    /// The error, if there is one.
    #[must_use]
    pub fn error(&self) -> Option<&FunctionError> {
        match self {
            Self::Answered(_) => None,
            Self::Failed(error) => Some(error),
        }
    }
}

/// An error as Lambda reports it (runtime API, `ErrorRequest`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FunctionError {
    /// `Runtime.ExitError` and `Sandbox.Timedout` where the function itself could say nothing.
    pub error_type: String,
    /// For people.
    pub error_message: String,
}

impl FunctionError {
    pub(super) fn new(error_type: &str, error_message: impl Into<String>) -> Self {
        Self { error_type: error_type.to_owned(), error_message: error_message.into() }
    }
}

/// Why an invocation is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    /// There is no such function.
    #[error("ResourceNotFoundException: function not found: {0}")]
    NoSuchFunction(String),
    /// The payload is too large.
    #[error("RequestTooLargeException: the payload has {size} bytes, {limit} are allowed")]
    TooLarge {
        /// In bytes.
        size: usize,
        /// In bytes.
        limit: usize,
    },
}

pub(super) fn check_size(payload: &Value, limit: usize) -> Result<(), InvokeError> {
    let size = payload.to_string().len();
    if size > limit { Err(InvokeError::TooLarge { size, limit }) } else { Ok(()) }
}
