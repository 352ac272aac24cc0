//! What became of a session.

use std::fmt;

use crate::record::Reason;
use crate::service::{Fault, ServiceError};

/// What became of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Its export was requested, to this URI.
    Armed(String),
    /// Its export had been requested before.
    AlreadyArmed,
    /// It is between its phases: too early, or ending. The sweep follows it.
    NotYet(String),
    /// It ended before its export was requested, or was exported elsewhere; recorded, with the reason.
    Missed(Reason),
    /// Its export failed; recorded, with the reason.
    Failed(Reason),
    /// Its record is in the index.
    Settled,
    /// `ARM_PERCENT` leaves it out.
    Unsampled,
    /// GameLift Streams knows no such session.
    NotFound,
    /// GameLift Streams refused, with this text.
    Denied(String),
    /// GameLift Streams had too many requests.
    Throttled(String),
    /// It could not be seen to: the time ran out, or a service failed.
    NotReached(String),
}

impl Outcome {
    /// Every name that an outcome can have, in the order of a session's life.
    pub const NAMES: [&'static str; 11] = [
        "armed",
        "already-armed",
        "not-yet",
        "missed",
        "failed",
        "settled",
        "unsampled",
        "not-found",
        "denied",
        "throttled",
        "not-reached",
    ];

    /// Its name in counts, as in the answer.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Armed(_) => "armed",
            Self::AlreadyArmed => "already-armed",
            Self::NotYet(_) => "not-yet",
            Self::Missed(_) => "missed",
            Self::Failed(_) => "failed",
            Self::Settled => "settled",
            Self::Unsampled => "unsampled",
            Self::NotFound => "not-found",
            Self::Denied(_) => "denied",
            Self::Throttled(_) => "throttled",
            Self::NotReached(_) => "not-reached",
        }
    }

    /// More about it, for people.
    #[must_use]
    pub fn detail(&self) -> Option<String> {
        match self {
            Self::Missed(reason) | Self::Failed(reason) => {
                Some(format!("{}: {}", reason.code, reason.detail))
            }
            Self::Armed(text)
            | Self::NotYet(text)
            | Self::Denied(text)
            | Self::Throttled(text)
            | Self::NotReached(text) => Some(text.clone()),
            Self::AlreadyArmed | Self::Settled | Self::Unsampled | Self::NotFound => None,
        }
    }

    /// What a failed call means for the session that it was about.
    pub(super) fn of_failure(error: &ServiceError) -> Self {
        match error.fault {
            Fault::Throttled => Self::Throttled(error.to_string()),
            Fault::Unavailable | Fault::Conflict => Self::NotReached(error.to_string()),
            _ => Self::Denied(error.to_string()),
        }
    }

    /// The outcome of a session for which there was no time.
    pub(super) fn out_of_time() -> Self {
        Self::NotReached("the invocation's time ran out".to_owned())
    }

    /// Whether the session still needs to be seen to.
    pub(super) fn is_undone(&self) -> bool {
        matches!(self, Self::Denied(_) | Self::Throttled(_) | Self::NotReached(_))
    }

    /// Whether there is nothing to tell of it in a sweep, which meets the same sessions every minute.
    pub(super) fn is_routine(&self) -> bool {
        matches!(self, Self::AlreadyArmed | Self::Settled | Self::Unsampled)
    }

    /// Whether it is the last word on a session within an invocation.
    pub(super) fn is_final(&self) -> bool {
        matches!(self, Self::Armed(_) | Self::Missed(_) | Self::Failed(_))
    }

    /// Whether it was missed although it ran: `never-started` is nobody's loss.
    pub(super) fn is_loss(&self) -> bool {
        matches!(self, Self::Missed(reason) if reason.code != "never-started")
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        self.detail().map_or(Ok(()), |detail| write!(f, " ({detail})"))
    }
}
