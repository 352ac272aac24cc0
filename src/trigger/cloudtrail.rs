//! CloudTrail's record of an API call (developer guide, "Logging API calls using CloudTrail"): somebody started a session.

use serde_json::Value;

use crate::error::Error;
use crate::session::SessionName;

use super::Scope;

/// The session that a call started. A call that failed started none.
pub(super) fn scope(detail: &Value) -> Result<Scope, Error> {
    let text = |name: &str| detail.get(name).and_then(Value::as_str).unwrap_or_default();
    let (service, operation) = (text("eventSource"), text("eventName"));
    if service != "gameliftstreams.amazonaws.com" {
        return Err(Error::Event(format!(
            "a call to {service:?} in an event of CloudTrail: expected one to gameliftstreams.amazonaws.com"
        )));
    }
    if operation != "StartStreamSession" {
        return Ok(Scope::Nothing(format!("{operation} starts no session")));
    }
    if let Some(code) = detail.get("errorCode").and_then(Value::as_str) {
        return Ok(Scope::Nothing(format!("the call to {operation} failed: {code}")));
    }
    let arn = detail.pointer("/responseElements/Arn").and_then(Value::as_str).ok_or_else(|| {
        Error::Event(
            "responseElements.Arn is missing in CloudTrail's record of StartStreamSession".to_owned(),
        )
    })?;
    let session =
        SessionName::from_arn(arn).map_err(|error| Error::Event(format!("responseElements.Arn: {error}")))?;
    Ok(Scope::SessionInScope(session))
}
