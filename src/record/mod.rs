//! What is kept of a session: the marker while it is open, the record once it is settled.
//!
//! Both are one JSON object on one line, camelCase. Every field of a record but `schema`, `state`, `session.id` and
//! `session.streamGroupId` may be absent, and enums are open: a reader accepts values that it does not know.

mod facts;
mod marker;
mod parts;

pub use facts::SessionFacts;
pub use marker::{AlarmNote, Marker, OVERDUE, Settling, TriggerNote};
pub use parts::{
    Build, Evidence, Exception, ExportObject, Files, LastMinute, Performance, ReportObject, Roots, Signature,
};

use std::cmp::Ordering;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The version of the record's shape.
pub const SCHEMA: u32 = 1;

/// The version of what triage can tell. A record is replaced only by the same or a newer one.
pub const TRIAGE_VERSION: u32 = 1;

/// The time, to the millisecond: as exact as anything that is kept.
#[must_use]
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}

/// Whether a session's files are indexed, or why there are none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Its export arrived and was read, as far as it could be.
    Indexed,
    /// It ended before its export was requested.
    Missed,
    /// Its export was requested and never came.
    Failed,
    /// A state of a later version.
    #[serde(untagged)]
    Other(String),
}

/// What happened to a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The files hold evidence of a crash.
    Crash,
    /// No evidence, but a sign of trouble.
    Suspect,
    /// The application exited, and nothing tells a crash from a quit.
    Exited,
    /// A clean-exit mark, or ended by a player, a timeout or an API call.
    Clean,
    /// The zip could not be read.
    Unreadable,
    /// A verdict of a later version.
    #[serde(untagged)]
    Other(String),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Crash => "crash",
            Self::Suspect => "suspect",
            Self::Exited => "exited",
            Self::Clean => "clean",
            Self::Unreadable => "unreadable",
            Self::Other(word) => word,
        })
    }
}

/// Why a verdict or a state is what it is: a stable code, and a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Stable, kebab-case.
    pub code: String,
    /// For people.
    pub detail: String,
}

impl Reason {
    /// A reason.
    #[must_use]
    pub fn new(code: &str, detail: impl Into<String>) -> Self {
        Self { code: code.to_owned(), detail: detail.into() }
    }
}

/// Something that was in the way, or a limit that was hit: noted, never fatal.
pub type Problem = Reason;

/// What was made of a session: of its files, of how it ended, and of alarms.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Judgement {
    /// What happened; of an indexed session only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// Why the verdict, or the state, is what it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// [`TRIAGE_VERSION`] of the code that judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub triage_version: Option<u32>,
    /// What makes it the same as other crashes; of a crash only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
    /// Where and how it crashed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<Exception>,
    /// Which build it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<Build>,
    /// The files that bear on the verdict.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
    /// What the zip holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<Files>,
    /// How the session fared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub performance: Option<Performance>,
    /// What was in the way, and limits that were hit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
}

/// `index/…json`: a session that is settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// [`SCHEMA`]
    pub schema: u32,
    /// Whether its files are indexed.
    pub state: State,
    /// What was made of it.
    #[serde(flatten)]
    pub judgement: Judgement,
    /// The session.
    pub session: SessionFacts,
    /// What made us arm it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<TriggerNote>,
    /// Alarms that selected it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alarms: Vec<AlarmNote>,
    /// When its export was requested by us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub armed_at: Option<Timestamp>,
    /// When the export was indexed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub indexed_at: Option<Timestamp>,
    /// The request id of the invocation that indexed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub indexed_by: Option<String>,
    /// The zip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub export: Option<ExportObject>,
    /// The page for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<ReportObject>,
}

impl Record {
    /// A record of which only state and session are known.
    #[must_use]
    pub fn new(state: State, session: SessionFacts) -> Self {
        Self {
            schema: SCHEMA,
            state,
            judgement: Judgement::default(),
            session,
            trigger: None,
            alarms: Vec::new(),
            armed_at: None,
            indexed_at: None,
            indexed_by: None,
            export: None,
            report: None,
        }
    }

