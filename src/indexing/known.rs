//! What is known of a session beside its files: by its marker, by GameLift Streams, by the record that it has already.

use std::time::Duration;

use jiff::SignedDuration;
use jiff::civil::Date;

use crate::error::Error;
use crate::layout::{self, ExportName};
use crate::record::{self, Marker, Problem, Record, SessionFacts, State};
use crate::service::ServiceError;
use crate::session::{Phase, Session, SessionName};
use crate::triage::Findings;
use crate::verdict::{self, EARLY_EXIT, Ending};

use super::IndexExport;

/// How often, a second apart, GameLift Streams is asked why a session ended whose files have arrived already.
const ASKED_FOR_END_REASON: u32 = 10;

/// What is known of the session beside its files.
pub(super) struct Known {
    marker: Option<Marker>,
    session: Option<Session>,
    /// Why GameLift Streams could not tell.
    refusal: Option<ServiceError>,
    /// Its record, where marker or service do not tell any more what they told when it was written.
    present: Option<Record>,
}

impl IndexExport {
    /// What the marker and GameLift Streams tell of a session; else what its record remembers.
    pub(super) async fn learn(&self, name: &ExportName) -> Result<Known, Error> {
        let asked = async { Ok(self.ask(&name.session).await) };
        let (marker, asked) = tokio::try_join!(self.store.marker(&name.session), asked)?;
        let (session, refusal) = match asked {
            Ok(session) => (session, None),
            Err(error) => (None, Some(error)),
        };
        let mut known = Known { marker: marker.map(|stored| stored.value), session, refusal, present: None };
        if known.marker.is_none() || known.session.is_none() {
            known.present = self.remembered(&facts(&known, name), name).await?;
        }
        Ok(known)
    }

    /// The record that a session has already. Which instant the service dates a name by that it makes up is not documented: if
    /// that is the session's end, and nobody tells of its creation any more, the record may lie under the day before.
    async fn remembered(&self, facts: &SessionFacts, name: &ExportName) -> Result<Option<Record>, Error> {
        let mut stored = self.store.record_at(&record_key(facts, name)).await?;
        if stored.is_none()
            && facts.created_at.is_none()
            && !name.ours
            && let Ok(date) = name.date.yesterday()
        {
            stored = self.store.record_at(&record_key(facts, &ExportName { date, ..name.clone() })).await?;
        }
        Ok(stored.map(|stored| stored.value))
    }

    /// What GameLift Streams tells. A session's files arrive when it ends, and then the service may not have written down yet
    /// that it did, or why: it is asked again for a while.
    async fn ask(&self, name: &SessionName) -> Result<Option<Session>, ServiceError> {
        let mut answer = self.streams.get(name).await;
        for _ in 0..ASKED_FOR_END_REASON {
            match &answer {
                Ok(Some(session)) if session.phase() != Phase::Ended || session.end_reason.is_none() => {}
                _ => break,
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
            answer = self.streams.get(name).await;
        }
        answer
    }
}

impl Known {
    /// From the session's creation to its end.
    pub(super) fn lasted(&self) -> Option<SignedDuration> {
        ending(self).1.lasted
    }
}

/// The record that findings and knowledge make.
pub(super) fn judged(examined: Result<Findings, String>, known: Known, name: &ExportName) -> Record {
    let facts = facts(&known, name);
    let (mut problems, ending) = ending(&known);
    if facts.created_at.is_none() {
        let detail = "nobody told when the session was created: the record is dated by the export's key";
        problems.push(Problem::new("date-from-key", detail));
    }
    let mut record = Record::new(State::Indexed, facts);
    match (known.marker, known.present) {
        (Some(marker), _) => {
            record.trigger = Some(marker.trigger);
            record.alarms = marker.alarms;
            record.armed_at = marker.armed_at;
        }
        (None, Some(present)) => {
            record.trigger = present.trigger;
            record.alarms = present.alarms;
            record.armed_at = present.armed_at;
        }
        (None, None) => {}
    }
    record.judgement = match examined {
        Ok(findings) => verdict::judge(findings, &ending, &record.alarms),
        Err(why) => verdict::unreadable(&why),
    };
    record.judgement.problems.extend(problems);
    record.indexed_at = Some(record::now());
    record
}

/// The key of the record of a session with an export of this name.
pub(super) fn record_key(facts: &SessionFacts, name: &ExportName) -> String {
    layout::record_key(date(facts, name), &facts.application(), &name.session)
}

/// The key of its report.
pub(super) fn report_key(facts: &SessionFacts, name: &ExportName) -> String {
    layout::report_key(date(facts, name), &facts.application(), &name.session)
}

fn date(facts: &SessionFacts, name: &ExportName) -> Date {
    facts.created_at.map_or(name.date, layout::utc_date)
}

/// The session's facts: as the service tells them now, else as the marker has them, or the present record, else as the key does.
fn facts(known: &Known, name: &ExportName) -> SessionFacts {
    let marker = known.marker.as_ref().map(|marker| &marker.session);
    let present = known.present.as_ref().map(|present| &present.session);
    let mut facts = match (&known.session, present.or(marker)) {
        (Some(session), Some(noted)) => SessionFacts::from(session).or(noted),
        (Some(session), None) => session.into(),
        (None, Some(noted)) => noted.clone(),
        (None, None) => SessionFacts::of_name(&name.session),
    };
    let mut noted = [marker, present].into_iter().flatten();
    facts.created_at = noted.find_map(|noted| noted.created_at).or(facts.created_at);
    facts.application_id = facts.application_id.or_else(|| Some(name.application.clone()));
    facts.end_reason = facts.end_reason.or_else(|| present.and_then(|present| present.end_reason.clone()));
    facts
}

/// How the session ended, and what was in the way of learning that.
fn ending(known: &Known) -> (Vec<Problem>, Ending) {
    let unknown = |detail: String| match known.present.as_ref().and_then(remembered) {
        Some(ending) => (Vec::new(), ending),
        None => (vec![Problem::new("end-reason-unknown", detail)], Ending::default()),
    };
    match (&known.session, &known.refusal) {
        (Some(session), _) if session.phase() == Phase::Ended => {
            let lasted = session.created_at.zip(session.updated_at).map(|(from, to)| to.duration_since(from));
            match &session.end_reason {
                Some(reason) => (Vec::new(), Ending { reason: Some(reason.clone()), lasted }),
                None => unknown(format!("the session is {}, without a reason", session.status)),
            }
        }
        (Some(session), _) => unknown(format!("the session is still {}", session.status)),
        (None, Some(error)) => unknown(error.to_string()),
        (None, None) => unknown("GameLift Streams knows no such session".to_owned()),
    }
}

/// The ending that a record tells of. It does not tell how long the session lasted: an early exit would become another one.
fn remembered(record: &Record) -> Option<Ending> {
    let code = record.judgement.reason.as_ref().map(|reason| reason.code.as_str());
    let reason = record.session.end_reason.clone().filter(|_| code != Some(EARLY_EXIT))?;
    (record.state == State::Indexed).then_some(Ending { reason: Some(reason), lasted: None })
}
