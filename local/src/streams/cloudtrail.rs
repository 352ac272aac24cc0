//! CloudTrail's data events about calls of the service, as they come through EventBridge.
//!
//! The form is that of the developer guide's page on logging with CloudTrail. EventBridge is told of calls that change
//! something: CloudTrail's `Get…` and `List…` events stay away from it.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::sleep;
use uuid::Uuid;

use crate::account::Account;

use super::calls::{Caller, Operation};
use super::error::ServiceError;
use super::service::Service;

/// Members that the service's model calls sensitive; CloudTrail shows `***`.
const SENSITIVE: [&str; 3] = ["SignalRequest", "SignalResponse", "RoleArn"];

/// Puts the event about an answered call on the bus, in a while, if a trail records data events.
///
/// `parameters` are the request's members, wherever in the request they are.
pub(super) fn record(
    service: &Arc<Service>,
    operation: Operation,
    caller: &Caller,
    parameters: Value,
    outcome: &Result<Value, ServiceError>,
) {
    let Some(delay) = service.timings.cloudtrail_after else { return };
    if operation.is_read_only() {
        return;
    }
    let detail = detail(&service.account, operation, caller, parameters, outcome);
    let (bus, source) = (service.events.clone(), service.switches.cloudtrail_source);
    service.spawn(async move {
        sleep(delay).await;
        bus.put(source, "AWS API Call via CloudTrail", &[], &detail);
    });
}

fn detail(
    account: &Account,
    operation: Operation,
    caller: &Caller,
    parameters: Value,
    outcome: &Result<Value, ServiceError>,
) -> Value {
    let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let mut detail = json!({
        "eventVersion": "1.11",
        "userIdentity": user_identity(account, &caller.access_key_id, &now),
        "eventTime": now,
        "eventSource": "gameliftstreams.amazonaws.com",
        "eventName": operation.name(),
        "awsRegion": account.region,
        "sourceIPAddress": "127.0.0.1",
        "userAgent": caller.user_agent,
        "requestID": Uuid::new_v4().to_string(),
        "eventID": Uuid::new_v4().to_string(),
        "readOnly": false,
        "resources": resources(account, &parameters),
        "eventType": "AwsApiCall",
        "managementEvent": false,
        "recipientAccountId": account.id,
        "eventCategory": "Data",
        "requestParameters": masked(parameters),
        "responseElements": Value::Null,
    });
    match outcome {
        Ok(response) => detail["responseElements"] = masked(response.clone()),
        Err(error) => {
            detail["errorCode"] = error.code().into();
            detail["errorMessage"] = error.to_string().into();
        }
    }
    detail
}

fn user_identity(account: &Account, access_key_id: &str, now: &str) -> Value {
    let role = "GameBackend";
    json!({
        "type": "AssumedRole",
        "principalId": format!("AROAEXAMPLEROLEID0000:{role}"),
        "arn": format!("arn:aws:sts::{}:assumed-role/{role}/{role}", account.id),
        "accountId": account.id,
        "accessKeyId": access_key_id,
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": "AROAEXAMPLEROLEID0000",
                "arn": format!("arn:aws:iam::{}:role/{role}", account.id),
                "accountId": account.id,
                "userName": role,
            },
            "attributes": { "creationDate": now, "mfaAuthenticated": "false" },
        },
    })
}

/// The stream group, and the application if the request names one.
fn resources(account: &Account, parameters: &Value) -> Value {
    let resource = |member: &str, type_name: &str, kind: &str| {
        let identifier = parameters[member].as_str()?;
        let arn = if identifier.starts_with("arn:") {
            identifier.to_owned()
        } else {
            account.arn("gameliftstreams", &format!("{kind}/{identifier}"))
        };
        Some(json!({ "accountId": account.id, "type": type_name, "ARN": arn }))
    };
    let group = resource("Identifier", "AWS::GameLiftStreams::StreamGroup", "streamgroup");
    let application = resource("ApplicationIdentifier", "AWS::GameLiftStreams::Application", "application");
    group.into_iter().chain(application).collect()
}

fn masked(mut value: Value) -> Value {
    for name in SENSITIVE {
        if let Some(member) = value.get_mut(name) {
            *member = "***".into();
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sensitive_is_masked() {
        let value = masked(json!({ "SignalRequest": "offer", "UserId": "u" }));
        assert_eq!(value, json!({ "SignalRequest": "***", "UserId": "u" }));
    }
}
