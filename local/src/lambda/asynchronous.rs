//! Asynchronous invocation: the queue, the retries, and who is told in the end.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::Lambda;
use super::activity::Busy;
use super::outcome::{FunctionError, Outcome};
use super::pool::Pool;
use crate::delivery::{Message, Recipient};

/// SQS takes this much of an error's message: <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>.
const DEAD_LETTER_MESSAGE: usize = 1024;

/// An event in a function's queue.
#[derive(Debug)]
pub(super) struct QueuedEvent {
    pub(super) request_id: String,
    pub(super) payload: Value,
    pub(super) busy: Busy,
}

/// Why an event was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition {
    RetriesExhausted,
    EventAgeExceeded,
}

impl Lambda {
    /// Runs the function until it succeeds or the event is given up, and tells who wants to know.
    pub(super) async fn process(self, pool: std::sync::Arc<Pool>, event: QueuedEvent) {
        let config = &pool.function.asynchronous;
        let mut age = Age::new();
        let mut last = None;
        let mut attempts = 0;
        let condition = loop {
            let Some(place) = pool.place().await else { return };
            if age.now() > config.maximum_event_age {
                break Condition::EventAgeExceeded;
            }
            attempts += 1;
            let outcome = self.attempt(&pool, place, &event.request_id, &event.payload, Some(attempts)).await;
            if outcome.result.is_ok() {
                let record = record(&pool, &event, "Success", attempts, Some(&outcome));
                return self.tell(&pool, config.on_success.as_ref(), "Success", record);
            }
            last = Some(outcome);
            if attempts > config.maximum_retry_attempts {
                break Condition::RetriesExhausted;
            }
            age.wait(attempts, self.minute()).await;
        };
        let record = record(&pool, &event, condition.as_str(), attempts, last.as_ref());
        self.tell(&pool, config.on_failure.as_ref(), "Failure", record);
        if let Some(dead_letter) = &pool.function.dead_letter {
            let error = last.as_ref().and_then(|outcome| outcome.result.as_ref().err());
            self.deliver(&pool, dead_letter.arn(), dead_letter_message(&event, error));
        }
        drop(event.busy);
    }

    /// Sends the record to the destination, in the name of the function's role.
    fn tell(&self, pool: &Pool, destination: Option<&Recipient>, result: &str, record: Value) {
        match destination {
            None => {}
            Some(Recipient::EventBus(arn)) => {
                let put = self.iam().authorize(&pool.function.principal(), "events:PutEvents", arn, &[]);
                if let Err(error) = put {
                    return tracing::error!(function = pool.function.logical_id, %error, "cannot deliver a record");
                }
                let resources = [arn.clone(), qualified(pool)];
                let detail_type = format!("Lambda Function Invocation Result - {result}");
                self.events().put("lambda", &detail_type, &resources, &record);
            }
            Some(Recipient::Function(arn)) => {
                if let Err(error) = self.invoke_async_as(&pool.function.principal(), arn, record) {
                    tracing::error!(function = pool.function.logical_id, %error, "cannot deliver a record");
                }
            }
            Some(Recipient::Queue(arn) | Recipient::Topic(arn)) => {
                self.deliver(pool, arn, Message::new(record.to_string()));
            }
        }
    }

    fn deliver(&self, pool: &Pool, arn: &str, message: Message) {
        if let Err(error) = self.mailboxes().deliver_as(&pool.function.principal(), arn, message) {
            tracing::error!(function = pool.function.logical_id, %error, "cannot deliver a record");
        }
    }
}

impl Condition {
    fn as_str(self) -> &'static str {
        match self {
            Self::RetriesExhausted => "RetriesExhausted",
            Self::EventAgeExceeded => "EventAgeExceeded",
        }
    }
}

/// How old an event is, in Lambda's time: the pauses between attempts count in full, however short they are here.
#[derive(Debug)]
struct Age {
    since: Instant,
    saved: Duration,
}

impl Age {
    fn new() -> Self {
        Self { since: Instant::now(), saved: Duration::ZERO }
    }

    fn now(&self) -> Duration {
        self.since.elapsed() + self.saved
    }

    /// Lambda waits for a minute after the first attempt, and for two after the second:
    /// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>.
    async fn wait(&mut self, minutes: u32, minute: Duration) {
        let started = Instant::now();
        sleep(minute * minutes).await;
        self.saved += (Duration::from_mins(1) * minutes).saturating_sub(started.elapsed());
    }
}

/// The invocation record that destinations get, from
/// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>. It is not documented what it
/// says of an event that was never tried; here it has no response then.
fn record(pool: &Pool, event: &QueuedEvent, condition: &str, attempts: u32, last: Option<&Outcome>) -> Value {
    let mut record = json!({
        "version": "1.0",
        "timestamp": Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
        "requestContext": {
            "requestId": event.request_id,
            "functionArn": qualified(pool),
            "condition": condition,
            "approximateInvokeCount": attempts,
        },
        "requestPayload": event.payload,
    });
    if let Some(outcome) = last {
        record["responseContext"] = json!({"statusCode": 200, "executedVersion": "$LATEST"});
        match &outcome.result {
            Ok(answer) => record["responsePayload"] = answer.clone(),
            Err(error) => {
                record["responseContext"]["functionError"] = json!("Unhandled");
                record["responsePayload"] = error.payload.clone();
            }
        }
    }
    record
}

fn dead_letter_message(event: &QueuedEvent, error: Option<&FunctionError>) -> Message {
    let mut text = error.map(FunctionError::error_message).unwrap_or_default().to_owned();
    text.truncate(text.floor_char_boundary(DEAD_LETTER_MESSAGE));
    let attributes =
        [("RequestID", event.request_id.clone()), ("ErrorCode", "200".into()), ("ErrorMessage", text)];
    Message {
        body: event.payload.to_string(),
        attributes: attributes.map(|(name, value)| (name.to_owned(), value)).into(),
    }
}

fn qualified(pool: &Pool) -> String {
    format!("{}:$LATEST", pool.function.arn)
}
