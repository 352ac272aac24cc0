//! Which captures are meant.

use std::ops::RangeInclusive;

use clap::builder::PossibleValuesParser;
use crash_capture::layout::{self, RecordName};
use crash_capture::record::Marker;
use crash_capture::session::{Id, ResourceType};
use crash_capture::user;
use jiff::Timestamp;
use jiff::civil::Date;

use super::{Recorded, Summary, when};

/// Which captures are meant: those that meet all of it.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Which captures")]
pub(crate) struct Filter {
    /// Of this application: its id or ARN
    #[arg(long, value_name = "ID", value_parser = application)]
    application: Option<Id>,
    /// Of this stream group: its id or ARN
    #[arg(long, value_name = "ID", value_parser = stream_group)]
    group: Option<Id>,
    /// Of one of these verdicts
    #[arg(long, value_name = "VERDICT", value_delimiter = ',', value_parser = PossibleValuesParser::new(VERDICTS))]
    verdict: Vec<String>,
    /// Of one of these states
    #[arg(long, value_name = "STATE", value_delimiter = ',', value_parser = PossibleValuesParser::new(STATES))]
    state: Vec<String>,
    /// Of this signature: its id, or the beginning of it
    #[arg(long, value_name = "ID")]
    signature: Option<String>,
    /// Of this build: what the game calls it, or its build id
    #[arg(long, value_name = "BUILD")]
    build: Option<String>,
    /// Of this user, as your backend calls them; if the deployment keeps users
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// Created then or later: a day in UTC, a time (2026-11-23T10:15:00Z), or how long ago (2h, 7d)
    #[arg(long, value_name = "WHEN", value_parser = when::beginning)]
    since: Option<Timestamp>,
    /// Created before then; of a day, all is meant
    #[arg(long, value_name = "WHEN", value_parser = when::end)]
    until: Option<Timestamp>,
}

const VERDICTS: [&str; 5] = ["crash", "suspect", "exited", "clean", "unreadable"];
const STATES: [&str; 3] = ["indexed", "missed", "failed"];

impl Filter {
    /// All captures, or all of a stream group.
    pub(super) fn of_group(group: Option<Id>) -> Self {
        Self { group, ..Self::default() }
    }

    /// The captures of a signature in the last 30 days.
    pub(crate) fn of_signature(application: Id, signature: &str) -> Result<Self, String> {
        let (since, signature) = (Some(when::beginning("30d")?), Some(signature.to_owned()));
        Ok(Self { application: Some(application), signature, since, ..Self::default() })
    }

    /// The days that records can be of.
    pub(super) fn days(&self) -> RangeInclusive<Date> {
        self.since.map_or(Date::MIN, layout::utc_date)..=self.until.map_or(Date::MAX, layout::utc_date)
    }

    pub(super) fn group(&self) -> Option<&Id> {
        self.group.as_ref()
    }

    /// What the keys of a day's records begin with.
    pub(super) fn record_prefix(&self, day: Date) -> String {
        let day = layout::records_of(day);
        match (&self.application, &self.group) {
            (None, _) => day,
            (Some(application), None) => format!("{day}{application}/"),
            (Some(application), Some(group)) => format!("{day}{application}/{group}/"),
        }
    }

    /// Whether a record need be read, as far as its key tells.
    pub(super) fn may_take(&self, name: &RecordName) -> bool {
        self.application.as_ref().is_none_or(|application| *application == name.application)
            && self.group.as_ref().is_none_or(|group| *group == name.session.stream_group)
    }

    /// Whether it takes a record.
    pub(crate) fn takes(&self, record: &Recorded) -> bool {
        let Recorded { name, summary, .. } = record;
        let created = summary.session.created_at.or_else(|| when::start_of(name.date).ok());
        self.may_take(name) && self.takes_time(created) && self.takes_summary(summary)
    }

    fn takes_summary(&self, summary: &Summary) -> bool {
        let one_of = |words: &[String], word: Option<&str>| {
            words.is_empty() || word.is_some_and(|word| words.iter().any(|it| it == word))
        };
        let signature = summary.signature.as_ref().map_or("", |signature| &signature.id);
        let build = summary.build.as_ref();
        let builds = build.map_or([None, None], |build| [build.version.as_deref(), build.id.as_deref()]);
        one_of(&self.verdict, summary.verdict.as_deref())
            && one_of(&self.state, Some(&summary.state))
            && self.signature.as_ref().is_none_or(|wanted| signature.starts_with(wanted.as_str()))
            && self.build.as_ref().is_none_or(|wanted| builds.contains(&Some(wanted)))
            && self.takes_user(summary.session.user_id.as_deref())
    }

    /// Users are kept as they are, or hashed, as the deployment is set up.
    fn takes_user(&self, kept: Option<&str>) -> bool {
        let Some(wanted) = &self.user else { return true };
        kept.is_some_and(|kept| kept == wanted || kept == user::hashed(wanted))
    }

    /// Whether it takes a session that is not settled, of which less is known.
    pub(super) fn takes_open(&self, marker: &Marker) -> bool {
        let session = &marker.session;
        let application = session.application_id.as_ref();
        self.application.as_ref().is_none_or(|wanted| application == Some(wanted))
            && self.group.as_ref().is_none_or(|wanted| session.stream_group_id == *wanted)
            && self.takes_time(session.created_at)
    }

    fn takes_time(&self, created: Option<Timestamp>) -> bool {
        self.since.is_none_or(|since| created.is_some_and(|created| created >= since))
            && self.until.is_none_or(|until| created.is_some_and(|created| created < until))
    }
}

fn application(text: &str) -> Result<Id, String> {
    Id::from_id_or_arn(text, ResourceType::Application).map_err(|error| error.to_string())
}

fn stream_group(text: &str) -> Result<Id, String> {
    Id::from_id_or_arn(text, ResourceType::StreamGroup).map_err(|error| error.to_string())
}
