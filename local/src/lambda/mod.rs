//! Lambda: the two real binaries as child processes, which speak the runtime API; synchronous and asynchronous
//! invocation, destinations, dead letters.
//!
//! Each execution environment is a process with a runtime API of its own, at a path of its own. Environments are started
//! on demand, reused, and replaced when they exit or take too long.

mod asynchronous;
mod config;
mod environment;
mod invocation;
mod runtime_api;

pub use config::{Asynchronous, Destination, FunctionConfig, Logging};
pub use invocation::{FunctionError, Invocation, InvokeError, Outcome};

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use crate::account::{Account, EventSender};
use crate::queues::Queues;

use self::environment::Environment;
use self::invocation::check_size;
use self::runtime_api::RuntimeApi;

/// What a payload may weigh, in bytes: 6 MB synchronously, 1 MB asynchronously (Lambda developer guide, "Quotas").
const MAX_SYNCHRONOUS: usize = 6 * 1024 * 1024;
const MAX_ASYNCHRONOUS: usize = 1024 * 1024;

/// What functions need to know beside their own configuration.
#[derive(Debug, Clone)]
pub struct Options {
    /// Who owns the functions.
    pub account: Account,
    /// The executables, by the name of their cargo binary.
    pub executables: BTreeMap<String, PathBuf>,
    /// Environment variables that every function gets, beside its own: the endpoints of the local cloud.
    pub environment: BTreeMap<String, String>,
    /// Credentials of each function's role, by the function's name: access key id and secret.
    pub credentials: BTreeMap<String, (String, String)>,
    /// The pauses before the first and the second retry of an asynchronous event. Lambda's are one and two minutes.
    pub retry_delays: [Duration; 2],
    /// How many environments of a function there are at most.
    pub concurrency: usize,
}

/// The functions of an account.
#[derive(Debug, Clone)]
pub struct Lambda(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    functions: BTreeMap<String, Function>,
    options: Options,
    api: RuntimeApi,
    events: EventSender,
    queues: Queues,
    log: Mutex<Vec<LogLine>>,
    invocations: Mutex<Vec<Invocation>>,
    /// Asynchronous events that are queued, running, or waiting for a retry.
    pending: watch::Sender<usize>,
    server: JoinHandle<()>,
}

#[derive(Debug)]
struct Function {
    config: FunctionConfig,
    slots: Semaphore,
    idle: Mutex<Vec<Environment>>,
}

/// A line that a function wrote to its standard output or standard error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// The function's name.
    pub function: String,
    /// The execution environment's number.
    pub environment: u64,
    /// The line, without its end.
    pub text: String,
}

impl Lambda {
    /// Starts the service. No function's process runs before its first invocation.
    pub async fn start(
        functions: Vec<FunctionConfig>,
        options: Options,
        events: EventSender,
        queues: Queues,
    ) -> io::Result<Self> {
        for config in &functions {
            if !options.executables.contains_key(&config.binary) {
                let message = format!("{} has no executable {}", config.name, config.binary);
                return Err(io::Error::new(io::ErrorKind::NotFound, message));
            }
        }
        let (api, server) = RuntimeApi::serve().await?;
        let function = |config: FunctionConfig| Function {
            slots: Semaphore::new(options.concurrency),
            idle: Mutex::default(),
            config,
        };
        let functions = functions.into_iter().map(|config| (config.name.clone(), function(config))).collect();
        Ok(Self(Arc::new(Shared {
            functions,
            options,
            api,
            events,
            queues,
            log: Mutex::default(),
            invocations: Mutex::default(),
            pending: watch::channel(0).0,
            server,
        })))
    }

    /// Invokes a function and waits for its answer.
    pub async fn invoke(&self, function: &str, payload: &Value) -> Result<Invocation, InvokeError> {
        check_size(payload, MAX_SYNCHRONOUS)?;
        let function = self.function(function)?;
        Ok(self.run(function, &uuid::Uuid::new_v4().to_string(), 1, payload).await)
    }

    /// Queues an event for a function. Says under which request id: all attempts have the same.
    pub fn invoke_async(&self, function: &str, payload: Value) -> Result<String, InvokeError> {
        check_size(&payload, MAX_ASYNCHRONOUS)?;
        let name = self.function(function)?.config.name.clone();
        let request_id = uuid::Uuid::new_v4().to_string();
        self.0.pending.send_modify(|count| *count += 1);
        let (lambda, id) = (self.clone(), request_id.clone());
        tokio::spawn(async move {
            lambda.deliver(&name, &id, &payload).await;
            lambda.0.pending.send_modify(|count| *count -= 1);
        });
        Ok(request_id)
    }

    /// How many asynchronous events are not done with.
    #[must_use]
    pub fn pending(&self) -> usize {
        *self.0.pending.borrow()
    }

    /// Waits until every asynchronous event is done with.
    pub async fn settled(&self) {
        // The sender lives in `self`.
        self.0.pending.subscribe().wait_for(|count| *count == 0).await.ok();
    }

    /// Every invocation so far, in the order in which they ended.
    #[must_use]
    pub fn invocations(&self) -> Vec<Invocation> {
        lock(&self.0.invocations).clone()
    }

    /// What a function has logged so far.
    #[must_use]
    pub fn log(&self, function: &str) -> Vec<LogLine> {
        lock(&self.0.log).iter().filter(|line| line.function == function).cloned().collect()
    }

    /// Ends every environment.
    pub async fn shut_down(&self) {
        for function in self.0.functions.values() {
            let idle = std::mem::take(&mut *lock(&function.idle));
            for environment in idle {
                environment.stop().await;
            }
        }
        self.0.server.abort();
    }

    fn function(&self, name: &str) -> Result<&Function, InvokeError> {
        self.0.functions.get(name).ok_or_else(|| InvokeError::NoSuchFunction(name.to_owned()))
    }

    /// One attempt: in an idle environment, or in a new one.
    async fn run(&self, function: &Function, request_id: &str, attempt: u32, payload: &Value) -> Invocation {
        // The semaphore is never closed.
        let _slot = function.slots.acquire().await.ok();
        let idle = lock(&function.idle).pop();
        let environment = match idle.and_then(Environment::still_runs) {
            Some(environment) => Ok(environment),
            None => Environment::start(&self.0, &function.config),
        };
        let started = std::time::Instant::now();
        let (outcome, peak_memory) = match environment {
            Err(error) => {
                (Outcome::Failed(FunctionError::new("Runtime.InvalidEntrypoint", error.to_string())), None)
            }
            Ok(environment) => {
                let (outcome, environment) = environment.run(&function.config, request_id, payload).await;
                let memory = environment.as_ref().and_then(Environment::peak_memory);
                lock(&function.idle).extend(environment);
                (outcome, memory)
            }
        };
        let invocation = Invocation {
            function: function.config.name.clone(),
            request_id: request_id.to_owned(),
            attempt,
            payload: payload.clone(),
            outcome,
            duration: started.elapsed(),
            peak_memory,
        };
        lock(&self.0.invocations).push(invocation.clone());
        invocation
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
