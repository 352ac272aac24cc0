//! CloudWatch alarms (user guide, "Alarm events and EventBridge").
//!
//! Read from raw JSON: the typed alarms of `aws_lambda_events` fail on several real shapes.

use jiff::Timestamp;
use serde_json::Value;

use crate::error::Error;
use crate::record::AlarmNote;
use crate::session::Session;

use super::Scope;

/// The namespace of our own metrics. Their alarms are not about games.
const OWN_NAMESPACE: &str = "CrashCapture";

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
        self.selections.iter().any(|selection| selection.selects(session))
    }
}

impl Selection {
    fn selects(&self, session: &Session) -> bool {
        let matches =
            |wanted: &Option<String>, found: Option<&str>| wanted.as_deref().is_none_or(|w| Some(w) == found);
        matches(&self.stream_group, Some(session.name.stream_group.as_str()))
            && matches(&self.location, session.location.as_deref())
            && matches(&self.application, session.application.as_ref().map(crate::session::Id::as_str))
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

/// What an alarm's change of state is about: something only if it went **to** ALARM.
pub(super) fn scope(detail: &Value) -> Result<Scope, Error> {
    let text = |path: &str| detail.pointer(path).and_then(Value::as_str);
    let name = text("/alarmName")
        .ok_or_else(|| Error::Event("alarmName is missing in a CloudWatch Alarm State Change".to_owned()))?;
    let state = text("/state/value").ok_or_else(|| {
        Error::Event("state.value is missing in a CloudWatch Alarm State Change".to_owned())
    })?;
    if state != "ALARM" || text("/previousState/value") == Some("ALARM") {
        return Ok(Scope::Nothing(format!("the alarm {name} did not go to ALARM, but to {state}")));
    }
    let metrics: Vec<&Value> = detail
        .pointer("/configuration/metrics")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|metric| metric.pointer("/metricStat/metric"))
        .collect();
    if metrics.iter().any(|metric| metric.get("namespace").and_then(Value::as_str) == Some(OWN_NAMESPACE)) {
        return Ok(Scope::Nothing(format!("the alarm {name} is about Crash Capture itself")));
    }
    let selections =
        metrics.iter().filter_map(|metric| Selection::of_dimensions(metric.get("dimensions")?)).collect();
    let at = text("/state/timestamp").and_then(parse_time).unwrap_or_else(Timestamp::now);
    Ok(Scope::Alarm(Alarm { note: AlarmNote { name: name.to_owned(), at }, selections }))
}

/// CloudWatch writes `2026-11-23T10:15:02.000+0000`.
fn parse_time(text: &str) -> Option<Timestamp> {
    Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", text).ok()
}
