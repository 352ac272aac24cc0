//! `start-export`: requests the export of every session that needs it, while the session is alive.
//!
//! For one session, in this order: marker, export. Whatever is killed in between is taken up by the next sweep.
//!
//! - `outcome`, `answer`, `metrics`: what became of the sessions, and who is told
//! - `session`: one session
//! - `scope`, `sampling`: which sessions are ours to see to
//! - `listing`: the sessions that GameLift Streams lists
//! - `alarm`: the sessions that an alarm selects, also those that have just ended
//! - `sweep`: the minute: `pass`, `closer_look`, `settle`, `settled`, `hourly`, `rearm`

mod alarm;
mod answer;
mod closer_look;
mod hourly;
mod listing;
mod metrics;
mod outcome;
mod pass;
mod rearm;
mod sampling;
mod scope;
mod session;
mod settle;
mod settled;
mod sweep;
mod watch;

pub use answer::Answer;
pub use outcome::Outcome;

use jiff::Timestamp;
use serde_json::Value;

use crate::config::Config;
use crate::error::Error;
use crate::record;
use crate::store::Store;
use crate::streams::Streams;
use crate::trigger::{Scope, Trigger};

use self::metrics::{Report, Swept};
use self::rearm::Turns;
use self::session::Arming;
use self::watch::Watch;

/// The function `start-export`.
#[derive(Debug)]
pub struct StartExport {
    streams: Streams,
    store: Store,
    config: Config,
    /// Which markers need no look yet: spares reading them each minute. Lost with the process, and then read again.
    watch: Watch,
    /// When the exports of long sessions are to be requested again.
    turns: Turns,
}

impl StartExport {
    /// The function, with its clients.
    #[must_use]
    pub fn new(streams: Streams, store: Store, config: Config) -> Self {
        Self { streams, store, config, watch: Watch::default(), turns: Turns::default() }
    }

    /// Does what an event asks for, as far as that is possible before the deadline.
    ///
    /// A sweep succeeds even if some sessions could not be seen to, because the next one comes within a minute. Any other
    /// event fails then, so that Lambda delivers it again and at last keeps it as a dead letter.
    pub async fn handle(&self, event: &Value, deadline: Timestamp) -> Result<Answer, Error> {
        let Trigger { note, scope } = Trigger::parse(event, record::now())?;
        let arming = Arming::new(&self.streams, &self.store, &note, deadline);
        let is_sweep = scope == Scope::Sweep;
        let mut swept = None;
        match scope {
            Scope::Nothing(why) => arming.answer().ignored = Some(why),
            Scope::Session(name) => arming.see_to([name], async |name| arming.arm_by_name(name).await).await,
            Scope::SessionInScope(name) => self.arm_if_in_scope(&arming, name).await,
            Scope::Alarm(alarm) => Box::pin(self.arm_affected(&arming, &alarm)).await,
            Scope::Sweep => swept = Some(self.sweep(&arming).await),
        }
        let answer = arming.into_answer();
        self.tell(&answer, swept.as_ref());
        match answer.left_undone() {
            Some(left) if !is_sweep => Err(Error::Incomplete(left)),
            _ => Ok(answer),
        }
    }

    /// Tells the log what was done, and CloudWatch how much of it.
    fn tell(&self, answer: &Answer, sweep: Option<&Swept>) {
        let throttled = self.streams.take_throttled();
        let counts = answer.counts();
        let count = |name: &str| counts.get(name).copied().unwrap_or(0);
        tracing::info!(
            armed = count("armed"),
            already_armed = count("already-armed"),
            missed = count("missed"),
            failed = count("failed"),
            denied = count("denied"),
            not_reached = count("not-reached"),
            throttled_calls = throttled.values().sum::<u64>(),
            answer = serde_json::to_string(answer).unwrap_or_default(),
            "done"
        );
        let stack = &self.config.stack;
        let report = Report { stack, answer, throttled: &throttled, sweep, at: record::now() };
        if let Err(error) = report.write() {
            tracing::error!(%error, "the metrics could not be written");
        }
    }
}
