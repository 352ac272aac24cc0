//! The account that owns the local cloud, and the stream of events that its services emit.

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// An AWS account in one Region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Twelve digits.
    pub id: String,
    /// For example `us-west-2`.
    pub region: String,
}

impl Default for Account {
    /// The account number of AWS's own examples, in a Region where GameLift Streams exists.
    fn default() -> Self {
        Self { id: "111122223333".into(), region: "us-west-2".into() }
    }
}

impl Account {
    /// The ARN of a resource of this account and Region: `arn:aws:{service}:{region}:{id}:{resource}`.
    #[must_use]
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.region, self.id)
    }
}

/// Puts events on the default event bus, in EventBridge's envelope.
#[derive(Debug, Clone)]
pub struct EventSender {
    account: Account,
    sender: mpsc::UnboundedSender<Value>,
}

impl EventSender {
    /// A sender, and the receiving end for [`crate::eventbridge`].
    #[must_use]
    pub fn new(account: Account) -> (Self, mpsc::UnboundedReceiver<Value>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self { account, sender }, receiver)
    }

    /// Wraps `detail` in the envelope (version, id, account, time, Region) and puts it on the bus.
    ///
    /// An event after the bus was shut down goes nowhere, as there is nobody left to see it.
    pub fn put(&self, source: &str, detail_type: &str, resources: &[String], detail: &Value) {
        self.put_raw(json!({
            "version": "0",
            "id": uuid::Uuid::new_v4().to_string(),
            "detail-type": detail_type,
            "source": source,
            "account": self.account.id,
            "time": Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "region": self.account.region,
            "resources": resources,
            "detail": detail,
        }));
    }

    /// Puts a whole event, envelope included, on the bus as it is.
    pub fn put_raw(&self, event: Value) {
        self.sender.send(event).ok();
    }
}
