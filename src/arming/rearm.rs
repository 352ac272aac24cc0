//! Sessions that were armed long ago: their export is requested again, to the same place, for the sake of the credentials.
//!
//! GameLift Streams writes an export in the name of whoever requested it. A function's credentials last for some hours, and
//! nobody says whether an export needs them when the session ends. Whether asking again helps is not documented either, so
//! this is off unless `REARM_AFTER_HOURS` is set.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, timeout_at};

use crate::error::Error;
use crate::record::{self, Marker};
use crate::service::Fault;
use crate::session::{Session, SessionName};

use super::StartExport;

/// How many sessions are seen to at the same time: the passes go first.
const IN_FLIGHT: usize = 2;

/// After a refusal, and where somebody else has armed the session.
const LATER: SignedDuration = SignedDuration::from_hours(1);

/// When which session's turn is. Lost with the process, and then learned again from the markers.
#[derive(Debug, Default)]
pub(super) struct Turns {
    turns: Mutex<BTreeMap<SessionName, Timestamp>>,
}

impl Turns {
    /// Of the sessions that have been armed for long, perhaps, those whose turn it is; all others are forgotten.
    fn due<'a>(&self, sessions: &'a BTreeMap<SessionName, Session>, now: Timestamp) -> Vec<&'a Session> {
        let mut turns = self.turns();
        turns.retain(|name, _| sessions.contains_key(name));
        let is_due = |session: &&Session| turns.get(&session.name).is_none_or(|turn| *turn <= now);
        sessions.values().filter(is_due).collect()
    }

    fn set(&self, name: &SessionName, turn: Timestamp) {
        self.turns().insert(name.clone(), turn);
    }

    fn turns(&self) -> MutexGuard<'_, BTreeMap<SessionName, Timestamp>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StartExport {
    /// Whether a session that is armed may have been armed so long ago that its export is to be requested again.
    pub(super) fn may_be_rearmed(&self, session: &Session) -> bool {
        let is_old = |after: SignedDuration| {
            session.created_at.is_some_and(|at| record::now().duration_since(at) >= after)
        };
        self.config.rearm_after.is_some_and(is_old)
    }

    /// Requests the exports of these sessions again, of those that it is time for.
    pub(super) async fn rearm(&self, sessions: &BTreeMap<SessionName, Session>, end: Instant) {
        let Some(after) = self.config.rearm_after else { return };
        let due = self.turns.due(sessions, record::now());
        let all = stream::iter(due).for_each_concurrent(IN_FLIGHT, async |session| {
            if let Err(error) = self.rearm_one(session, after).await {
                let code = error.code();
                tracing::warn!(session = %session.name, code, %error, "a session could not be armed again");
            }
        });
        if timeout_at(end, all).await.is_err() {
            tracing::warn!("there was no time to arm every long session again: the next sweep goes on");
        }
    }

    /// Requests an export again that we requested long ago. Whatever the answer, the session is as armed as it was.
    async fn rearm_one(&self, session: &Session, after: SignedDuration) -> Result<(), Error> {
        let (name, now) = (&session.name, record::now());
        let Some(marker) = self.store.marker(name).await?.map(|stored| stored.value) else { return Ok(()) };
        let (turn, uri) = turn(session, &marker, after).unwrap_or((later(now, LATER), ""));
        if turn > now {
            self.turns.set(name, turn);
            return Ok(());
        }
        if let Err(error) = self.streams.export(name, uri).await {
            if !matches!(error.fault, Fault::Throttled | Fault::Unavailable) {
                self.turns.set(name, later(now, LATER));
            }
            return Err(error.into());
        }
        tracing::info!(session = %name, "armed again");
        self.turns.set(name, later(now, after));
        // Whoever is killed before this asks once more, which changes nothing.
        let note = |marker: &mut Marker| {
            marker.rearmed_at = Some(now);
            true
        };
        self.store.update_marker(name, note).await.map(drop)
    }
}

/// When a session's export is to be requested again, and where to; never, unless it goes where we had requested it to.
fn turn<'a>(session: &Session, marker: &'a Marker, after: SignedDuration) -> Option<(Timestamp, &'a str)> {
    let (armed_at, uri) = (marker.rearmed_at.or(marker.armed_at)?, marker.output_uri.as_deref()?);
    // Listings of the account do not tell where to.
    let told = session.export.as_ref().and_then(|export| export.output_uri.as_deref());
    told.is_none_or(|told| told == uri).then(|| (later(armed_at, after), uri))
}

fn later(at: Timestamp, pause: SignedDuration) -> Timestamp {
    at.saturating_add(pause).unwrap_or(at)
}
