//! The Lambda function `index-export`: the door of [`crash_capture::indexing`].

use crash_capture::aws::lambda_config;
use crash_capture::config::Config;
use crash_capture::error::Error;
use crash_capture::indexing::{Answer, IndexExport};
use crash_capture::logging;
use crash_capture::store::Store;
use crash_capture::streams::Streams;
use lambda_runtime::{LambdaEvent, run, service_fn};
use serde_json::Value;

// One thread: Lambda gives less than one processor below 1,769 MB (Lambda developer guide, "Configure Lambda function memory"),
// and each thread more would have a heap of its own.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    logging::init();
    let sdk = lambda_config();
    // A wrong environment fails each invocation, with an error that its dead letter carries; not the process.
    let function = Config::with_rules_from_env().map(|(config, rules)| {
        let store = Store::new(aws_sdk_s3::Client::new(&sdk), &config.bucket);
        let streams = Streams::new(&sdk, config.calls_per_second).with_user_ids(config.user_ids);
        IndexExport::new(streams, store, config, rules)
    });
    run(service_fn(async |event: LambdaEvent<Value>| -> Result<Answer, Error> {
        let function = function.as_ref().map_err(Clone::clone)?;
        let context = &event.context;
        Box::pin(function.handle(&event.payload, &context.request_id, context.deadline())).await
    }))
    .await
}
