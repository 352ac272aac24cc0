//! One export: from the announced object to its record and tags.

use std::time::Duration;

use serde::Serialize;

use crate::archive::ArchiveError;
use crate::error::Error;
use crate::layout::{self, ExportName};
use crate::record::{
    self, ExportObject, Marker, Problem, Record, ReportObject, SessionFacts, State, TRIAGE_VERSION, Verdict,
};
use crate::report::{FirstSeen, Story};
use crate::service::ServiceError;
use crate::session::{Phase, Session, SessionName};
use crate::store::{ExportReader, FirstSight, ReadError, RecordWrite};
use crate::triage::{self, Details, Findings};
use crate::verdict::{self, Ending};

use super::input::ObjectRef;
use super::{IndexExport, Invocation};

/// How often, a second apart, GameLift Streams is asked why a session ended whose files have arrived already.
const ASKED_FOR_END_REASON: u32 = 10;

/// What became of an announced object.
#[derive(Debug)]
pub enum Capture {
    /// It is indexed.
    Indexed(Box<Announced>),
    /// It is not, for this reason.
    Ignored(&'static str),
}

/// A record, and whether it is news.
#[derive(Debug, Serialize)]
pub struct Announced {
    /// The record that is in the index now.
    #[serde(flatten)]
    pub record: Record,
    /// `false` where another invocation has put it into the index, or what it says in the main had been said.
    pub announce: bool,
}

/// What is known of the session beside its files.
struct Known {
    marker: Option<Marker>,
    session: Option<Session>,
    /// Why GameLift Streams could not tell.
    refusal: Option<ServiceError>,
}

impl IndexExport {
    /// Indexes an export that is ours.
    pub(super) async fn capture(
        &self,
        object: &ObjectRef,
        name: &ExportName,
        invocation: &Invocation<'_>,
    ) -> Result<Capture, Error> {
        let reader =
            self.store.export_reader(&object.key, object.version_id.as_deref(), object.etag.as_deref());
        let examining = triage::examine(&reader, object.size, Some(invocation.reading_ends), &self.rules);
        let (examined, known) = tokio::join!(examining, self.learn(&name.session));
        let (examined, details) = match examined {
            Ok(mut findings) => {
                let details = std::mem::take(&mut findings.details);
                (Ok(findings), details)
            }
            Err(ArchiveError::Source(ReadError::Gone)) => return Ok(Capture::Ignored("gone")),
            Err(ArchiveError::Source(ReadError::Service(error))) => return Err(error.into()),
            Err(error @ (ArchiveError::CutOff | ArchiveError::OutOfTime)) => {
                return Err(Error::Interrupted { key: object.key.clone(), detail: error.to_string() });
            }
            Err(error @ (ArchiveError::NotAZip(_) | ArchiveError::DirectoryTooLong { .. })) => {
                (Err(error.to_string()), Details::default())
            }
        };
        let known = known?;
        let lasted = ending(&known).1.lasted;
        let mut record = judged(examined, known, name);
        record.indexed_by = Some(invocation.request_id.to_owned());
        record.export = Some(self.export_object(object, &reader, record.judgement.verdict.as_ref()));
        let first_sight = Box::pin(self.recognize(&mut record)).await?.map(first_seen);
        let (date, application) = (record_date(&record, name), record.session.application());
        record.report = Some(ReportObject { key: layout::report_key(date, &application, &name.session) });
        let key = layout::record_key(date, &application, &name.session);
        let export = record.export.clone();
        // The details are those of this object, as this version reads it: of another record's they may not be.
        let page = |record: &Record| {
            let is_of_it = record.judgement.triage_version == Some(TRIAGE_VERSION) && record.export == export;
            let first_sight = first_sight.as_ref();
            let story = Story { record, details: &details, first_sight, lasted, bucket: self.store.bucket() };
            is_of_it.then(|| story.page())
        };
        let announced = match self.store.settle(&key, &record, page).await? {
            // It may only say more of what was told already.
            RecordWrite::Written(before) => {
                let is_news = before.is_none_or(|before| !record.is_same_news(&before));
                Announced { record, announce: is_news }
            }
            // An earlier attempt of this very invocation may have been killed before it could answer.
            RecordWrite::Kept(record) => {
                let announce = record.indexed_by.as_deref() == Some(invocation.request_id);
                Announced { record: *record, announce }
            }
        };
        let confirmed = self.store.confirm_report(&key, &announced.record, page);
        let (confirmed, tagged) = tokio::join!(confirmed, self.tag(&announced.record));
        confirmed.and(tagged)?;
        tracing::info!(
            session = %name.session,
            verdict = announced.record.judgement.verdict.as_ref().map(ToString::to_string),
            announce = announced.announce,
            requests = reader.requests(),
            bytes = reader.bytes(),
            "indexed"
        );
        Ok(Capture::Indexed(Box::new(announced)))
    }

