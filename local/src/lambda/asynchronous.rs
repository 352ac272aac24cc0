//! Asynchronous invocation (Lambda developer guide, "Invoking a function asynchronously"): two retries, then the failure
//! destination and the dead-letter queue; the success destination.

use std::collections::BTreeMap;
use std::time::Instant;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::queues::Message;

use super::config::Destination;
use super::invocation::{Invocation, Outcome};
use super::{FunctionConfig, Lambda};

impl Lambda {
    /// Delivers an event until an attempt succeeds, or none is left.
    pub(super) async fn deliver(&self, function: &str, request_id: &str, payload: &Value) {
        let Ok(function) = self.function(function) else { return };
        let rules = &function.config.asynchronous;
        let queued = Instant::now();
        let mut attempt = 1;
        loop {
            let invocation = self.run(function, request_id, attempt, payload).await;
            if let Outcome::Answered(answer) = &invocation.outcome {
                return self.succeeded(&function.config, &invocation, answer);
            }
            if attempt > rules.max_retries {
                return self.failed(&function.config, &invocation, "RetriesExhausted");
            }
            let delays = self.0.options.retry_delays;
            tokio::time::sleep(delays[(attempt as usize - 1).min(delays.len() - 1)]).await;
            if queued.elapsed() > rules.max_event_age {
                return self.failed(&function.config, &invocation, "EventAgeExceeded");
            }
            attempt += 1;
        }
    }

    fn succeeded(&self, config: &FunctionConfig, invocation: &Invocation, answer: &Value) {
        if let Some(destination) = &config.asynchronous.on_success {
            self.send(destination, config, "Success", &record(config, invocation, "Success", answer));
        }
    }

    fn failed(&self, config: &FunctionConfig, invocation: &Invocation, condition: &str) {
        let error = json!(invocation.outcome.error());
        if let Some(destination) = &config.asynchronous.on_failure {
            self.send(destination, config, "Failure", &record(config, invocation, condition, &error));
        }
        if let Some(queue) = &config.asynchronous.dead_letter_queue {
            let message = error["errorMessage"].as_str().unwrap_or_default();
            let attributes = [
                ("RequestID", invocation.request_id.as_str()),
                ("ErrorCode", "200"),
                ("ErrorMessage", message),
            ];
            let attributes: BTreeMap<_, _> =
                attributes.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
            self.0.queues.send(queue, Message { body: invocation.payload.clone(), attributes });
        }
    }

    fn send(&self, destination: &Destination, config: &FunctionConfig, result: &str, record: &Value) {
        match destination {
            Destination::Queue(arn) => self.0.queues.send(arn, record.clone().into()),
            Destination::EventBus(arn) => self.0.events.put(
                "lambda",
                &format!("Lambda Function Invocation Result - {result}"),
                &[arn.clone(), format!("{}:$LATEST", config.arn)],
                record,
            ),
        }
    }
}

/// The record that destinations get.
fn record(config: &FunctionConfig, invocation: &Invocation, condition: &str, response: &Value) -> Value {
    let mut context = json!({"statusCode": 200, "executedVersion": "$LATEST"});
    if invocation.outcome.error().is_some() {
        context["functionError"] = "Unhandled".into();
    }
    json!({
        "version": "1.0",
        "timestamp": Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
        "requestContext": {
            "requestId": invocation.request_id,
            "functionArn": format!("{}:$LATEST", config.arn),
            "condition": condition,
            "approximateInvokeCount": invocation.attempt,
        },
        "requestPayload": invocation.payload,
        "responseContext": context,
        "responsePayload": response,
    })
}
