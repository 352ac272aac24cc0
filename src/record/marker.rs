//! The marker: a session in scope that is not settled.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::session::{LIVE_STATUSES, Session, SessionName};

use super::{SCHEMA, SessionFacts};

/// How many alarms a marker notes: one that goes on and off for hours says no more.
const MOST_ALARMS: usize = 50;

/// A session is overdue that ended so long ago and is not settled.
pub const OVERDUE: SignedDuration = SignedDuration::from_mins(30);

/// What made us look at a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriggerNote {
    /// `sweep`, `session-event`, `cloudtrail`, `alarm`; open.
    pub kind: String,
    /// When it reached us.
    pub at: Timestamp,
}

/// An alarm that went to ALARM while the session lived, or soon after, and whose dimensions selected it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmNote {
    /// The alarm's name.
    pub name: String,
    /// When its state changed.
    pub at: Timestamp,
}

/// How far a session is whose end was noticed, and when to look again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Settling {
    /// When the session ended, as far as can be told.
    pub ended_at: Timestamp,
    /// What was found at the last look: the status of its export, or `unknown-session`.
    pub found: String,
    /// How often just that was found.
    pub looks: u32,
    /// When to look again.
    pub next_look: Timestamp,
}

/// `open/…json`: a session in scope that is not settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Marker {
    /// [`SCHEMA`]
    pub schema: u32,
    /// The session, as it was when its export was requested, or else when the marker was written.
    pub session: SessionFacts,
    /// Where its export goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_uri: Option<String>,
    /// When we set out to request its export. Written before the request, so that no death in between loses it; taken
    /// back if the request is denied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub armed_at: Option<Timestamp>,
    /// When we last requested it again, to the same place, because the first request was long ago.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rearmed_at: Option<Timestamp>,
    /// Why its export could not be requested: the service's text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denied: Option<String>,
    /// What made us look at it first.
    pub trigger: TriggerNote,
    /// Alarms that selected it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alarms: Vec<AlarmNote>,
    /// Once its end was noticed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settling: Option<Settling>,
}

impl Marker {
    /// A marker of a session that nobody has armed yet.
    #[must_use]
    pub fn new(session: &Session, trigger: TriggerNote) -> Self {
        Self {
            session: session.into(),
            output_uri: session.export.as_ref().and_then(|export| export.output_uri.clone()),
            ..Self::of_unknown(&session.name, trigger)
        }
    }

    /// A marker of a session of which nothing but its name is known.
    #[must_use]
    pub fn of_unknown(name: &SessionName, trigger: TriggerNote) -> Self {
        Self {
            schema: SCHEMA,
            session: SessionFacts::of_name(name),
            output_uri: None,
            armed_at: None,
            rearmed_at: None,
            denied: None,
            trigger,
            alarms: Vec::new(),
            settling: None,
        }
    }

    /// Notes an alarm; says whether it is news. One alarm is noted once for each change of its state,
    /// and fifty at most.
    pub fn note(&mut self, alarm: &AlarmNote) -> bool {
        let is_news = self.alarms.len() < MOST_ALARMS && !self.alarms.contains(alarm);
        if is_news {
            self.alarms.push(alarm.clone());
        }
        is_news
    }

    /// Notes that the export of a live session is about to be requested; says whether that is news.
    pub fn note_request(&mut self, session: &Session, output_uri: &str, at: Timestamp) -> bool {
        if self.armed_at.is_some() && self.output_uri.as_deref() == Some(output_uri) {
            return false;
        }
        self.session = session.into();
        self.output_uri = Some(output_uri.to_owned());
        self.armed_at = Some(at);
        self.denied = None;
        true
    }

    /// Whether the session is known to have been live.
    #[must_use]
    pub fn was_live(&self) -> bool {
        self.session.status.as_deref().is_some_and(|status| LIVE_STATUSES.contains(&status))
    }
}
