//! A Lambda function for the tests of the local Lambda: it does what the event says.
//!
//! `{"do": "echo"}` answers with the event and what the function was told about its invocation, `"environment"` with
//! all its variables; `"fail"`, `"panic"`, `"sleep"` (`"milliseconds"`), `"exit"` (`"code"`), `"exit-once"` (for each request) and
//! `"abort"` do that;
//! `"log"` writes `"lines"` to both outputs; `"large"` answers with `"bytes"` bytes. With `FAIL_INIT` set it exits before
//! it asks for an event.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{abort, exit};
use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::{Value, json};

/// What `"fail"` fails with.
#[derive(Debug)]
struct Failure(String);

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Failure> for lambda_runtime::Diagnostic {
    fn from(failure: Failure) -> Self {
        Self { error_type: "Failure".into(), error_message: failure.0 }
    }
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    if std::env::var_os("FAIL_INIT").is_some() {
        writeln!(std::io::stderr(), "no initialisation today")?;
        exit(7);
    }
    run(service_fn(handle)).await
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Failure> {
    let (event, context) = event.into_parts();
    match event["do"].as_str().unwrap_or("echo") {
        "echo" => Ok(json!({
            "event": event,
            "pid": std::process::id(),
            "requestId": context.request_id,
            "deadline": context.deadline,
            "functionArn": context.invoked_function_arn,
            "functionName": context.env_config.function_name,
            "traceId": context.xray_trace_id,
        })),
        "environment" => Ok(json!(std::env::vars().collect::<BTreeMap<_, _>>())),
        "fail" => Err(Failure(format!("as asked: {event}"))),
        "panic" => panic!("as asked"),
        "sleep" => {
            writeln!(std::io::stdout(), "sleeping {}", std::process::id()).map_err(failure)?;
            tokio::time::sleep(Duration::from_millis(number(&event, "milliseconds"))).await;
            Ok(json!({"pid": std::process::id()}))
        }
        "exit-once" => exit_once(&context.request_id),
        "exit" => exit(i32::try_from(number(&event, "code")).unwrap_or(1)),
        "abort" => abort(),
        "log" => {
            for line in 1..=number(&event, "lines") {
                writeln!(std::io::stdout(), "out {line}").map_err(failure)?;
                writeln!(std::io::stderr(), "err {line}").map_err(failure)?;
            }
            Ok(Value::Null)
        }
        "large" => Ok(Value::from("x".repeat(usize::try_from(number(&event, "bytes")).unwrap_or(0)))),
        other => Err(Failure(format!("cannot {other}"))),
    }
}

/// Exits, unless it did so already for this request.
fn exit_once(request_id: &str) -> Result<Value, Failure> {
    let mark = std::env::temp_dir().join(format!("echo-function-{request_id}"));
    if std::fs::remove_file(&mark).is_ok() {
        return Ok(Value::Null);
    }
    std::fs::write(&mark, "").map_err(failure)?;
    exit(1)
}

fn failure(error: impl std::fmt::Display) -> Failure {
    Failure(error.to_string())
}

fn number(event: &Value, key: &str) -> u64 {
    event[key].as_u64().unwrap_or_default()
}
