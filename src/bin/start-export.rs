//! The Lambda function `start-export`: the door of [`crash_capture::arming`].

use crash_capture::arming::{Answer, StartExport};
use crash_capture::aws::lambda_config;
use crash_capture::config::Config;
use crash_capture::error::Error;
use crash_capture::logging;
use crash_capture::store::Store;
use crash_capture::streams::Streams;
use jiff::Timestamp;
use lambda_runtime::{LambdaEvent, run, service_fn};
use serde_json::Value;

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    logging::init();
    let sdk = lambda_config();
    // A wrong environment fails each invocation, with an error that its dead letter carries; not the process.
    let function = Config::from_env().map(|config| {
        let store = Store::new(aws_sdk_s3::Client::new(&sdk), &config.bucket);
        let streams = Streams::new(&sdk, config.calls_per_second).with_user_ids(config.user_ids);
        StartExport::new(streams, store, config)
    });
    run(service_fn(async |event: LambdaEvent<Value>| -> Result<Answer, Error> {
        let deadline =
            i64::try_from(event.context.deadline).ok().and_then(|at| Timestamp::from_millisecond(at).ok());
        let function = function.as_ref().map_err(Clone::clone)?;
        Box::pin(function.handle(&event.payload, deadline.unwrap_or(Timestamp::MAX))).await
    }))
    .await
}