    /// A record of a session that was not captured. One that was missed was never armed, whatever its marker set out to do.
    #[must_use]
    pub fn not_captured(
        state: State,
        reason: Reason,
        session: SessionFacts,
        marker: Option<&Marker>,
    ) -> Self {
        let armed_at = marker.filter(|_| state == State::Failed).and_then(|marker| marker.armed_at);
        Self {
            judgement: Judgement { reason: Some(reason), ..Judgement::default() },
            trigger: marker.map(|marker| marker.trigger.clone()),
            alarms: marker.map(|marker| marker.alarms.clone()).unwrap_or_default(),
            armed_at,
            ..Self::new(state, session)
        }
    }

    /// Whether this record may take the other's place: a write never lowers the rank (`missed`, `failed` < `indexed`),
    /// and `indexed` is replaced only by a newer triage version, or by the same one that knows no less.
    #[must_use]
    pub fn may_replace(&self, other: &Self) -> bool {
        match (&self.state, &other.state) {
            (State::Indexed, State::Indexed) => {
                match self.judgement.triage_version.cmp(&other.judgement.triage_version) {
                    Ordering::Greater => true,
                    Ordering::Equal => !self.knows_less_than(other),
                    Ordering::Less => false,
                }
            }
            (State::Missed | State::Failed, State::Indexed) | (_, State::Other(_)) => false,
            _ => true,
        }
    }

    /// Whether the other record, of the same object, has heard of an alarm or of an end's reason of which this one has not:
    /// who was slower in writing may have been earlier in asking.
    fn knows_less_than(&self, other: &Self) -> bool {
        let object = |record: &Self| record.export.as_ref().map(|it| (it.key.clone(), it.etag.clone()));
        let (own, others) = (&self.session.end_reason, &other.session.end_reason);
        object(self) == object(other)
            && ((own.is_none() && others.is_some())
                || other.alarms.iter().any(|alarm| !self.alarms.contains(alarm)))
    }

    /// Whether the other record told the same news: that the same object is a capture of the same verdict and signature,
    /// which had come back or not.
    #[must_use]
    pub fn is_same_news(&self, other: &Self) -> bool {
        let object = |record: &Self| record.export.as_ref().map(|it| (it.key.clone(), it.etag.clone()));
        let signature = |record: &Self| {
            record.judgement.signature.as_ref().map(|it| (it.id.clone(), it.first_regressed == Some(true)))
        };
        let news = |record: &Self| (record.judgement.verdict.clone(), signature(record), object(record));
        self.state == other.state && news(self) == news(other)
    }

    /// How much a record, and what was made of it beside, outranks others: nothing of a lower rank may take its place.
    #[must_use]
    pub fn rank(&self) -> u32 {
        match self.state {
            State::Missed | State::Failed => 0,
            State::Indexed => self.judgement.triage_version.unwrap_or(0).saturating_add(1),
            State::Other(_) => u32::MAX,
        }
    }

