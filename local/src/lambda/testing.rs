//! A small Lambda with real processes, for tests.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;

use super::{Credentials, EventInvokeConfig, Function, Lambda, LogFormat, Logging, Options};
use crate::account::{Account, EventSender};
use crate::delivery::Mailboxes;

pub(crate) const QUEUE: &str = "arn:aws:sqs:us-west-2:111122223333:queue";
pub(crate) const DEAD_LETTERS: &str = "arn:aws:sqs:us-west-2:111122223333:dead-letters";
pub(crate) const TOPIC: &str = "arn:aws:sns:us-west-2:111122223333:topic";
pub(crate) const BUS: &str = "arn:aws:events:us-west-2:111122223333:event-bus/default";

/// A Lambda and what it delivers to.
pub(crate) struct Local {
    pub(crate) lambda: Lambda,
    pub(crate) mailboxes: Mailboxes,
    pub(crate) events: UnboundedReceiver<Value>,
}

/// Where `cargo test` puts `examples/echo-function.rs`.
pub(crate) fn examples() -> PathBuf {
    let test = std::env::current_exe().expect("the test's own path");
    let profile = test.ancestors().nth(2).expect("target/<profile>/deps/<test>");
    let examples = profile.join("examples");
    assert!(
        examples.join("echo-function").is_file(),
        "`cargo test --lib` does not build it: cargo build --package crash-capture-local --example echo-function"
    );
    examples
}

/// The function of `examples/echo-function.rs`.
pub(crate) fn echo(name: &str) -> Function {
    Function {
        logical_id: name.into(),
        name: format!("s-{name}-local"),
        arn: format!("arn:aws:lambda:us-west-2:111122223333:function:s-{name}-local"),
        role: "arn:aws:iam::111122223333:role/s-EchoRole-local".into(),
        binary: "echo-function".into(),
        environment: BTreeMap::new(),
        timeout: Duration::from_secs(20),
        memory_size: 128,
        handler: "bootstrap".into(),
        logging: Logging { group: "/logs".into(), format: LogFormat::Json, level: None },
        reserved_concurrency: None,
        asynchronous: EventInvokeConfig::default(),
        dead_letter: None,
        credentials: Credentials::random(),
    }
}

pub(crate) fn options() -> Options {
    Options { minute: Duration::from_millis(5), ..Options::new(examples()) }
}

impl Local {
    pub(crate) async fn start(functions: Vec<Function>) -> Self {
        Self::with(functions, options()).await
    }

    pub(crate) async fn with(functions: Vec<Function>, options: Options) -> Self {
        let account = Account::default();
        let (sender, events) = EventSender::new(account.clone());
        let mailboxes = Mailboxes::new([QUEUE, DEAD_LETTERS, TOPIC].map(str::to_owned));
        let mailboxes = mailboxes.with_policies(options.iam.clone());
        let lambda =
            Lambda::start(&account, functions, mailboxes.clone(), sender, options).await.expect("it starts");
        Self { lambda, mailboxes, events }
    }

    /// The function's answer to this event.
    pub(crate) async fn answer(&self, function: &str, event: Value) -> Value {
        let outcome = self.lambda.invoke(function, &event).await.expect("it is accepted");
        outcome.result.expect("it succeeds")
    }
}
