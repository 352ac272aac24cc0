//! The GameLift Streams API, in the words of [`session`](crate::session), at a pace that leaves the account's quotas to others.

mod answers;
mod calls;
mod pace;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_gameliftstreams::Client;
use aws_sdk_gameliftstreams::config::Builder;
use aws_sdk_gameliftstreams::config::retry::RetryConfig;
use aws_sdk_gameliftstreams::config::timeout::TimeoutConfig;
use aws_sdk_gameliftstreams::types::{StreamSessionStatus, StreamSessionSummary};

use crate::service::{Fault, ServiceError};
use crate::session::{Id, Session, SessionName};
use crate::user::UserIds;

use self::answers::{from_output, from_summary};
use self::calls::{Calls, Operation};

/// How many sessions a page of a listing holds (API reference: 1 to 100).
const PAGE: i32 = 100;

/// How long one attempt of a call may take. All of them answer with little.
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);

/// The GameLift Streams API of one Region.
#[derive(Debug, Clone)]
pub struct Streams {
    client: Client,
    calls: Arc<Calls>,
    user_ids: UserIds,
}

/// One page of a listing, and the token of the next.
#[derive(Debug)]
pub struct Page {
    /// At most 100 sessions.
    pub sessions: Vec<Session>,
    /// Nothing on the last page.
    pub next: Option<String>,
}

impl Streams {
    /// The API, at a pace of so many calls a second for each operation. Repetitions count as calls.
    #[must_use]
    pub fn new(sdk: &SdkConfig, calls_per_second: u32) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(3))
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .build();
        let config =
            Builder::from(sdk).retry_config(RetryConfig::disabled()).timeout_config(timeouts).build();
        let calls = Arc::new(Calls::new(calls_per_second));
        Self { client: Client::from_conf(config), calls, user_ids: UserIds::Off }
    }

    /// The same, telling of the sessions' users in this form. Without it nothing is told of them.
    #[must_use]
    pub fn with_user_ids(self, user_ids: UserIds) -> Self {
        Self { user_ids, ..self }
    }

    /// `GetStreamSession`: what the service tells of a session; nothing if it knows none of this name.
    pub async fn get(&self, name: &SessionName) -> Result<Option<Session>, ServiceError> {
        let request = self
            .client
            .get_stream_session()
            .identifier(name.stream_group.as_str())
            .stream_session_identifier(name.id.as_str());
        let send = async || request.clone().send().await;
        match self.calls.make(Operation::Get, Some(&name.stream_group), send).await {
            Ok(output) => Ok(Some(from_output(name, output, self.user_ids))),
            Err(error) if error.fault == Fault::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// `ExportStreamSessionFiles`: asks for a live session's files to be put at an `s3://….zip` URI when it ends.
    pub async fn export(&self, name: &SessionName, output_uri: &str) -> Result<(), ServiceError> {
        let request = self
            .client
            .export_stream_session_files()
            .identifier(name.stream_group.as_str())
            .stream_session_identifier(name.id.as_str())
            .output_uri(output_uri);
        let send = async || request.clone().send().await;
        self.calls.make(Operation::Export, Some(&name.stream_group), send).await.map(drop)
    }

    /// One page of the sessions of a group, or of the account where no group is given, that have one status. A listing is
    /// no snapshot: that a session is absent proves nothing.
    pub async fn page(
        &self,
        group: Option<&Id>,
        status: &str,
        token: Option<String>,
    ) -> Result<Page, ServiceError> {
        let status = StreamSessionStatus::from(status);
        let (items, next) = if let Some(group) = group {
            let request = self.client.list_stream_sessions().identifier(group.as_str());
            let request = request.status(status).max_results(PAGE).set_next_token(token);
            let send = async || request.clone().send().await;
            let output = self.calls.make(Operation::List, Some(group), send).await?;
            (output.items, output.next_token)
        } else {
            let request = self.client.list_stream_sessions_by_account();
            let request = request.status(status).max_results(PAGE).set_next_token(token);
            let send = async || request.clone().send().await;
            let output = self.calls.make(Operation::ListByAccount, None, send).await?;
            (output.items, output.next_token)
        };
        let items: Vec<StreamSessionSummary> = items.unwrap_or_default();
        Ok(Page {
            sessions: items.iter().filter_map(|item| from_summary(item, self.user_ids)).collect(),
            next: next.filter(|token| !token.is_empty()),
        })
    }

    /// How many calls were throttled since this was last asked, by stream group; without one for calls about the account.
    #[must_use]
    pub fn take_throttled(&self) -> BTreeMap<Option<Id>, u64> {
        self.calls.take_throttled()
    }
}
