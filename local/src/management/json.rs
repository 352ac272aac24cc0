//! EventBridge's `DescribeRule`, SQS's `GetQueueAttributes`, and whatever else is asked for in AWS JSON, which names its operation in a header.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::Managed;
use super::metrics;

/// A request that is refused: its code and message.
pub(super) type Refusal = (&'static str, String);

pub(super) async fn answer(State(managed): State<Arc<Managed>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let input: Value = serde_json::from_slice(&body).unwrap_or_default();
    let answer = match target {
        "AWSEvents.DescribeRule" => describe_rule(&managed, &input),
        "AmazonSQS.GetQueueAttributes" => queue_attributes(&managed, &input),
        "GraniteServiceVersion20100801.GetMetricData" => metrics::answer_json(&managed, &input),
        other => Err(("UnknownOperationException", format!("the local cloud knows no operation {other:?}"))),
    };
    let (status, body) = match answer {
        Ok(body) => (StatusCode::OK, body),
        Err((code, message)) => (StatusCode::BAD_REQUEST, json!({"__type": code, "message": message})),
    };
    let kind = headers.get(header::CONTENT_TYPE).cloned();
    let mut response = (status, Json(body)).into_response();
    // Version 1.0 or 1.1, as it was asked.
    response.headers_mut().extend(kind.map(|kind| (header::CONTENT_TYPE, kind)));
    response
}

fn describe_rule(managed: &Managed, input: &Value) -> Result<Value, Refusal> {
    let name = input["Name"].as_str().unwrap_or_default();
    let Some(rule) = managed.bus.rules().iter().find(|rule| rule.name == name) else {
        let message = format!("Rule {name} does not exist on EventBus default.");
        return Err(("ResourceNotFoundException", message));
    };
    let state = if managed.bus.is_enabled(rule) { "ENABLED" } else { "DISABLED" };
    let mut answer = json!({"Name": rule.name, "Arn": rule.arn, "State": state, "EventBusName": "default"});
    if let Some(pattern) = &rule.pattern {
        answer["EventPattern"] = pattern.source().to_string().into();
    }
    Ok(answer)
}

/// A queue is named by its URL, which ends in its name.
fn queue_attributes(managed: &Managed, input: &Value) -> Result<Value, Refusal> {
    let name = input["QueueUrl"].as_str().and_then(|url| url.rsplit('/').next()).unwrap_or_default();
    let queue = managed.stack.queues.iter().find(|queue| queue.name == name);
    let Some(messages) = queue.and_then(|queue| managed.mailboxes.messages(&queue.arn)) else {
        let message = "The specified queue does not exist.".to_owned();
        return Err(("com.amazonaws.sqs#QueueDoesNotExist", message));
    };
    let asked = input["AttributeNames"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let asked: Vec<_> = asked.collect();
    let attributes =
        [("ApproximateNumberOfMessages", messages.len()), ("ApproximateNumberOfMessagesNotVisible", 0)];
    let attributes: serde_json::Map<_, _> = attributes
        .into_iter()
        .filter(|(name, _)| asked.contains(name) || asked.contains(&"All"))
        .map(|(name, value)| (name.to_owned(), value.to_string().into()))
        .collect();
    Ok(json!({"Attributes": attributes}))
}