    /// What the marker and GameLift Streams tell of a session. Its files arrive when it ends, and then the service may not
    /// have written down yet that it did, or why: it is asked again for a while.
    async fn learn(&self, name: &SessionName) -> Result<Known, Error> {
        let marker = self.store.marker(name).await?.map(|stored| stored.value);
        let mut answer = self.streams.get(name).await;
        for _ in 0..ASKED_FOR_END_REASON {
            match &answer {
                Ok(Some(session)) if session.phase() != Phase::Ended || session.end_reason.is_none() => {}
                _ => break,
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
            answer = self.streams.get(name).await;
        }
        Ok(match answer {
            Ok(session) => Known { marker, session, refusal: None },
            Err(error) => Known { marker, session: None, refusal: Some(error) },
        })
    }

    /// Whether a crash was seen before, and what people decided about it. Before the record, which tells of it: whoever is
    /// killed in between finds its own name there. Gives the first sight of it.
    async fn recognize(&self, record: &mut Record) -> Result<Option<FirstSight>, Error> {
        let Some(sight) = FirstSight::of(record) else { return Ok(None) };
        let FirstSight { application_id, version, signature, .. } = &sight;
        let (first, resolution) = tokio::try_join!(
            self.store.see(sight.clone()),
            self.store.resolution(application_id, *version, signature)
        )?;
        let back = match resolution.as_ref().and_then(|resolution| resolution.regressed(record)) {
            Some(resolved) => Some(self.store.see_again(sight, resolved).await?),
            None => None,
        };
        if let Some(signature) = &mut record.judgement.signature {
            signature.first_seen = Some(first.is_of(&record.session));
            signature.regressed = back.as_ref().map(|_| true);
            signature.first_regressed = back.map(|back| back.is_of(&record.session));
            signature.muted = resolution.and_then(|resolution| resolution.muted_at).map(|_| true);
        }
        Ok(Some(first))
    }

    fn export_object(
        &self,
        object: &ObjectRef,
        reader: &ExportReader,
        verdict: Option<&Verdict>,
    ) -> ExportObject {
        let kept = self.retention.zip(verdict).zip(reader.written_at());
        ExportObject {
            bucket: self.store.bucket().to_owned(),
            key: object.key.clone(),
            version_id: object.version_id.clone(),
            etag: reader.etag(),
            size: reader.size().or(object.size),
            expires_on: kept.map(|((retention, verdict), at)| retention.expires_on(verdict, at)),
        }
    }

    /// Tags the export that a record was made from.
    async fn tag(&self, record: &Record) -> Result<(), Error> {
        let Some(export) = &record.export else { return Ok(()) };
        let left_out = self.store.merge_tags(export, record).await?;
        if !left_out.is_empty() {
            tracing::warn!(key = export.key, ?left_out, "the export has ten tags already");
        }
        Ok(())
    }
}

fn first_seen(sight: FirstSight) -> FirstSeen {
    FirstSeen { session: sight.stream_session_id, at: sight.at, build: sight.build }
}

/// The record that findings and knowledge make.
fn judged(examined: Result<Findings, String>, known: Known, name: &ExportName) -> Record {
    let facts = facts(&known, name);
    let (mut problems, ending) = ending(&known);
    if facts.created_at.is_none() {
        let detail = "nobody told when the session was created: the record is dated by the export's key";
        problems.push(Problem::new("date-from-key", detail));
    }
    let mut record = Record::new(State::Indexed, facts);
    if let Some(marker) = known.marker {
        record.trigger = Some(marker.trigger);
        record.alarms = marker.alarms;
        record.armed_at = marker.armed_at;
    }
    record.judgement = match examined {
        Ok(findings) => verdict::judge(findings, &ending, &record.alarms),
        Err(why) => verdict::unreadable(&why),
    };
    record.judgement.problems.extend(problems);
    record.indexed_at = Some(record::now());
    record
}

/// The session's facts: as the service tells them now, else as the marker has them, else as the key does.
fn facts(known: &Known, name: &ExportName) -> SessionFacts {
    let marker = known.marker.as_ref().map(|marker| &marker.session);
    let mut facts = match (&known.session, marker) {
        (Some(session), Some(marker)) => SessionFacts::from(session).or(marker),
        (Some(session), None) => session.into(),
        (None, Some(marker)) => marker.clone(),
        (None, None) => SessionFacts::of_name(&name.session),
    };
    facts.created_at = marker.and_then(|marker| marker.created_at).or(facts.created_at);
    facts.application_id = facts.application_id.or_else(|| Some(name.application.clone()));
    facts
}

/// How the session ended, and what was in the way of learning that.
fn ending(known: &Known) -> (Vec<Problem>, Ending) {
    let unknown = |detail: String| (vec![Problem::new("end-reason-unknown", detail)], Ending::default());
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

fn record_date(record: &Record, name: &ExportName) -> jiff::civil::Date {
    record.session.created_at.map_or(name.date, layout::utc_date)
}
