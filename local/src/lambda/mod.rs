//! Lambda: functions that run as they are deployed, as child processes that speak to the runtime API.
//!
//! - `function`: a function as it is deployed
//! - `runtime_api`: the HTTP interface that its processes poll
//! - `environment`, `pool`: the processes, one event at a time each, several for each function
//! - `asynchronous`: the queue, retries and destinations
//! - `outcome`, `logs`: what can be looked at afterwards

mod activity;
mod asynchronous;
mod environment;
mod function;
mod logs;
mod outcome;
mod pool;
mod process;
mod runtime_api;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::watch;

pub(crate) use activity::Activity;
use asynchronous::QueuedEvent;
use environment::Surroundings;
pub use function::{
    Credentials, EventInvokeConfig, Function, FunctionConfigError, LogFormat, Logging, check_variables,
};
pub use logs::LogLine;
use logs::Logs;
pub use outcome::{FailureKind, FunctionError, InvokeError, LoggedInvocation, Outcome};
use pool::{Place, Pool};
use process::Spawner;
use runtime_api::RuntimeApi;

use crate::account::{Account, EventSender};
use crate::delivery::Mailboxes;
use crate::iam::{Iam, Principal};

/// Bytes of an event, from the documentation of Lambda's `Invoke`: 6 MB synchronously, 1 MB asynchronously.
const MAX_SYNCHRONOUS: usize = 6 << 20;
const MAX_ASYNCHRONOUS: usize = 1 << 20;

/// How many environments of a function work at once, unless somebody says otherwise.
pub const CONCURRENCY: usize = 10;

/// How the local Lambda differs from AWS's, and what its functions find around them.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the functions' executables are, by the names of their cargo binaries.
    pub executables: PathBuf,
    /// Variables for every function, such as `AWS_ENDPOINT_URL_S3`. A function's own win.
    pub variables: BTreeMap<String, String>,
    /// How many environments of a function may work at once, unless the function says so itself. Further invocations
    /// wait, where Lambda would throttle them.
    pub concurrency: usize,
    /// How long a minute of the pause between two attempts lasts. Lambda pauses for one, then for two.
    pub minute: Duration,
    /// Whether the queue of each function delivers every event twice: "it's possible for it to receive the same event from
    /// Lambda multiple times because the queue itself is eventually consistent" (Lambda developer guide, "Asynchronous
    /// invocation"). The request id is the same then; that both happen at once is the worst case, not a documented one.
    pub delivers_twice: bool,
    /// Whether the functions' log lines also go to standard error.
    pub echo: bool,
    /// Who may do what.
    pub iam: Iam,
}

impl Options {
    /// Ten environments for each function, pauses of 50 and 100 milliseconds, no echo, no more variables, no
    /// policies.
    #[must_use]
    pub fn new(executables: impl Into<PathBuf>) -> Self {
        Self {
            executables: executables.into(),
            variables: BTreeMap::new(),
            concurrency: CONCURRENCY,
            minute: Duration::from_millis(50),
            delivers_twice: false,
            echo: false,
            iam: Iam::default(),
        }
    }
}

/// The local Lambda does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A function has not been built.
    #[error("the executable of the function {function} is not there: {}", .executable.display())]
    NoExecutable {
        /// Logical id.
        function: String,
        /// Where it was looked for.
        executable: PathBuf,
    },
    /// No port, no thread.
    #[error("the local Lambda cannot start: {0}")]
    Io(#[from] std::io::Error),
}

/// The functions of an account. Clones are the same Lambda.
#[derive(Debug, Clone)]
pub struct Lambda {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    pools: Vec<Arc<Pool>>,
    surroundings: Arc<Surroundings>,
    mailboxes: Mailboxes,
    events: EventSender,
    minute: Duration,
    delivers_twice: bool,
    activity: Activity,
    invocations: Mutex<Vec<LoggedInvocation>>,
}

impl Lambda {
    /// Opens the runtime API. Processes are started when they are needed.
    pub async fn start(
        account: &Account,
        functions: Vec<Function>,
        mailboxes: Mailboxes,
        events: EventSender,
        options: Options,
    ) -> Result<Self, StartError> {
        let surroundings = Arc::new(Surroundings {
            runtime_api: RuntimeApi::start().await?,
            spawner: Spawner::start()?,
            logs: Logs::new(options.echo),
            account: account.clone(),
            iam: options.iam,
            variables: options.variables,
            shutdown: watch::Sender::new(false),
        });
        let mut pools = Vec::new();
        for function in functions {
            let executable = options.executables.join(&function.binary);
            if !executable.is_file() {
                return Err(StartError::NoExecutable { function: function.logical_id, executable });
            }
            let concurrency =
                function.reserved_concurrency.map_or(options.concurrency, |limit| limit as usize);
            pools.push(Arc::new(Pool::new(function, executable, Arc::clone(&surroundings), concurrency)));
        }
        Ok(Self {
            inner: Arc::new(Inner {
                pools,
                surroundings,
                mailboxes,
                events,
                minute: options.minute,
                delivers_twice: options.delivers_twice,
                activity: Activity::new(),
                invocations: Mutex::default(),
            }),
        })
    }

    /// The function of this logical id, name or ARN.
    #[must_use]
    pub fn function(&self, function: &str) -> Option<&Function> {
        self.pool(function).ok().map(|pool| &*pool.function)
    }

