//! SQS queues and SNS topics, as far as somebody sends to them: what was sent, in order.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

/// What was sent to each queue and topic, by its ARN.
#[derive(Debug, Clone, Default)]
pub struct Queues(Arc<Mutex<BTreeMap<String, Vec<Message>>>>);

/// A message.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Its body.
    pub body: Value,
    /// Its message attributes.
    pub attributes: BTreeMap<String, String>,
}

impl Queues {
    /// Sends a message.
    pub fn send(&self, arn: &str, message: Message) {
        self.lock().entry(arn.to_owned()).or_default().push(message);
    }

    /// What was sent to a queue or topic so far.
    #[must_use]
    pub fn messages(&self, arn: &str) -> Vec<Message> {
        self.lock().get(arn).cloned().unwrap_or_default()
    }

    /// Everything that was sent to anywhere.
    #[must_use]
    pub fn all(&self) -> BTreeMap<String, Vec<Message>> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Vec<Message>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<Value> for Message {
    fn from(body: Value) -> Self {
        Self { body, attributes: BTreeMap::new() }
    }
}
