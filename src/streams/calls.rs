//! Every call to GameLift Streams: its turn, its repetition, and the count of what was throttled.
//!
//! The SDK's own retries are off: they would send calls that no pace has seen.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_gameliftstreams::config::http::HttpResponse;
use aws_sdk_gameliftstreams::error::{ProvideErrorMetadata, SdkError};
use tokio::time::Instant;

use crate::service::{Fault, ServiceError};
use crate::session::Id;

use super::pace::Pace;

/// How often a throttled call is sent. Each time the pace is half of what it was, so that this takes a while.
const THROTTLED_ATTEMPTS: u32 = 5;

/// How often a call is sent that the service fails to answer.
const FAILED_ATTEMPTS: u32 = 3;

/// The pause after a failure, which grows with each.
const PAUSE: Duration = Duration::from_millis(200);

/// The operations that are called, each with its own quota and pace.
#[derive(Debug, Clone, Copy)]
pub(super) enum Operation {
    Get,
    Export,
    List,
    ListByAccount,
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Self::Get => "GetStreamSession",
            Self::Export => "ExportStreamSessionFiles",
            Self::List => "ListStreamSessions",
            Self::ListByAccount => "ListStreamSessionsByAccount",
        }
    }
}

/// The way that every call takes.
#[derive(Debug)]
pub(super) struct Calls {
    get: Pace,
    export: Pace,
    list: Pace,
    list_by_account: Pace,
    /// By stream group; without one for calls about the account.
    throttled: Mutex<BTreeMap<Option<Id>, u64>>,
}

impl Calls {
    pub(super) fn new(calls_per_second: u32) -> Self {
        let pace = || Pace::new(calls_per_second);
        Self {
            get: pace(),
            export: pace(),
            list: pace(),
            list_by_account: pace(),
            throttled: Mutex::default(),
        }
    }

    /// Makes a call about a stream group, or about the account.
    pub(super) async fn make<T, E>(
        &self,
        operation: Operation,
        group: Option<&Id>,
        send: impl AsyncFn() -> Result<T, SdkError<E, HttpResponse>>,
    ) -> Result<T, ServiceError>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let pace = self.pace(operation);
        let mut attempt = 1;
        loop {
            let turn = pace.turn().await;
            let error = match send().await {
                Ok(output) => return Ok(output),
                Err(error) => ServiceError::new(operation.name(), &error),
            };
            let attempts = match error.fault {
                Fault::Throttled => {
                    pace.throttled(turn, Instant::now());
                    self.count_throttled(group);
                    THROTTLED_ATTEMPTS
                }
                Fault::Unavailable => FAILED_ATTEMPTS,
                _ => 1,
            };
            if attempt >= attempts {
                return Err(error);
            }
            if error.fault == Fault::Unavailable {
                tokio::time::sleep(PAUSE * attempt).await;
            }
            attempt += 1;
        }
    }

    /// How many calls were throttled since this was last asked, by stream group.
    pub(super) fn take_throttled(&self) -> BTreeMap<Option<Id>, u64> {
        std::mem::take(&mut self.throttled.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn count_throttled(&self, group: Option<&Id>) {
        let mut throttled = self.throttled.lock().unwrap_or_else(PoisonError::into_inner);
        *throttled.entry(group.cloned()).or_default() += 1;
    }

    fn pace(&self, operation: Operation) -> &Pace {
        match operation {
            Operation::Get => &self.get,
            Operation::Export => &self.export,
            Operation::List => &self.list,
            Operation::ListByAccount => &self.list_by_account,
        }
    }
}
