//! What a function is, as its template deploys it.

use std::collections::BTreeMap;
use std::time::Duration;

/// A function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionConfig {
    /// The function's name.
    pub name: String,
    /// Its ARN, without a version.
    pub arn: String,
    /// The cargo binary that it is built from.
    pub binary: String,
    /// Its environment variables.
    pub environment: BTreeMap<String, String>,
    /// How long an invocation may take: 1 to 900 s.
    pub timeout: Duration,
    /// Its memory in MiB: 128 to 10,240.
    pub memory_mib: u32,
    /// How it logs.
    pub logging: Logging,
    /// How it is invoked asynchronously.
    pub asynchronous: Asynchronous,
}

/// `LoggingConfig`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Logging {
    /// `LogGroup`; where none is given, `/aws/lambda/{name}`.
    pub group: Option<String>,
    /// `LogFormat`: `JSON`, or `Text`, which is the default.
    pub format: Option<String>,
    /// `ApplicationLogLevel`
    pub level: Option<String>,
}

/// `EventInvokeConfig` and `DeadLetterQueue`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asynchronous {
    /// How often a failed event is tried again: 0 to 2.
    pub max_retries: u32,
    /// How old an event may become in the queue: 60 s to 6 h.
    pub max_event_age: Duration,
    /// Where the result of an invocation goes that succeeded.
    pub on_success: Option<Destination>,
    /// Where an event goes that failed for good.
    pub on_failure: Option<Destination>,
    /// The dead-letter queue's ARN (the older way, beside the destination).
    pub dead_letter_queue: Option<String>,
}

impl Default for Asynchronous {
    /// Lambda's own: two retries, six hours, nowhere.
    fn default() -> Self {
        Self {
            max_retries: 2,
            max_event_age: Duration::from_secs(6 * 3600),
            on_success: None,
            on_failure: None,
            dead_letter_queue: None,
        }
    }
}

/// Where results and failed events go, by ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// An event bus.
    EventBus(String),
    /// An SQS queue, or an SNS topic.
    Queue(String),
}
