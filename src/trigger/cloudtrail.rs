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
        "StartStreamSession" | "CreateStreamSessionConnection" => session(detail).map(Scope::SessionInScope),
        other => {
            Ok(Scope::Nothing(format!("{} is no call by which a session starts", super::excerpt(other))))
        }
    }
}

/// The session: a new one is in the answer, by its ARN; one that was there before is in the request, by its ARN, or by its
/// id and its group's id or ARN.
fn session(detail: &Value) -> Result<SessionName, Error> {
    let wrong = |what: &str, error: &dyn std::fmt::Display| Error::Event(format!("{what}: {error}"));
    let (what, session) =
        first(detail, &[("responseElements", "Arn"), ("requestParameters", "StreamSessionIdentifier")])?;
    if session.starts_with("arn:") {
        return SessionName::from_arn(session).map_err(|error| wrong(&what, &error));
    }
    let id = Id::try_from(session.to_owned()).map_err(|error| wrong(&what, &error))?;
    let (what, group) =
        first(detail, &[("requestParameters", "Identifier"), ("responseElements", "StreamGroupId")])?;
    let stream_group =
        Id::from_id_or_arn(group, ResourceType::StreamGroup).map_err(|error| wrong(&what, &error))?;
    Ok(SessionName { stream_group, id })
}

/// The first of these fields that is there, and what it is called. CloudTrail writes the members' names as the service has
/// them, or, for other services, with a small letter first.
fn first<'a>(detail: &'a Value, fields: &[(&str, &str)]) -> Result<(String, &'a str), Error> {
    let find = |(part, name): &(&str, &str)| {
        let part_of = detail.get(part)?;
        let small = name.get(..1)?.to_ascii_lowercase() + name.get(1..)?;
        let text = part_of.get(name).or_else(|| part_of.get(&small))?.as_str()?;
        Some((format!("{part}.{name}"), text))
    };
    fields.iter().find_map(find).ok_or_else(|| {
        let names: Vec<_> = fields.iter().map(|(part, name)| format!("{part}.{name}")).collect();
        Error::Event(format!("{} is missing in CloudTrail's record of the call", names.join(" or ")))
    })
}
