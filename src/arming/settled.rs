//! Markers of sessions that have a record: whether that has heard of everything, and its report says it.

use jiff::SignedDuration;

use crate::error::Error;
use crate::record::{self, Marker, Record, State};
use crate::session::{Phase, SessionName};
use crate::store::Stored;

use super::pass::Marked;
use super::session::Arming;
use super::settle::{Case, PAUSES};
use super::watch::Watched;
use super::{Outcome, StartExport};

/// A marker stays this long after its session was settled, so that a late alarm finds it.
const MARKER_STAYS: SignedDuration = SignedDuration::from_mins(10);

/// What a look at a settled session found.
const LATE_ALARM: &str = "late-alarm";
const NO_END_REASON: &str = "no-end-reason";
const OTHER_REPORT: &str = "other-report";

/// All of it.
pub(super) const FOUND: [&str; 3] = [LATE_ALARM, NO_END_REASON, OTHER_REPORT];

impl StartExport {
    /// The session has a record. If that has not heard of an alarm, or of why the session ended, its export is judged again, or, where
    /// there is none, the alarm noted; if it is ten minutes old, and the report is its own, the marker has done its work.
    pub(super) async fn settled(
        &self,
        arming: &Arming<'_>,
        name: &SessionName,
        marker: &Marker,
        record: Stored<Record>,
        known: Option<&Marked>,
    ) -> Result<Outcome, Error> {
        let now = record::now();
        let (written_at, record) = (record.written_at.unwrap_or(now), record.value);
        let case = Case { name, marker, ended_at: written_at, now };
        if let (State::Indexed, Some(export)) = (&record.state, &record.export)
            && let Some(wanting) = wanting(marker, &record)
            && case.looks(wanting) <= PAUSES.len()
        {
            if wanting == LATE_ALARM || tells_end_reason(arming, name).await {
                self.store.request_reindex(&export.key).await?;
            }
            self.pause(&case, wanting).await?;
        } else if Box::pin(self.tell_uncaptured(arming, marker, &record)).await? {
            let next_look = now.saturating_add(MARKER_STAYS).unwrap_or(now);
            self.watch.set(name, Watched { next_look, unsettled_since: None });
        } else if now.duration_since(written_at) < MARKER_STAYS {
            let next_look = written_at.saturating_add(MARKER_STAYS).unwrap_or(now);
            self.watch.set(name, Watched { next_look, unsettled_since: None });
        } else if case.looks(OTHER_REPORT) <= PAUSES.len() && !self.store.has_report_of(&record).await? {
            self.mend_report(arming, marker, &record).await?;
            self.pause(&case, OTHER_REPORT).await?;
        } else {
            self.store.delete_marker(name).await?;
            self.forget(name, known);
        }
        Ok(Outcome::Settled)
    }

    /// The report is not the record's: who wrote one of them may have been killed, or have failed three times, before it could see to
    /// the other (`docs/decisions/0035`).
    async fn mend_report(&self, arming: &Arming<'_>, marker: &Marker, record: &Record) -> Result<(), Error> {
        if let Some(export) = &record.export {
            return self.store.request_reindex(&export.key).await;
        }
        arming.confirm_report(record).await?;
        if self.store.has_report_of(record).await? {
            return Ok(());
        }
        // What outranks it is the report of an export, which has come after all.
        self.ask_for_index(&self.target(marker.output_uri.as_deref())).await
    }

    /// The record of a session that was not captured hears of an alarm that came late; says whether it had not. An export that had
    /// been requested is asked for once more, as it may have come after all.
    async fn tell_uncaptured(
        &self,
        arming: &Arming<'_>,
        marker: &Marker,
        record: &Record,
    ) -> Result<bool, Error> {
        let is_uncaptured = matches!(record.state, State::Missed | State::Failed);
        let is_news = is_uncaptured && wanting(marker, record) == Some(LATE_ALARM);
        let Some(reason) = record.judgement.reason.clone().filter(|_| is_news) else { return Ok(false) };
        if record.state == State::Failed {
            self.ask_for_index(&self.target(marker.output_uri.as_deref())).await?;
        }
        let mut told = Marker { alarms: record.alarms.clone(), ..marker.clone() };
        for alarm in &marker.alarms {
            told.note(alarm);
        }
        let facts = record.session.clone();
        let outcome = arming.record(record.state.clone(), reason, facts, Some(&told)).await?;
        Ok(matches!(outcome, Outcome::Missed(_) | Outcome::Failed(_)))
    }
}

/// The marker of a session that has a record waits no longer for its next look. One that has none may go on waiting: whatever makes it
/// hears of everything that the marker has noted, and the looks are counted.
pub(super) fn look_at_once(marker: &mut Marker) {
    if let Some(settling) = marker.settling.as_mut().filter(|it| FOUND.contains(&it.found.as_str())) {
        settling.next_look = record::now();
    }
}

/// What a record has not heard of, that may be known by now.
fn wanting(marker: &Marker, record: &Record) -> Option<&'static str> {
    if marker.alarms.iter().any(|alarm| !record.alarms.contains(alarm)) {
        Some(LATE_ALARM)
    } else if record.session.end_reason.is_none() {
        Some(NO_END_REASON)
    } else {
        None
    }
}

/// Whether GameLift Streams tells why a session ended: it may not have, when its files came, or have had too many calls.
async fn tells_end_reason(arming: &Arming<'_>, name: &SessionName) -> bool {
    let session = arming.streams.get(name).await.ok().flatten();
    session.is_some_and(|session| session.phase() == Phase::Ended && session.end_reason.is_some())
}