    /// Whether the other record says the same; when and by whom it was indexed aside.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        self.timeless() == other.timeless()
    }

    /// What it says, without when and by whom it was indexed.
    #[must_use]
    pub fn timeless(&self) -> Self {
        Self { indexed_at: None, indexed_by: None, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{Id, SessionName};

    fn record(state: State, triage_version: Option<u32>) -> Record {
        let id = |text: &str| Id::try_from(text.to_owned()).unwrap();
        let name = SessionName { stream_group: id("sg-1"), id: id("abc") };
        let judgement = Judgement { triage_version, ..Judgement::default() };
        Record { judgement, ..Record::new(state, SessionFacts::of_name(&name)) }
    }

    #[test]
    fn a_write_never_lowers_the_rank() {
        let (missed, failed) = (record(State::Missed, None), record(State::Failed, None));
        let (old, new) = (record(State::Indexed, Some(1)), record(State::Indexed, Some(2)));
        assert!(old.may_replace(&missed) && old.may_replace(&failed));
        assert!(missed.may_replace(&failed) && failed.may_replace(&missed));
        assert!(!missed.may_replace(&old) && !failed.may_replace(&old));
        assert!(new.may_replace(&old) && new.may_replace(&new));
        assert!(!old.may_replace(&new));
    }

    #[test]
    fn a_record_that_knows_less_of_the_same_object_does_not_replace_one_that_knows_more() {
        let ignorant = record(State::Indexed, Some(1));
        let mut told = ignorant.clone();
        told.session.end_reason = Some("applicationExit".to_owned());
        let mut alarmed = ignorant.clone();
        alarmed.alarms.push(AlarmNote { name: "a".to_owned(), at: Timestamp::UNIX_EPOCH });
        for better in [&told, &alarmed] {
            assert!(better.may_replace(&ignorant) && !ignorant.may_replace(better));
            assert!(record(State::Indexed, Some(2)).may_replace(better), "a newer version knows better");
        }
        let export = ExportObject {
            bucket: "b".to_owned(),
            key: "k".to_owned(),
            version_id: None,
            etag: Some("another".to_owned()),
            size: None,
            expires_on: None,
        };
        let another = Record { export: Some(export), ..ignorant };
        assert!(another.may_replace(&told), "another object is another story");
    }

    #[test]
    fn an_export_that_is_judged_again_is_news_only_with_another_verdict_or_signature() {
        let crash = |signature: Option<&str>, triage_version| {
            let mut record = record(State::Indexed, Some(triage_version));
            record.judgement.verdict = Some(Verdict::Crash);
            record.judgement.signature = signature.map(|id| {
                let text = |text: &str| text.to_owned();
                Signature {
                    version: 1,
                    id: text(id),
                    title: "title".into(),
                    fingerprint: text("c0"),
                    confidence: text("high"),
                    first_seen: Some(true),
                    regressed: None,
                    first_regressed: None,
                    muted: None,
                }
            });
            record
        };
        assert!(crash(Some("9f"), 2).is_same_news(&crash(Some("9f"), 1)));
        assert!(!crash(Some("9f"), 2).is_same_news(&crash(Some("c0"), 1)));
        assert!(!crash(None, 2).is_same_news(&record(State::Indexed, Some(1))));
        assert!(!crash(None, 1).is_same_news(&record(State::Missed, None)));
        let mut back = crash(Some("9f"), 1);
        back.judgement.signature.as_mut().unwrap().first_regressed = Some(true);
        assert!(!back.is_same_news(&crash(Some("9f"), 1)));
    }

    #[test]
    fn rank_is_what_may_replace_goes_by() {
        let records = [
            record(State::Missed, None),
            record(State::Failed, None),
            record(State::Indexed, None),
            record(State::Indexed, Some(1)),
            record(State::Indexed, Some(2)),
            record(State::Other("archived".to_owned()), None),
        ];
        for (one, other) in records.iter().flat_map(|one| records.iter().map(move |other| (one, other))) {
            if !matches!(other.state, State::Other(_)) && !matches!(one.state, State::Other(_)) {
                assert_eq!(one.may_replace(other), one.rank() >= other.rank(), "{one:?} {other:?}");
            }
        }
        assert!(records.last().unwrap().rank() > records[4].rank());
    }

    #[test]
    fn a_record_of_a_later_version_is_read_and_left_alone() {
        let text = r#"{"schema":9,"state":"archived","verdict":"mystery","session":{"id":"a","streamGroupId":"sg-1","new":1}}"#;
        let later: Record = serde_json::from_str(text).unwrap();
        assert_eq!(later.state, State::Other("archived".into()));
        assert_eq!(later.judgement.verdict, Some(Verdict::Other("mystery".into())));
        assert!(!record(State::Indexed, Some(1)).may_replace(&later));
    }

    #[test]
    fn nothing_but_what_is_known_is_written() {
        let json = serde_json::to_string(&record(State::Missed, None)).unwrap();
        assert_eq!(json, r#"{"schema":1,"state":"missed","session":{"id":"abc","streamGroupId":"sg-1"}}"#);
    }
}
