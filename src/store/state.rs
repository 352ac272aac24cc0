//! What the sweep knows from one time to the next.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::layout;

use super::{Condition, Store};

/// `state/first-sweep.json`
#[derive(Debug, Serialize, Deserialize)]
struct FirstSweep {
    at: Timestamp,
}

/// `state/hourly-look.json`: the last look for sessions that nobody saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HourlyLook {
    /// When it began.
    pub at: Timestamp,
    /// When the last one began that came to its end: whatever ended before then is accounted for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complete: Option<Timestamp>,
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

    /// The last look for sessions that nobody saw.
    pub async fn hourly_look(&self) -> Result<Option<HourlyLook>, Error> {
        Ok(self.read_whole(layout::HOURLY_LOOK).await?.map(|stored| stored.value))
    }

    /// Notes a look for sessions that nobody saw.
    pub async fn note_hourly_look(&self, look: HourlyLook) -> Result<(), Error> {
        self.overwrite(layout::HOURLY_LOOK, &look).await
    }
}
