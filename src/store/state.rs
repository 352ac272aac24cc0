//! What the sweep knows from one time to the next.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::layout;
use crate::session::Id;

use super::{Condition, Store};

/// `state/first-sweep.json`
#[derive(Debug, Serialize, Deserialize)]
struct FirstSweep {
    at: Timestamp,
}

/// `state/hourly-look.json`: the last round of looks for sessions that nobody saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HourlyLook {
    /// When the round began.
    pub at: Timestamp,
    /// When the last round began that read everything: whatever ended before then is accounted for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complete: Option<Timestamp>,
    /// Where the round goes on, if one look was not enough for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest: Option<Rest>,
}

/// What is left of a round: a listing, from one of its pages on, and those that follow it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rest {
    /// Nothing for the listing of the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Id>,
    /// The status of the sessions that are listed.
    pub status: String,
    /// Where the next page begins; nothing for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Whether everything before was read and recorded.
    pub is_whole: bool,
}

impl Store {
    /// When the sweep first ran: `now`, unless it ran before.
    pub async fn first_sweep(&self, now: Timestamp) -> Result<Timestamp, Error> {
        loop {
            if let Some(stored) = self.read::<FirstSweep>(layout::FIRST_SWEEP).await? {
                return Ok(stored.value.at);
            }
            if let Condition::Held = self.create(layout::FIRST_SWEEP, &FirstSweep { at: now }).await? {
                return Ok(now);
            }
        }
    }

    /// The last round of looks for sessions that nobody saw.
    pub async fn hourly_look(&self) -> Result<Option<HourlyLook>, Error> {
        Ok(self.read_whole(layout::HOURLY_LOOK).await?.map(|stored| stored.value))
    }

    /// Notes how far a round of looks has come.
    pub async fn note_hourly_look(&self, look: &HourlyLook) -> Result<(), Error> {
        self.overwrite(layout::HOURLY_LOOK, look).await
    }
}
