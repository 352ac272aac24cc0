//! An execution environment: a process that runs a function's binary and asks the runtime API for events.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, timeout, timeout_at};

use crate::account::Account;
use crate::iam::Iam;

use super::activity::Busy;
use super::function::{Function, LogFormat};
use super::logs::{Lines, LogLine, Logs};
use super::outcome::{FailureKind, FunctionError};
use super::process::{Spawner, describe, kill, max_memory, processor_time, terminate};
use super::runtime_api::{Call, Event, Registration, Report, RuntimeApi, Verdict};

/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>: 6 MB, and some room for an error.
const MAX_RESPONSE: usize = 6_291_556;
/// How long the last lines of an ended process are waited for: a process of its own making may hold its outputs.
const LAST_LINES: Duration = Duration::from_millis(200);

/// A process, from its start to its end.
#[derive(Debug)]
pub(super) struct Environment {
    function: Arc<Function>,
    child: Child,
    calls: mpsc::UnboundedReceiver<Call>,
    stdout: Lines<ChildStdout>,
    stderr: Lines<ChildStderr>,
    logs: LogStream,
    shutdown: watch::Receiver<bool>,
    /// Changes when the function's processes are to be killed.
    kill: watch::Receiver<u64>,
    /// The process, waiting for an event.
    waiting: Option<oneshot::Sender<Event>>,
    request_id: Option<String>,
    _registration: Registration,
    _alive: Busy,
}

/// What all environments share.
#[derive(Debug)]
pub(super) struct Surroundings {
    pub(super) runtime_api: RuntimeApi,
    pub(super) spawner: Spawner,
    pub(super) logs: Logs,
    pub(super) account: Account,
    /// Who may do what.
    pub(super) iam: Iam,
    /// Variables for every function, besides its own.
    pub(super) variables: BTreeMap<String, String>,
    pub(super) shutdown: watch::Sender<bool>,
}

/// An environment that will take no more events: its process is gone.
#[derive(Debug)]
pub(super) enum Ended {
    Exited(ExitStatus),
    TimedOut(Duration),
    InitError(Value),
    /// Its process cannot be started or watched.
    Io(io::Error),
}

/// What happens to an environment.
#[derive(Debug)]
enum Happening {
    Call(Call),
    Exit(io::Result<ExitStatus>),
}

