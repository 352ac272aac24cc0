//! A Lambda function for the tests of the local Lambda: it does what its event says.

use lambda_runtime::{Diagnostic, LambdaEvent, run, service_fn};
use serde_json::{Value, json};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    run(service_fn(probe)).await
}

async fn probe(event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
    match event.payload["do"].as_str().unwrap_or_default() {
        "fail" => Err(Diagnostic { error_type: "probe".into(), error_message: "as asked".into() }),
        "exit" => std::process::exit(3),
        "sleep" => {
            tokio::time::sleep(std::time::Duration::from_mins(10)).await;
            Ok(Value::Null)
        }
        _ => {
            let variables: serde_json::Map<String, Value> =
                std::env::vars().map(|(name, value)| (name, value.into())).collect();
            Ok(json!({
                "process": std::process::id(),
                "requestId": event.context.request_id,
                "functionArn": event.context.invoked_function_arn,
                "deadline": event.context.deadline,
                "variables": variables,
            }))
        }
    }
}
