//! The marker: a session in scope that is not settled.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::session::Session;

use super::{SCHEMA, SessionFacts};

/// What made us look at a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriggerNote {
    /// `sweep`, `session-event`, `cloudtrail`, `alarm`; open.
    pub kind: String,
    /// When it reached us.
    pub at: Timestamp,
}

/// An alarm that went to ALARM while the session lived, and whose dimensions selected it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmNote {
    /// The alarm's name.
    pub name: String,
    /// When its state changed.
    pub at: Timestamp,
}

/// `open/…json`: a session in scope that is not settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Marker {
    /// [`SCHEMA`]
    pub schema: u32,
    /// The session, as it was when the marker was written.
    pub session: SessionFacts,
    /// Where its export goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_uri: Option<String>,
    /// When its export was requested by us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub armed_at: Option<Timestamp>,
    /// What made us look at it first.
    pub trigger: TriggerNote,
    /// Alarms that selected it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alarms: Vec<AlarmNote>,
}

impl Marker {
    /// A marker of a session that nobody has armed yet.
    #[must_use]
    pub fn new(session: &Session, trigger: TriggerNote) -> Self {
        Self {
            schema: SCHEMA,
            session: session.into(),
            output_uri: session.export.as_ref().and_then(|export| export.output_uri.clone()),
            armed_at: None,
            trigger,
            alarms: Vec::new(),
        }
    }

    /// Notes an alarm; says whether it is news. One alarm is noted once for each change of its state.
    pub fn note(&mut self, alarm: &AlarmNote) -> bool {
        let is_news = !self.alarms.contains(alarm);
        if is_news {
            self.alarms.push(alarm.clone());
        }
        is_news
    }
}
