//! What events and records are delivered to: functions, the event bus, and queues and topics, which keep what they get.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::iam::{Denied, Iam, Principal};

/// Something that Lambda's destinations and EventBridge's targets can deliver to, by its ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// A Lambda function.
    Function(String),
    /// The default event bus.
    EventBus(String),
    /// An SQS queue.
    Queue(String),
    /// An SNS topic.
    Topic(String),
}

/// An ARN of nothing that the local cloud can deliver to.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is the ARN of no function, queue, topic or default event bus")]
pub struct NoRecipient(pub String);

impl FromStr for Recipient {
    type Err = NoRecipient;

    fn from_str(arn: &str) -> Result<Self, NoRecipient> {
        let fields: Vec<_> = arn.splitn(6, ':').collect();
        let recipient = match fields.as_slice() {
            ["arn", _, "lambda", _, _, resource] if resource.starts_with("function:") => Self::Function,
            ["arn", _, "events", _, _, "event-bus/default"] => Self::EventBus,
            ["arn", _, "sqs", _, _, _] => Self::Queue,
            ["arn", _, "sns", _, _, _] => Self::Topic,
            _ => return Err(NoRecipient(arn.to_owned())),
        };
        Ok(recipient(arn.to_owned()))
    }
}

impl Recipient {
    /// The ARN.
    #[must_use]
    pub fn arn(&self) -> &str {
        match self {
            Self::Function(arn) | Self::EventBus(arn) | Self::Queue(arn) | Self::Topic(arn) => arn,
        }
    }
}

/// A message in a queue, or one that a topic was given to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What was sent; JSON, but for what a template's `Input` made of it.
    pub body: String,
    /// Message attributes.
    pub attributes: BTreeMap<String, String>,
}

impl Message {
    /// A message without attributes.
    #[must_use]
    pub fn new(body: impl Into<String>) -> Self {
        Self { body: body.into(), attributes: BTreeMap::new() }
    }

    /// The body as JSON; null if it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// A message that was not taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// There is no such queue or topic.
    #[error(transparent)]
    NoRecipient(#[from] NoRecipient),
    /// Neither the sender's role nor the queue or topic lets the sender send.
    #[error(transparent)]
    Denied(#[from] Denied),
}

/// The queues and topics of the account. Nobody consumes them but who looks.
#[derive(Debug, Clone, Default)]
pub struct Mailboxes {
    messages: Arc<Mutex<BTreeMap<String, Vec<Message>>>>,
    iam: Iam,
}

impl Mailboxes {
    /// Empty queues and topics of these ARNs.
    #[must_use]
    pub fn new(arns: impl IntoIterator<Item = String>) -> Self {
        let messages = arns.into_iter().map(|arn| (arn, Vec::new())).collect();
        Self { messages: Arc::new(Mutex::new(messages)), iam: Iam::default() }
    }

    /// The same with policies, for [`Self::deliver_as`].
    #[must_use]
    pub fn with_policies(self, iam: Iam) -> Self {
        Self { iam, ..self }
    }

    /// Puts a message into the queue or topic of this ARN, if the sender may do that: `sqs:SendMessage`, `sns:Publish`.
    pub fn deliver_as(&self, sender: &Principal, arn: &str, message: Message) -> Result<(), DeliveryError> {
        let action = if arn.contains(":sns:") { "sns:Publish" } else { "sqs:SendMessage" };
        self.iam.authorize(sender, action, arn, &[])?;
        Ok(self.deliver(arn, message)?)
    }

    /// Puts a message into the queue or topic of this ARN.
    ///
    /// # Errors
    /// There is none of this ARN.
    pub fn deliver(&self, arn: &str, message: Message) -> Result<(), NoRecipient> {
        let mut messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        match messages.get_mut(arn) {
            Some(messages) => {
                messages.push(message);
                Ok(())
            }
            None => Err(NoRecipient(arn.to_owned())),
        }
    }

    /// Deletes the queue or topic of this ARN, as somebody might by hand.
    pub fn delete(&self, arn: &str) {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner).remove(arn);
    }

    /// What the queue or topic of this ARN has been given, oldest first; `None` if there is none of this ARN.
    #[must_use]
    pub fn messages(&self, arn: &str) -> Option<Vec<Message>> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner).get(arn).cloned()
    }
}
