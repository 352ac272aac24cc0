//! Sessions that are started from within this process.

use std::collections::BTreeMap;
use std::time::Duration;

use super::input::{NO_CLIENT_CONNECTION, PROTOCOL, StartStreamSession};

/// How to start a session.
#[derive(Debug, Clone, PartialEq)]
pub struct StartOptions {
    /// The stream group, by id or ARN.
    pub stream_group: String,
    /// The request.
    pub request: StartStreamSession,
    /// How long ago the session claims to have been created. Its timeouts count from its real start.
    pub already_running: Duration,
    /// Where the wish comes from.
    pub started_by: StartedBy,
}

/// Where a session's start comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartedBy {
    /// A call of `StartStreamSession`, which is in the call log and which CloudTrail records.
    ApiCall {
        /// The caller's.
        access_key_id: String,
    },
    /// A player's visit to a stream URL: nobody calls the API, so nothing is recorded.
    StreamUrl,
}

impl StartOptions {
    /// A session that waits for no client, started now by a call of the game's backend.
    #[must_use]
    pub fn new(stream_group: &str, application: &str) -> Self {
        Self {
            stream_group: stream_group.into(),
            request: StartStreamSession {
                protocol: Some(PROTOCOL.into()),
                signal_request: Some(NO_CLIENT_CONNECTION.into()),
                application_identifier: Some(application.into()),
                ..StartStreamSession::default()
            },
            already_running: Duration::ZERO,
            started_by: StartedBy::ApiCall { access_key_id: "ASIAGAMEBACKEND00000".into() },
        }
    }

    /// With `AdditionalLaunchArgs`.
    #[must_use]
    pub fn arguments<A: Into<String>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.request.additional_launch_args = Some(arguments.into_iter().map(Into::into).collect());
        self
    }

    /// With `AdditionalEnvironmentVariables`.
    #[must_use]
    pub fn environment(mut self, variables: BTreeMap<String, String>) -> Self {
        self.request.additional_environment_variables = Some(variables);
        self
    }

    /// With a client that connects shortly after the session is `ACTIVE`.
    #[must_use]
    pub fn with_client(mut self) -> Self {
        self.request.signal_request = Some(r#"{"type":"offer","sdp":"v=0"}"#.into());
        self
    }

    /// As if the session had been created that long ago.
    #[must_use]
    pub fn already_running(mut self, already_running: Duration) -> Self {
        self.already_running = already_running;
        self
    }

    /// From a stream URL.
    #[must_use]
    pub fn from_stream_url(mut self) -> Self {
        self.started_by = StartedBy::StreamUrl;
        self
    }
}
