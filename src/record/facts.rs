//! What is known of a session itself.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::layout;
use crate::session::{Id, Session, SessionName};

/// Facts about a session, as they were when marker or record was last written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionFacts {
    /// The session's ARN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// The session's id.
    pub id: Id,
    /// The id of its stream group.
    pub stream_group_id: Id,
    /// The id of its application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application_id: Option<Id>,
    /// Where it ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// When it was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// The service's word for its status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The service's word for why it ended (`StatusReason`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_reason: Option<String>,
    /// The studio's own key of who played, plain or hashed, if it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
}

impl SessionFacts {
    /// What is known of a session of which nothing but its name is known.
    #[must_use]
    pub fn of_name(name: &SessionName) -> Self {
        Self {
            arn: None,
            id: name.id.clone(),
            stream_group_id: name.stream_group.clone(),
            application_id: None,
            location: None,
            created_at: None,
            status: None,
            end_reason: None,
            user_id: None,
        }
    }

    /// The same, with what was known before where nothing is known now.
    #[must_use]
    pub fn or(self, before: &Self) -> Self {
        Self {
            arn: self.arn.or_else(|| before.arn.clone()),
            application_id: self.application_id.or_else(|| before.application_id.clone()),
            location: self.location.or_else(|| before.location.clone()),
            created_at: self.created_at.or(before.created_at),
            user_id: self.user_id.or_else(|| before.user_id.clone()),
            ..self
        }
    }

    /// Which session this is.
    #[must_use]
    pub fn name(&self) -> SessionName {
        SessionName { stream_group: self.stream_group_id.clone(), id: self.id.clone() }
    }

    /// The day that the session's keys are dated by: of its creation, or today where nobody knows that.
    #[must_use]
    pub fn date(&self) -> Date {
        layout::utc_date(self.created_at.unwrap_or_else(Timestamp::now))
    }

    /// The application that the session's keys name.
    #[must_use]
    pub fn application(&self) -> Id {
        self.application_id.clone().unwrap_or_else(Id::unknown)
    }

    /// Whether both tell alike where the session's record lies.
    #[must_use]
    pub fn share_a_key(&self, other: &Self) -> bool {
        (self.created_at, &self.application_id) == (other.created_at, &other.application_id)
    }

    /// The key of the session's record.
    #[must_use]
    pub fn record_key(&self) -> String {
        layout::record_key(self.date(), &self.application(), &self.name())
    }

    /// The key of the session's report.
    #[must_use]
    pub fn report_key(&self) -> String {
        layout::report_key(self.date(), &self.application(), &self.name())
    }
}

impl From<&Session> for SessionFacts {
    fn from(session: &Session) -> Self {
        Self {
            arn: session.arn.clone(),
            application_id: session.application.clone(),
            location: session.location.clone(),
            created_at: session.created_at,
            status: Some(session.status.clone()),
            end_reason: session.end_reason.clone(),
            user_id: session.user_id.clone(),
            ..Self::of_name(&session.name)
        }
    }
}
