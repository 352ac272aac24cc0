//! CloudWatch alarms (user guide, "Alarm events and EventBridge", "Invoke a Lambda function from an alarm").
//!
//! Three shapes, one inside: an alarm's change of state, that of one contributor of an alarm over many time series, and
//! what an alarm sends to a function that is its action. Read from raw JSON: the typed alarms of `aws_lambda_events` fail
//! on several real shapes.

use jiff::Timestamp;
use serde_json::Value;

use crate::error::Error;
use crate::metrics::NAMESPACE;
use crate::record::{AlarmNote, SessionFacts};
use crate::session::{Id, Session};

use super::Scope;

/// An alarm's name has at most so many characters (API reference, `PutMetricAlarm`).
const LONGEST_NAME: usize = 255;

/// An alarm that went to ALARM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// Its name, and when.
    pub note: AlarmNote,
    /// What its metrics' dimensions select: a session that any of them selects is affected. Without any, the alarm says
    /// nothing about which sessions are.
    pub selections: Vec<Selection>,
}

/// The dimensions of a metric that tell sessions apart (developer guide, "Monitoring with CloudWatch").
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// `StreamGroupId`
    pub stream_group: Option<String>,
    /// `Location`
    pub location: Option<String>,
    /// `ApplicationId`
    pub application: Option<String>,
}

impl Alarm {
    /// Whether the alarm's dimensions select a session.
    #[must_use]
    pub fn selects(&self, session: &Session) -> bool {
        self.selects_facts(&session.into())
    }

    /// The same for a session of which only the marker tells.
    #[must_use]
    pub fn selects_facts(&self, session: &SessionFacts) -> bool {
        self.selections.iter().any(|selection| selection.selects(session))
    }

    /// Whether the alarm's dimensions can select a session of this group.
    #[must_use]
    pub fn may_select(&self, group: &Id) -> bool {
        let is_it = |wanted: &Option<String>| wanted.as_deref().is_none_or(|wanted| wanted == group.as_str());
        self.selections.iter().any(|selection| is_it(&selection.stream_group))
    }
}

impl Selection {
    fn selects(&self, session: &SessionFacts) -> bool {
        let matches =
            |wanted: &Option<String>, found: Option<&str>| wanted.as_deref().is_none_or(|w| Some(w) == found);
        matches(&self.stream_group, Some(session.stream_group_id.as_str()))
            && matches(&self.location, session.location.as_deref())
            && matches(&self.application, session.application_id.as_ref().map(Id::as_str))
    }

    fn of_dimensions(dimensions: &Value) -> Option<Self> {
        let text = |name: &str| dimensions.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
        let selection = Self {
            stream_group: text("StreamGroupId"),
            location: text("Location"),
            application: text("ApplicationId"),
        };
        (selection != Self::default()).then_some(selection)
    }
}

/// What an alarm's change of state is about: something only if it went **to** ALARM. A contributor's change names no
/// state before it, as it is sent only when there is a change.
pub(super) fn scope(change: &Value, now: Timestamp) -> Result<Scope, Error> {
    let text = |path: &str| change.pointer(path).and_then(Value::as_str);
    let missing = |field: &str| Error::Event(format!("{field} is missing in what a CloudWatch alarm tells"));
    let name: String =
        text("/alarmName").ok_or_else(|| missing("alarmName"))?.chars().take(LONGEST_NAME).collect();
    let state = text("/state/value").ok_or_else(|| missing("state.value"))?;
    if text("/previousState/value") == Some("ALARM") {
        return Ok(Scope::Nothing(format!("the alarm {name} was in ALARM already")));
    }
    if state != "ALARM" {
        let state: String = state.chars().take(32).collect();
        return Ok(Scope::Nothing(format!("the alarm {name} did not go to ALARM, but to {state}")));
    }
    let metrics: Vec<&Value> =
        change.pointer("/configuration/metrics").and_then(Value::as_array).into_iter().flatten().collect();
    if metrics.iter().any(|metric| is_our_own(metric)) {
        return Ok(Scope::Nothing(format!("the alarm {name} is about Crash Capture itself")));
    }
    let of_metrics = metrics.iter().filter_map(|metric| metric.pointer("/metricStat/metric/dimensions"));
    let of_contributor = change.pointer("/alarmContributor/attributes");
    let selections =
        of_contributor.into_iter().chain(of_metrics).filter_map(Selection::of_dimensions).collect();
    let at = text("/state/timestamp").and_then(parse_time).unwrap_or(now);
    Ok(Scope::Alarm(Alarm { note: AlarmNote { name, at }, selections }))
}

/// Whether a metric, or a query (`SELECT … FROM "CrashCapture"`), is over our own metrics, whose alarms are not about games.
fn is_our_own(metric: &Value) -> bool {
    let text = |path: &str| metric.pointer(path).and_then(Value::as_str);
    let mut words = text("/expression").unwrap_or_default().split(|c: char| !c.is_ascii_alphanumeric());
    text("/metricStat/metric/namespace") == Some(NAMESPACE) || words.any(|word| word == NAMESPACE)
}

/// CloudWatch writes `2026-11-23T10:15:02.000+0000`.
fn parse_time(text: &str) -> Option<Timestamp> {
    Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", text).ok()
}
