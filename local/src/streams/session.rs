//! A stream session, and the words that the service has for it.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::input::StartStreamSession;

/// Which session: its stream group's id and its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionId {
    /// For example `sg-1AB2C3De4`.
    pub stream_group_id: String,
    /// For example `ABC123def4567`.
    pub id: String,
}

impl SessionId {
    /// A new id in a stream group.
    pub(super) fn generate(stream_group_id: &str) -> Self {
        let id = std::iter::repeat_with(fastrand::alphanumeric).take(13).collect();
        Self { stream_group_id: stream_group_id.to_owned(), id }
    }

    /// The resource part of the session's ARN: `streamsession/{stream group id}/{session id}`.
    #[must_use]
    pub fn resource(&self) -> String {
        format!("streamsession/{}/{}", self.stream_group_id, self.id)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.stream_group_id, self.id)
    }
}

/// `StreamSessionStatus` of the service's model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "AWS's own names; their meaning is in the service's documentation")]
pub enum Status {
    Activating,
    Active,
    Connected,
    PendingClientReconnection,
    Reconnecting,
    Terminating,
    Terminated,
    Error,
}

impl Status {
    /// Whether an export can be requested: the session is "in progress".
    #[must_use]
    pub fn is_live(self) -> bool {
        matches!(self, Self::Active | Self::Connected | Self::PendingClientReconnection | Self::Reconnecting)
    }

    /// Whether the session has come to its end.
    #[must_use]
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Terminated | Self::Error)
    }
}

/// `StreamSessionStatusReason` of the service's model: why a session is `TERMINATED` or in `ERROR`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "AWS's own names; their meaning is in the service's documentation")]
pub enum StatusReason {
    InternalError,
    InvalidSignalRequest,
    PlacementTimeout,
    #[serde(rename = "applicationLogS3DestinationError")]
    ApplicationLogS3DestinationError,
    AssumeRoleFailed,
    ApplicationExit,
    ConnectionTimeout,
    ReconnectionTimeout,
    MaxSessionLengthTimeout,
    IdleTimeout,
    ApiTerminated,
}

/// `ExportFilesStatus` of the service's model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ExportStatus {
    /// The session is in progress, or its files are being uploaded.
    Pending,
    /// The zip is in S3.
    Succeeded,
    /// The session ended, but its files could not be collected or uploaded.
    Failed,
}

/// `ExportFilesMetadata` of the service's model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ExportFiles {
    /// How far it is.
    pub status: ExportStatus,
    /// Why it failed, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
    /// Where it was asked to go.
    pub output_uri: String,
    /// Whose request it is: AWS uses the caller's credentials to write to S3.
    #[serde(skip)]
    pub access_key_id: String,
}

/// A session as it is at one moment.
#[derive(Debug, Clone)]
pub struct StreamSession {
    /// Which session.
    pub id: SessionId,
    /// The application that it runs.
    pub application_id: String,
    /// The location where it runs.
    pub location: String,
    /// Its status.
    pub status: Status,
    /// Why it ended, once it has.
    pub status_reason: Option<StatusReason>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When anything of it changed last.
    pub last_updated_at: Timestamp,
    /// Its export, once one was requested.
    pub export: Option<ExportFiles>,
    /// `ConnectionTimeoutSeconds`.
    pub connection_timeout: Duration,
    /// `SessionLengthSeconds`.
    pub session_length: Duration,
    /// The request that started it.
    pub request: StartStreamSession,
}
