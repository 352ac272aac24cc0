//! What an event asks `start-export` to do.

mod alarm;
mod cloudtrail;

pub use alarm::{Alarm, Selection};

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use jiff::Timestamp;
use serde_json::Value;

use crate::error::Error;
use crate::record::TriggerNote;
use crate::session::SessionName;

/// What to do, and what made us do it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// What made us look.
    pub note: TriggerNote,
    /// What to look at.
    pub scope: Scope,
}

/// Which sessions an event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// The configured groups, and every marker.
    Sweep,
    /// One session, whichever its group.
    Session(SessionName),
    /// One session, if its group is configured.
    SessionInScope(SessionName),
    /// The live sessions that an alarm selects.
    Alarm(Alarm),
    /// None, and why.
    Nothing(String),
}

impl Trigger {
    /// Reads an event: one of EventBridge's, an alarm's own action, or a direct invocation with the detail of the project's
    /// own event.
    pub fn parse(event: &Value, now: Timestamp) -> Result<Self, Error> {
        let (kind, scope) = if event.get("detail-type").is_some() {
            let event = EventBridgeEvent::<Value>::deserialize_from(event)?;
            from_eventbridge(&event, now)?
        } else if let Some(change) = event.get("alarmData") {
            ("alarm", alarm::scope(change, now)?)
        } else if event.get("streamSessionArn").is_some() || event.get("streamSessionId").is_some() {
            ("session-event", Scope::Session(own_session(event)?))
        } else {
            return Err(unknown_shape(event));
        };
        Ok(Self { note: TriggerNote { kind: kind.to_owned(), at: now }, scope })
    }
}

/// Deserialises a borrowed event, with an error that names what was wrong.
trait DeserializeFrom: Sized {
    fn deserialize_from(event: &Value) -> Result<Self, Error>;
}

impl DeserializeFrom for EventBridgeEvent<Value> {
    fn deserialize_from(event: &Value) -> Result<Self, Error> {
        serde::Deserialize::deserialize(event).map_err(|error| {
            Error::Event(format!("not an event of EventBridge, although it has a detail-type: {error}"))
        })
    }
}

fn from_eventbridge(event: &EventBridgeEvent<Value>, now: Timestamp) -> Result<(&'static str, Scope), Error> {
    let is_aws = event.source.starts_with("aws.");
    match event.detail_type.as_str() {
        "Scheduled Event" if event.source == "aws.events" => Ok(("sweep", Scope::Sweep)),
        "Stream Session State Change" if !is_aws => {
            Ok(("session-event", Scope::Session(own_session(&event.detail)?)))
        }
        "AWS API Call via CloudTrail" => Ok(("cloudtrail", cloudtrail::scope(&event.detail)?)),
        "CloudWatch Alarm State Change" | "CloudWatch Alarm Contributor State Change"
            if event.source == "aws.cloudwatch" =>
        {
            Ok(("alarm", alarm::scope(&event.detail, now)?))
        }
        other => Err(Error::Event(format!(
            "an event {:?} of source {:?} is none that start-export knows: {KNOWN}",
            excerpt(other),
            excerpt(&event.source)
        ))),
    }
}

/// The session of the project's own event: `streamSessionArn`, or `streamGroupId` and `streamSessionId`.
fn own_session(detail: &Value) -> Result<SessionName, Error> {
    let text = |name: &str| detail.get(name).and_then(Value::as_str);
    if let Some(arn) = text("streamSessionArn") {
        return SessionName::from_arn(arn)
            .map_err(|error| Error::Event(format!("streamSessionArn: {error}")));
    }
    let id = |name: &str| {
        let text = text(name).ok_or_else(|| Error::Event(format!("{name} is missing: {OWN}")))?;
        text.to_owned().try_into().map_err(|error| Error::Event(format!("{name}: {error}")))
    };
    Ok(SessionName { stream_group: id("streamGroupId")?, id: id("streamSessionId")? })
}

const OWN: &str = "expected {\"streamSessionArn\"} or {\"streamGroupId\", \"streamSessionId\"}";

const KNOWN: &str = "expected a Scheduled Event of aws.events, a Stream Session State Change of your own source, an AWS API \
                     Call via CloudTrail, a CloudWatch Alarm (Contributor) State Change, what an alarm sends to its \
                     Lambda action, or directly {\"streamSessionArn\"} or {\"streamGroupId\", \"streamSessionId\"}";

/// Enough of a text to recognise it in an error, and not more: it may be hostile and long.
fn excerpt(text: &str) -> String {
    text.chars().take(160).collect()
}

fn unknown_shape(event: &Value) -> Error {
    let found = match event {
        Value::Object(fields) => {
            let names: Vec<_> = fields.keys().take(12).map(|name| excerpt(name)).collect();
            format!("an object with the fields {names:?}")
        }
        other => {
            let text: String = other.to_string().chars().take(80).collect();
            format!("the value {text}")
        }
    };
    Error::Event(format!("{found} is no event that start-export knows: {KNOWN}"))
}

#[cfg(test)]
mod tests;