impl Environment {
    /// Starts the process.
    pub(super) async fn start(
        function: &Arc<Function>,
        executable: &Path,
        surroundings: &Surroundings,
        alive: Busy,
        kill: watch::Receiver<u64>,
    ) -> io::Result<Self> {
        let id = uuid::Uuid::new_v4().simple().to_string();
        let stream = format!("{}/[$LATEST]{id}", Timestamp::now().strftime("%Y/%m/%d"));
        let (registration, calls) = surroundings.runtime_api.register(format!("{}-{id}", function.name));
        let task_root = executable.parent().unwrap_or(Path::new("/"));

        let mut command = Command::new(executable);
        command
            .env_clear()
            .envs(lambda_variables(function, &surroundings.account.region, &stream))
            .env("LAMBDA_TASK_ROOT", task_root)
            .env("AWS_LAMBDA_RUNTIME_API", &registration.base)
            .envs(&surroundings.variables)
            .envs(&function.environment)
            .current_dir(task_root)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = surroundings.spawner.spawn(command).await?;
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(io::Error::other("the process has no outputs"));
        };
        Ok(Self {
            function: Arc::clone(function),
            logs: LogStream::open(function, stream, surroundings),
            child,
            calls,
            stdout: Lines::new(stdout),
            stderr: Lines::new(stderr),
            shutdown: surroundings.shutdown.subscribe(),
            kill,
            waiting: None,
            request_id: None,
            _registration: registration,
            _alive: alive,
        })
    }

    /// Waits until the process asks for an event.
    pub(super) async fn ready(&mut self, limit: Duration) -> Result<(), Ended> {
        let deadline = Instant::now() + limit;
        while self.waiting.is_none() {
            match timeout_at(deadline, self.happening()).await {
                Ok(Happening::Call(Call::Next(waiting))) => self.waiting = Some(waiting),
                Ok(Happening::Call(Call::InitError(error))) => {
                    self.kill().await;
                    return Err(Ended::InitError(error));
                }
                Ok(Happening::Call(call)) => refuse(call),
                Ok(Happening::Exit(status)) => return Err(self.ended(status).await),
                Err(_) => {
                    self.kill().await;
                    return Err(Ended::TimedOut(limit));
                }
            }
        }
        Ok(())
    }

    /// Gives the process an event. If that fails, the process is gone and has not seen the event.
    pub(super) async fn hand_over(&mut self, event: &Event) -> Result<(), Ended> {
        loop {
            self.ready(self.function.timeout).await?;
            // A connection can be lost, and made again.
            if self.waiting.take().is_some_and(|waiting| waiting.send(event.clone()).is_ok()) {
                self.request_id = Some(event.request_id.clone());
                return Ok(());
            }
        }
    }

    /// Waits for the answer to the event that was handed over. Returns, besides it, whether the process is still alive.
    pub(super) async fn answer(&mut self, request_id: &str) -> (Result<Value, FunctionError>, bool) {
        let limit = self.function.timeout;
        match timeout(limit, self.report(request_id)).await {
            Ok(Ok(answer)) => (answer, true),
            Ok(Err(ended)) => (Err(ended.error(request_id)), false),
            Err(_) => {
                self.kill().await;
                (Err(Ended::TimedOut(limit).error(request_id)), false)
            }
        }
    }

    async fn report(&mut self, request_id: &str) -> Result<Result<Value, FunctionError>, Ended> {
        loop {
            match self.happening().await {
                Happening::Call(Call::Response(report)) if report.request_id == request_id => {
                    return Ok(Self::response(report));
                }
                Happening::Call(Call::Error(report)) if report.request_id == request_id => {
                    report.verdict.send(Verdict::Accepted).ok();
                    return Ok(Err(FunctionError { kind: FailureKind::Handled, payload: report.body }));
                }
                Happening::Call(call) => refuse(call),
                Happening::Exit(status) => return Err(self.ended(status).await),
            }
        }
    }

    fn response(report: Report<axum::body::Bytes>) -> Result<Value, FunctionError> {
        let too_large = report.body.len() > MAX_RESPONSE;
        let verdict = if too_large { Verdict::TooLarge } else { Verdict::Accepted };
        // If the process is gone, its answer is here nevertheless.
        report.verdict.send(verdict).ok();
        if too_large {
            let message = format!(
                "Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE} bytes)."
            );
            let payload = json!({"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message});
            return Err(FunctionError { kind: FailureKind::Unhandled, payload });
        }
        let text = || Value::from(String::from_utf8_lossy(&report.body).into_owned());
        Ok(serde_json::from_slice(&report.body).unwrap_or_else(|_| text()))
    }

    /// Whether the process has not ended while nobody looked.
    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Bytes, see [`super::Outcome::max_memory`].
    pub(super) fn max_memory(&self) -> Option<u64> {
        max_memory(&self.child)
    }

    /// See [`super::Outcome::processor_time`].
    pub(super) fn processor_time(&self) -> Option<Duration> {
        processor_time(&self.child)
    }

    /// Ends the process in good order.
    pub(super) async fn terminate(mut self) {
        if let Err(error) = terminate(&mut self.child).await {
            tracing::warn!(function = self.function.logical_id, %error, "cannot end an environment");
        }
        self.last_lines().await;
    }

    async fn kill(&mut self) {
        if let Err(error) = kill(&mut self.child).await {
            tracing::warn!(function = self.function.logical_id, %error, "cannot kill an environment");
        }
        self.last_lines().await;
    }

    async fn ended(&mut self, status: io::Result<ExitStatus>) -> Ended {
        self.last_lines().await;
        status.map_or_else(Ended::Io, Ended::Exited)
    }

    /// The next call, or the end of the process. Log lines come first: what the function wrote before it answered
    /// is in the log before its answer is known.
    async fn happening(&mut self) -> Happening {
        loop {
            tokio::select! {
                biased;
                line = self.stdout.next(), if !self.stdout.ended => self.log(line),
                line = self.stderr.next(), if !self.stderr.ended => self.log(line),
                Some(call) = self.calls.recv() => return Happening::Call(call),
                status = self.child.wait() => return Happening::Exit(status),
                Ok(()) = self.kill.changed() => {
                    return Happening::Exit(kill(&mut self.child).await);
                }
                () = announced(&mut self.shutdown) => {
                    return Happening::Exit(terminate(&mut self.child).await);
                }
            }
        }
    }

    async fn last_lines(&mut self) {
        let read = async {
            while !(self.stdout.ended && self.stderr.ended) {
                let line = tokio::select! {
                    line = self.stdout.next(), if !self.stdout.ended => line,
                    line = self.stderr.next(), if !self.stderr.ended => line,
                };
                self.log(line);
            }
        };
        // Lines that come later are nobody's.
        timeout(LAST_LINES, read).await.ok();
    }

    fn log(&self, line: Option<String>) {
        let Some(text) = line else { return };
        self.logs.write(&self.function, self.request_id.clone(), text);
    }
}

/// Where an environment's lines go: a log stream of its own, in the name of the function's role.
#[derive(Debug)]
struct LogStream {
    name: String,
    arn: String,
    /// Without `logs:CreateLogStream` there is none, and nothing is kept.
    exists: bool,
    logs: Logs,
    iam: Iam,
}

impl LogStream {
    fn open(function: &Function, name: String, surroundings: &Surroundings) -> Self {
        let group = &function.logging.group;
        let arn = surroundings.account.arn("logs", &format!("log-group:{group}:log-stream:{name}"));
        let iam = surroundings.iam.clone();
        let created = iam.authorize(&function.principal(), "logs:CreateLogStream", &arn, &[]);
        Self { name, arn, exists: created.is_ok(), logs: surroundings.logs.clone(), iam }
    }

    /// Keeps a line if the role may `logs:PutLogEvents`. The function notices nothing of it.
    fn write(&self, function: &Function, request_id: Option<String>, text: String) {
        let put = || self.iam.authorize(&function.principal(), "logs:PutLogEvents", &self.arn, &[]);
        if self.exists && put().is_ok() {
            self.logs.write(LogLine {
                function: function.logical_id.clone(),
                stream: self.name.clone(),
                request_id,
                at: Timestamp::now(),
                text,
            });
        }
    }
}

impl Ended {
    /// What the caller is told.
    pub(super) fn error(self, request_id: &str) -> FunctionError {
        let sandbox =
            |kind, error_type, message: &str| FunctionError::sandbox(kind, error_type, request_id, message);
        match self {
            Self::InitError(payload) => FunctionError { kind: FailureKind::Handled, payload },
            Self::Exited(status) => {
                let message = match describe(status) {
                    Some(how) => format!("Runtime exited with error: {how}"),
                    None => "Runtime exited without providing a reason".into(),
                };
                sandbox(FailureKind::Unhandled, "Runtime.ExitError", &message)
            }
            Self::TimedOut(limit) => {
                let message = format!("Task timed out after {:.2} seconds", limit.as_secs_f64());
                sandbox(FailureKind::Timeout, "Sandbox.Timedout", &message)
            }
            Self::Io(error) => {
                sandbox(FailureKind::Unhandled, "Runtime.InvalidEntrypoint", &error.to_string())
            }
        }
    }
}

/// Waits until the shutdown is announced.
async fn announced(shutdown: &mut watch::Receiver<bool>) {
    if shutdown.wait_for(|shutdown| *shutdown).await.is_err() {
        // Nobody is left to announce it.
        std::future::pending::<()>().await;
    }
}

/// Answers a call that does not fit.
fn refuse(call: Call) {
    match call {
        Call::Response(report) => report.verdict.send(Verdict::WrongRequest).ok(),
        Call::Error(report) => report.verdict.send(Verdict::WrongRequest).ok(),
        // Dropping the sender answers it.
        Call::Next(_) | Call::InitError(_) => None,
    };
}

/// The variables that Lambda sets, from <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>.
/// `LD_LIBRARY_PATH` is left out: it names directories that only Lambda has.
fn lambda_variables(function: &Function, region: &str, stream: &str) -> Vec<(&'static str, String)> {
    let credentials = &function.credentials;
    let logging = &function.logging;
    let mut variables = vec![
        ("_HANDLER", function.handler.clone()),
        ("AWS_ACCESS_KEY_ID", credentials.access_key_id.clone()),
        ("AWS_DEFAULT_REGION", region.to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory_size.to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", function.name.clone()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".into()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".into()),
        ("AWS_LAMBDA_LOG_FORMAT", logging.format.as_str().into()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", logging.group.clone()),
        ("AWS_LAMBDA_LOG_STREAM_NAME", stream.to_owned()),
        ("AWS_REGION", region.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key.clone()),
        ("AWS_SESSION_TOKEN", credentials.session_token.clone()),
        ("LAMBDA_RUNTIME_DIR", "/var/runtime".into()),
        ("LANG", "en_US.UTF-8".into()),
        ("PATH", "/usr/local/bin:/usr/bin/:/bin:/opt/bin".into()),
        ("TZ", ":UTC".into()),
    ];
    if let (LogFormat::Json, Some(level)) = (logging.format, &logging.level) {
        variables.push(("AWS_LAMBDA_LOG_LEVEL", level.clone()));
    }
    variables
}
