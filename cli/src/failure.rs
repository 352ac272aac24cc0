//! What goes wrong, what one can do about it, and the exit code that says it to a script.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::process::ExitCode;

use crash_capture::archive::ArchiveError;
use crash_capture::error::Error;
use crash_capture::service::{Fault, ServiceError};

/// Why a command did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The command line, or what it names, makes no sense. Exit code 2.
    #[error("{0}")]
    Usage(String),
    /// A zip that is none. Exit code 2.
    #[error("{0}")]
    Unreadable(String),
    /// There is no such thing. Exit code 3.
    #[error("{0}")]
    NotFound(String),
    /// More than one thing is meant. Exit code 4.
    #[error("{0}")]
    Ambiguous(String),
    /// AWS refused or failed. Exit code 1.
    #[error("{}: {}: {}", .0.operation, .0.code, readable(&.0.message))]
    Service(#[from] ServiceError),
    /// Doctor found something. Exit code 5.
    #[error("{ill} of {all} checks did not go well")]
    Unwell { ill: usize, all: usize },
    /// Nobody reads standard output any more. That is no failure: exit code 0.
    #[error("standard output was closed")]
    Unread,
    /// Anything else. Exit code 1.
    #[error("{0}")]
    Other(String),
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::NotFound(message.into())
    }

    pub(crate) fn other(message: impl Display) -> Self {
        Self::Other(message.to_string())
    }

    /// What kept a zip from being read.
    pub(crate) fn reading<E: Display>(error: ArchiveError<E>) -> Self {
        match error {
            ArchiveError::NotAZip(_) | ArchiveError::DirectoryTooLong { .. } => {
                Self::Unreadable(error.to_string())
            }
            error => Self::other(error),
        }
    }

    /// The same, saying what it is about.
    #[must_use]
    pub(crate) fn about(self, what: impl Display) -> Self {
        match self {
            Self::Unreadable(message) => Self::Unreadable(format!("{what}: {message}")),
            Self::Usage(message) => Self::Usage(format!("{what}: {message}")),
            Self::Other(message) => Self::Other(format!("{what}: {message}")),
            other => other,
        }
    }

    /// What could not be printed.
    pub(crate) fn printing(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::Unread } else { Self::other(error) }
    }

    fn exit_code(&self) -> u8 {
        match self {
            Self::Unread => 0,
            Self::Service(_) | Self::Other(_) => 1,
            Self::Usage(_) | Self::Unreadable(_) => 2,
            Self::NotFound(_) => 3,
            Self::Ambiguous(_) => 4,
            Self::Unwell { .. } => 5,
        }
    }

    /// What to do, where the message alone does not tell.
    fn advice(&self) -> Option<&'static str> {
        let Self::Service(error) = self else { return None };
        match error.fault {
            _ if error.code == "ExpiredToken" || error.code == "ExpiredTokenException" => {
                Some("The credentials have expired: sign in again (aws sso login, say).")
            }
            Fault::Denied => {
                Some("The credentials may not do this, or are of another account: --profile chooses others.")
            }
            Fault::Throttled => {
                Some("AWS asks for patience: try again in a while, or ask for less at a time.")
            }
            // The SDK's text, which has no code: a chain that found nothing, or a session that has to be renewed.
            Fault::Unavailable if error.message.contains("redentials") => Some(
                "There are no credentials: sign in (aws sso login, say), choose a profile with --profile or AWS_PROFILE, \
                 or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
            ),
            Fault::Unavailable if error.code == "Unreachable" => Some(
                "Is the network up, and is the Region right? AWS_ENDPOINT_URL and its like are obeyed, too.",
            ),
            _ => None,
        }
    }

    /// Says what happened on standard error; gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        if !matches!(self, Self::Unread) {
            writeln!(io::stderr(), "crash-capture: {self}").ok();
            if let Some(advice) = self.advice() {
                writeln!(io::stderr(), "{advice}").ok();
            }
        }
        ExitCode::from(self.exit_code())
    }
}

/// The part of an SDK's text that is for people; behind it comes the whole error once more, for programmers.
fn readable(message: &str) -> &str {
    let ends = [
        ": Error {",
        " (ServiceError(",
        " (DispatchFailure(",
        " (ConstructionFailure(",
        " (TimeoutError(",
        " (ResponseError(",
    ];
    let end = ends.iter().filter_map(|end| message.find(end)).min();
    message[..end.unwrap_or(message.len())].trim_end()
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Service(error) => Self::Service(error),
            error => Self::other(error),
        }
    }
}
