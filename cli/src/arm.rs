//! `crash-capture arm`: asks start-export to arm a session, as a backend does by invoking it.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::Builder;
use aws_sdk_lambda::primitives::Blob;
use crash_capture::service::ServiceError;
use crash_capture::session::SessionName;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::captures::{Capture, SessionArgument};
use crate::deployment::Deployment;
use crate::failure::Failure;
use crate::output::Output;

/// The stack's output that names the function.
const FUNCTION_OUTPUT: &str = "StartExportFunctionName";

/// The function's own time limit, and a little more.
const PATIENCE: Duration = Duration::from_secs(80);

/// What start-export says of the session.
#[derive(Debug, Deserialize)]
struct Told {
    outcome: String,
    #[serde(default)]
    detail: String,
}

/// Arms a session.
pub(crate) async fn run(
    deployment: &Deployment,
    wanted: &SessionArgument,
    output: Output,
) -> Result<(), Failure> {
    let session = name(deployment, wanted).await?;
    let config = deployment.sdk_config().await?;
    let stack = deployment.describe(&config).await?;
    let function = stack.output(FUNCTION_OUTPUT)?;
    let answer = invoke(&config, function, &session).await?;
    let told = answer["sessions"].get(0).cloned().unwrap_or_default();
    let Ok(told) = Told::deserialize(told) else {
        return Err(Failure::other(format!("{function} answered what this version does not know: {answer}")));
    };
    if output.is_json() {
        output.json(&answer)?;
    }
    let said = sentence(&session, &told);
    match told.outcome.as_str() {
        "armed" | "already-armed" | "not-yet" | "settled" if output.is_json() => Ok(()),
        "armed" | "already-armed" | "not-yet" | "settled" => output.text(&said),
        "not-found" => Err(Failure::not_found(said)),
        _ => Err(Failure::other(said)),
    }
}

/// The session that is meant. One that nobody has seen yet has to be named in full.
async fn name(deployment: &Deployment, wanted: &SessionArgument) -> Result<SessionName, Failure> {
    if let Some(name) = wanted.full_name() {
        return Ok(name);
    }
    match deployment.captures().await?.find(wanted).await {
        Ok(Capture::Settled(record)) => Ok(record.name.session),
        Ok(Capture::Open(open)) => Ok(open.marker.session.name()),
        Err(Failure::NotFound(_)) => Err(Failure::not_found(format!(
            "nobody has seen a session {wanted} yet: name it in full, by its ARN or as <stream group>/<session>"
        ))),
        Err(failure) => Err(failure),
    }
}

async fn invoke(config: &SdkConfig, function: &str, session: &SessionName) -> Result<Value, Failure> {
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(PATIENCE).build();
    let client = Client::from_conf(Builder::from(config).timeout_config(timeouts).build());
    let event = json!({"streamGroupId": session.stream_group, "streamSessionId": session.id});
    let invoked = client.invoke().function_name(function).payload(Blob::new(event.to_string())).send().await;
    let invoked = invoked.map_err(|error| ServiceError::new("Invoke", &error))?;
    let payload = invoked.payload.map(Blob::into_inner).unwrap_or_default();
    let answer: Value = serde_json::from_slice(&payload).map_err(Failure::other)?;
    if invoked.function_error.is_some() {
        let word = |field: &str| answer[field].as_str().unwrap_or_default().to_owned();
        return Err(Failure::other(format!(
            "start-export failed: {}: {}",
            word("errorType"),
            word("errorMessage")
        )));
    }
    Ok(answer)
}

fn sentence(session: &SessionName, told: &Told) -> String {
    let Told { outcome, detail } = told;
    match outcome.as_str() {
        "armed" => format!("{session} is armed: when it ends, its files go to {detail}"),
        "already-armed" => format!("{session} had been armed before"),
        "not-yet" => format!("{session} cannot be armed yet: {detail}. The sweep arms it as soon as it can"),
        "settled" => format!("{session} has ended and is settled: crash-capture show {session}"),
        "missed" | "failed" => format!("{session} is {outcome}: {detail}"),
        "not-found" => format!("GameLift Streams knows no session {session}"),
        _ => format!("{session} could not be armed: {outcome}: {detail}"),
    }
}