    /// Invokes a function and waits for its answer. `function` is a logical id, a name or an ARN.
    pub async fn invoke(&self, function: &str, payload: &Value) -> Result<Outcome, InvokeError> {
        let pool = Arc::clone(self.pool(function)?);
        check_size(payload, MAX_SYNCHRONOUS)?;
        let busy = self.inner.activity.begin();
        let place = pool.place().await.ok_or(InvokeError::ShuttingDown)?;
        let lambda = self.clone();
        let payload = payload.clone();
        // On its own, so that an invocation runs to its end whether or not somebody waits for it.
        let invocation = tokio::spawn(async move {
            let outcome = lambda.attempt(&pool, place, &request_id(), &payload, None).await;
            drop(busy);
            outcome
        });
        invocation.await.map_err(|_| InvokeError::ShuttingDown)
    }

    /// Puts an event into a function's queue and returns the request id that all attempts will have.
    /// `function` is a logical id, a name or an ARN.
    pub fn invoke_async(&self, function: &str, payload: Value) -> Result<String, InvokeError> {
        let pool = Arc::clone(self.pool(function)?);
        check_size(&payload, MAX_ASYNCHRONOUS)?;
        let request_id = request_id();
        let deliver = |payload: Value| {
            let busy = self.inner.activity.begin();
            let event = QueuedEvent { request_id: request_id.clone(), payload, busy };
            tokio::spawn(self.clone().process(Arc::clone(&pool), event));
        };
        if self.inner.delivers_twice {
            deliver(payload.clone());
        }
        deliver(payload);
        Ok(request_id)
    }

    /// The same on behalf of a caller, who has to be allowed to `lambda:InvokeFunction`.
    pub(crate) fn invoke_async_as(
        &self,
        caller: &Principal,
        function: &str,
        payload: Value,
    ) -> Result<String, InvokeError> {
        let arn = &self.pool(function)?.function.arn;
        self.iam().authorize(caller, "lambda:InvokeFunction", arn, &[])?;
        self.invoke_async(function, payload)
    }

    /// Takes a function away, as somebody does who deletes it by hand: there is none of this name any more. What it is
    /// doing it finishes.
    pub fn delete(&self, function: &str) -> Result<(), InvokeError> {
        self.pool(function)?.deleted.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Waits until no event is queued and no function runs. For events on their way through the event bus as well,
    /// see [`crate::eventbridge::Bus::settled`].
    pub async fn idle(&self) {
        self.inner.activity.idle().await;
    }

    /// Every attempt that is over, in the order in which they ended.
    #[must_use]
    pub fn invocations(&self) -> Vec<LoggedInvocation> {
        self.inner.invocations.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the function of this logical id has logged.
    #[must_use]
    pub fn logs(&self, function: &str) -> Vec<LogLine> {
        self.inner.surroundings.logs.of(function)
    }

    /// Kills the processes of a function (SIGKILL), also those that are at work; an invocation fails then as when a function
    /// ends by itself. `function` is a logical id, a name or an ARN.
    pub fn kill(&self, function: &str) -> Result<(), InvokeError> {
        self.pool(function)?.kill();
        Ok(())
    }

    /// Ends all processes: SIGTERM, and SIGKILL if that does not help. Queued events are dropped.
    ///
    /// Without it, the processes are killed when the last clone is dropped, or (on Linux) when this process ends, in
    /// whatever way.
    pub async fn shut_down(&self) {
        self.inner.surroundings.shutdown.send_replace(true);
        for pool in &self.inner.pools {
            pool.shut_down().await;
        }
    }

    pub(crate) fn activity(&self) -> &Activity {
        &self.inner.activity
    }

    fn events(&self) -> &EventSender {
        &self.inner.events
    }

    fn iam(&self) -> &Iam {
        &self.inner.surroundings.iam
    }

    fn mailboxes(&self) -> &Mailboxes {
        &self.inner.mailboxes
    }

    fn minute(&self) -> Duration {
        self.inner.minute
    }

    fn pool(&self, function: &str) -> Result<&Arc<Pool>, InvokeError> {
        let is_it = |pool: &&Arc<Pool>| {
            let known = &pool.function;
            let names = [&known.logical_id, &known.name, &known.arn];
            !pool.deleted.load(Ordering::Relaxed) && names.into_iter().any(|name| name == function)
        };
        self.inner.pools.iter().find(is_it).ok_or_else(|| InvokeError::NoSuchFunction(function.to_owned()))
    }

    /// Runs a function once and writes it down. `attempt` is `None` for a synchronous invocation.
    async fn attempt(
        &self,
        pool: &Arc<Pool>,
        place: Place,
        request_id: &str,
        payload: &Value,
        attempt: Option<u32>,
    ) -> Outcome {
        let started = Timestamp::now();
        let outcome = pool.run(place, request_id, Bytes::from(payload.to_string())).await;
        self.inner.invocations.lock().unwrap_or_else(PoisonError::into_inner).push(LoggedInvocation {
            function: pool.function.logical_id.clone(),
            asynchronous: attempt.is_some(),
            attempt: attempt.unwrap_or(1),
            started,
            payload: payload.clone(),
            outcome: outcome.clone(),
        });
        outcome
    }
}

fn request_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

fn check_size(payload: &Value, limit: usize) -> Result<(), InvokeError> {
    let size = payload.to_string().len();
    if size > limit { Err(InvokeError::PayloadTooLarge { size, limit }) } else { Ok(()) }
}
