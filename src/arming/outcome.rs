//! What became of each session, and the function's answer.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::error::Error;
use crate::service::{Fault, ServiceError};
use crate::session::{Id, SessionName};

/// What became of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", content = "detail", rename_all = "kebab-case")]
pub enum Outcome {
    /// Its export was requested, to this URI.
    Armed(String),
    /// Its export had been requested before.
    AlreadyArmed,
    /// It is between its phases: too early, or ending. The sweep follows it.
    NotYet(String),
    /// It ended before its export was requested; recorded, with the reason.
    Missed(String),
    /// Its export failed; recorded, with the reason.
    Failed(String),
    /// Its record is in the index.
    Settled,
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
    /// Its name in counts, as in the answer.
    fn name(&self) -> &'static str {
        match self {
            Self::Armed(_) => "armed",
            Self::AlreadyArmed => "already-armed",
            Self::NotYet(_) => "not-yet",
            Self::Missed(_) => "missed",
            Self::Failed(_) => "failed",
            Self::Settled => "settled",
            Self::NotFound => "not-found",
            Self::Denied(_) => "denied",
            Self::Throttled(_) => "throttled",
            Self::NotReached(_) => "not-reached",
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

    /// Whether the session still needs to be seen to.
    fn is_undone(&self) -> bool {
        matches!(self, Self::Denied(_) | Self::Throttled(_) | Self::NotReached(_))
    }

    /// Whether there is nothing to tell of it in a sweep, which meets the same sessions every minute.
    fn is_routine(&self) -> bool {
        matches!(self, Self::AlreadyArmed | Self::Settled)
    }
}

/// What `start-export` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    trigger: String,
    /// Why there was nothing to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ignored: Option<String>,
    counts: BTreeMap<&'static str, u64>,
    /// Every session of an event; of a sweep those that something happened to.
    sessions: Vec<SessionOutcome>,
    /// Stream groups that could not be listed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unlisted: Vec<Unlisted>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionOutcome {
    stream_group_id: Id,
    stream_session_id: Id,
    #[serde(flatten)]
    outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Unlisted {
    /// Nothing where the account was listed as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_group_id: Option<Id>,
    #[serde(flatten)]
    outcome: Outcome,
}

impl Answer {
    pub(super) fn new(trigger: &str) -> Self {
        Self {
            trigger: trigger.to_owned(),
            ignored: None,
            counts: BTreeMap::new(),
            sessions: Vec::new(),
            unlisted: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, name: SessionName, outcome: Outcome) {
        *self.counts.entry(outcome.name()).or_default() += 1;
        if self.trigger == "sweep" && outcome.is_routine() {
            return;
        }
        self.sessions.push(SessionOutcome {
            stream_group_id: name.stream_group,
            stream_session_id: name.id,
            outcome,
        });
    }

    /// Adds outcomes. An error is one session's alone: the others were seen to.
    pub(super) fn add_all(&mut self, outcomes: Vec<(SessionName, Result<Outcome, Error>)>) {
        for (name, outcome) in outcomes {
            let outcome = outcome.unwrap_or_else(|error| {
                tracing::error!(session = %name, code = error.code(), %error, "a session could not be seen to");
                Outcome::NotReached(error.to_string())
            });
            self.add(name, outcome);
        }
    }

    pub(super) fn add_unlisted(&mut self, group: Option<&Id>, error: &ServiceError) {
        let outcome = match error.fault {
            Fault::NotFound => Outcome::NotFound,
            _ => Outcome::of_failure(error),
        };
        let unlisted = Unlisted { stream_group_id: group.cloned(), outcome };
        if !self.unlisted.contains(&unlisted) {
            self.unlisted.push(unlisted);
        }
    }

    /// What could not be seen to, in a sentence; nothing if everything was.
    pub(super) fn left_undone(&self) -> Option<String> {
        let sessions = self.sessions.iter().filter(|session| session.outcome.is_undone()).map(|session| {
            let SessionOutcome { stream_group_id, stream_session_id, outcome } = session;
            format!("{stream_group_id}/{stream_session_id}: {outcome}")
        });
        let groups = self.unlisted.iter().map(|unlisted| {
            let group = unlisted.stream_group_id.as_ref().map_or("the account", Id::as_str);
            format!("listing {group}: {}", unlisted.outcome)
        });
        let left: Vec<_> = groups.chain(sessions).collect();
        (!left.is_empty()).then(|| left.join("; "))
    }

    /// As JSON, for the log.
    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Armed(detail)
            | Self::NotYet(detail)
            | Self::Missed(detail)
            | Self::Failed(detail)
            | Self::Denied(detail)
            | Self::Throttled(detail)
            | Self::NotReached(detail) => write!(f, " ({detail})"),
            Self::AlreadyArmed | Self::Settled | Self::NotFound => Ok(()),
        }
    }
}
