//! What came of an invocation.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::iam::Denied;

/// What came of one attempt to run a function.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The same for all attempts of an asynchronous invocation.
    pub request_id: String,
    /// The function's answer, or why there is none. An answer that is no JSON is given as a string.
    pub result: Result<Value, FunctionError>,
    /// From handing over the event to the answer.
    pub duration: Duration,
    /// How long the execution environment took to start, if it was started for this invocation.
    pub init_duration: Option<Duration>,
    /// Bytes: the most memory that the environment's process has had in its life so far (`VmHWM`). Known on Linux, and
    /// as long as the process lives.
    pub max_memory: Option<u64>,
    /// Processor time that the process has used in its life so far, in whole ticks of the clock (10 ms, as a rule). Known as
    /// above.
    pub processor_time: Option<Duration>,
}

/// Why a function gave no answer.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionError {
    /// Who noticed.
    pub kind: FailureKind,
    /// `{"errorType":…,"errorMessage":…}`, as Lambda gives it to the caller.
    pub payload: Value,
}

/// How a function failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// It reported an error.
    Handled,
    /// It ended, or could not be started.
    Unhandled,
    /// It took too long and was killed.
    Timeout,
}

impl FunctionError {
    /// An error of Lambda's own.
    pub(super) fn sandbox(kind: FailureKind, error_type: &str, request_id: &str, message: &str) -> Self {
        let message = format!("RequestId: {request_id} Error: {message}");
        Self { kind, payload: json!({"errorType": error_type, "errorMessage": message}) }
    }

    /// For example `Sandbox.Timedout`; empty if the function gave none.
    #[must_use]
    pub fn error_type(&self) -> &str {
        self.payload["errorType"].as_str().unwrap_or_default()
    }

    /// In words; empty if the function gave none.
    #[must_use]
    pub fn error_message(&self) -> &str {
        self.payload["errorMessage"].as_str().unwrap_or_default()
    }
}

/// An invocation that is over.
#[derive(Debug, Clone, PartialEq)]
pub struct LoggedInvocation {
    /// The function's logical id.
    pub function: String,
    /// Whether the caller did not wait.
    pub asynchronous: bool,
    /// 1 for the first.
    pub attempt: u32,
    /// When it began.
    pub started: Timestamp,
    /// The event.
    pub payload: Value,
    /// What came of it.
    pub outcome: Outcome,
}

/// An invocation that Lambda does not accept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    /// `ResourceNotFoundException`.
    #[error("there is no function `{0}`")]
    NoSuchFunction(String),
    /// `RequestTooLargeException`: more than 6 MB, or 1 MB if asynchronous.
    #[error("a payload of {size} bytes is more than the {limit} that Lambda takes")]
    PayloadTooLarge {
        /// Bytes of the event, as JSON.
        size: usize,
        /// Bytes.
        limit: usize,
    },
    /// `AccessDeniedException`: neither the caller's role nor the function's permissions let the caller.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The local cloud is being shut down.
    #[error("the local cloud is being shut down")]
    ShuttingDown,
}
