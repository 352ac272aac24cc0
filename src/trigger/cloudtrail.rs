//! CloudTrail's record of an API call (developer guide, "Logging API calls using CloudTrail"): somebody started a session,
//! or connected to one.

use serde_json::Value;

use crate::error::Error;
use crate::session::{Id, ResourceType, SessionName};

use super::Scope;

/// The session that a call is about. A call that failed started none.
pub(super) fn scope(detail: &Value) -> Result<Scope, Error> {
    let text = |name: &str| detail.get(name).and_then(Value::as_str).unwrap_or_default();
    let (service, operation) = (text("eventSource"), text("eventName"));
    if service != "gameliftstreams.amazonaws.com" {
        return Err(Error::Event(format!(
            "a call to {:?} in an event of CloudTrail: expected one to gameliftstreams.amazonaws.com",
            super::excerpt(service)
        )));
    }
    if let Some(code) = detail.get("errorCode").and_then(Value::as_str) {
        let (operation, code) = (super::excerpt(operation), super::excerpt(code));
        return Ok(Scope::Nothing(format!("the call to {operation} failed: {code}")));
    }
    match operation {
        "StartStreamSession" => started(detail).map(Scope::SessionInScope),
        "CreateStreamSessionConnection" => connected(detail).map(Scope::SessionInScope),
        other => Ok(Scope::Nothing(format!("{} is no call by which a session starts", super::excerpt(other)))),
    }
}

/// A new session's ARN is in the answer.
fn started(detail: &Value) -> Result<SessionName, Error> {
    let arn = field(detail, "responseElements", "Arn")?;
    SessionName::from_arn(arn).map_err(|error| Error::Event(format!("responseElements.Arn: {error}")))
}

/// The session is in the request: by its ARN, or by its id and its group's id or ARN.
fn connected(detail: &Value) -> Result<SessionName, Error> {
    let session = field(detail, "requestParameters", "StreamSessionIdentifier")?;
    let wrong = |name: &str, error: &dyn std::fmt::Display| {
        Error::Event(format!("requestParameters.{name}: {error}"))
    };
    if session.starts_with("arn:") {
        return SessionName::from_arn(session).map_err(|error| wrong("StreamSessionIdentifier", &error));
    }
    let group = field(detail, "requestParameters", "Identifier")?;
    Ok(SessionName {
        stream_group: Id::from_id_or_arn(group, ResourceType::StreamGroup)
            .map_err(|error| wrong("Identifier", &error))?,
        id: Id::try_from(session.to_owned()).map_err(|error| wrong("StreamSessionIdentifier", &error))?,
    })
}

fn field<'a>(detail: &'a Value, part: &str, name: &str) -> Result<&'a str, Error> {
    let found = detail.get(part).and_then(|part| part.get(name)).and_then(Value::as_str);
    found.ok_or_else(|| Error::Event(format!("{part}.{name} is missing in CloudTrail's record of the call")))
}
