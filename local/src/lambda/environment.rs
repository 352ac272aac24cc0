//! An execution environment: one process of a function's executable, which handles one event after the other.

use std::io;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot};

use super::invocation::{FunctionError, Outcome};
use super::runtime_api::{Job, RuntimeApi};
use super::{FunctionConfig, LogLine, Shared, lock};

/// How long a process may take until it asks for its first event (Lambda developer guide, "Init phase").
const INIT: Duration = Duration::from_secs(10);

/// A process that waits for an event, or handles one.
#[derive(Debug)]
pub(super) struct Environment {
    number: u64,
    process: Child,
    jobs: mpsc::Sender<Job>,
    api: RuntimeApi,
    is_new: bool,
}

impl Environment {
    /// Starts a process of a function.
    pub(super) fn start(shared: &Arc<Shared>, config: &FunctionConfig) -> io::Result<Self> {
        let (number, jobs, endpoint) = shared.api.open();
        let executable = &shared.options.executables[&config.binary];
        let mut process = Command::new(executable)
            .env_clear()
            .envs(&shared.options.environment)
            .envs(&config.environment)
            .envs(variables(shared, config, number, endpoint))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        keep_log(shared, config, number, process.stdout.take());
        keep_log(shared, config, number, process.stderr.take());
        Ok(Self { number, process, jobs, api: shared.api.clone(), is_new: true })
    }

    /// The environment, if its process has not exited.
    pub(super) fn still_runs(mut self) -> Option<Self> {
        matches!(self.process.try_wait(), Ok(None)).then_some(self)
    }

    /// Lets the process handle an event. Gives the environment back, if it can handle another.
    pub(super) async fn run(
        mut self,
        config: &FunctionConfig,
        request_id: &str,
        payload: &Value,
    ) -> (Outcome, Option<Self>) {
        let allowance = if self.is_new { config.timeout + INIT } else { config.timeout };
        let (reply, answer) = oneshot::channel();
        let deadline =
            Timestamp::now().as_millisecond() + i64::try_from(config.timeout.as_millis()).unwrap_or(i64::MAX);
        let job = Job {
            request_id: request_id.to_owned(),
            function_arn: config.arn.clone(),
            deadline,
            payload: payload.to_string(),
            reply,
        };
        self.is_new = false;
        let answered = async {
            // Both ends wait for the process; if it exits, the other branch tells.
            self.jobs.send(job).await.ok();
            match answer.await {
                Ok(outcome) => outcome,
                Err(_) => std::future::pending().await,
            }
        };
        let outcome = tokio::select! {
            biased;
            outcome = answered => outcome,
            status = self.process.wait() => return (exited(request_id, status), None),
            () = tokio::time::sleep(allowance) => {
                self.process.start_kill().ok();
                self.process.wait().await.ok();
                return (timed_out(request_id, config.timeout), None);
            }
        };
        (outcome, Some(self))
    }

    /// The largest memory that the process has had so far, in bytes.
    pub(super) fn peak_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()?)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
    }

    /// Ends the process.
    pub(super) async fn stop(mut self) {
        self.process.start_kill().ok();
        self.process.wait().await.ok();
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        self.api.close(self.number);
    }
}

/// What Lambda itself puts into a function's environment (developer guide, "Defined runtime environment variables").
fn variables(
    shared: &Shared,
    config: &FunctionConfig,
    number: u64,
    endpoint: String,
) -> Vec<(&'static str, String)> {
    let region = &shared.options.account.region;
    let group = config.logging.group.clone().unwrap_or_else(|| format!("/aws/lambda/{}", config.name));
    let mut variables = vec![
        ("AWS_LAMBDA_RUNTIME_API", endpoint),
        ("AWS_LAMBDA_FUNCTION_NAME", config.name.clone()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", config.memory_mib.to_string()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", group),
        ("AWS_LAMBDA_LOG_STREAM_NAME", format!("local/[$LATEST]{number:032x}")),
        ("AWS_REGION", region.clone()),
        ("AWS_DEFAULT_REGION", region.clone()),
        ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023".to_owned()),
        ("_HANDLER", "bootstrap".to_owned()),
        ("LAMBDA_TASK_ROOT", "/var/task".to_owned()),
        ("TZ", ":UTC".to_owned()),
    ];
    if let Some((key, secret)) = shared.options.credentials.get(&config.name) {
        variables.push(("AWS_ACCESS_KEY_ID", key.clone()));
        variables.push(("AWS_SECRET_ACCESS_KEY", secret.clone()));
    }
    if let Some(format) = &config.logging.format {
        variables.push(("AWS_LAMBDA_LOG_FORMAT", format.clone()));
    }
    if let Some(level) = &config.logging.level {
        variables.push(("AWS_LAMBDA_LOG_LEVEL", level.clone()));
    }
    variables
}

fn keep_log(
    shared: &Arc<Shared>,
    config: &FunctionConfig,
    environment: u64,
    stream: Option<impl AsyncRead + Unpin + Send + 'static>,
) {
    let (Some(stream), shared, function) = (stream, Arc::downgrade(shared), config.name.clone()) else {
        return;
    };
    tokio::spawn(async move {
        let mut lines = BufReader::new(stream).lines();
        while let Ok(Some(text)) = lines.next_line().await {
            let Some(shared) = shared.upgrade() else { return };
            lock(&shared.log).push(LogLine { function: function.clone(), environment, text });
        }
    });
}

fn exited(request_id: &str, status: io::Result<std::process::ExitStatus>) -> Outcome {
    let how = status.map_or_else(|error| error.to_string(), |status| status.to_string());
    Outcome::Failed(FunctionError::new("Runtime.ExitError", format!("RequestId: {request_id} Error: {how}")))
}

fn timed_out(request_id: &str, after: Duration) -> Outcome {
    let message =
        format!("RequestId: {request_id} Error: Task timed out after {:.2} seconds", after.as_secs_f64());
    Outcome::Failed(FunctionError::new("Sandbox.Timedout", message))
}
