//! What the functions are told.

use std::collections::HashMap;

use aws_sdk_lambda::Client;
use aws_sdk_lambda::operation::get_function_configuration::GetFunctionConfigurationOutput;
use aws_sdk_lambda::types::{LastUpdateStatus, State};
use crash_capture::config::{Config, StreamGroups};
use crash_capture::service::{Fault, ServiceError};

use super::{Finding, Patient};

const START_EXPORT: (&str, &str) = ("start-export", "StartExportFunctionName");
const INDEX_EXPORT: (&str, &str) = ("index-export", "IndexExportFunctionName");

const REDEPLOY: &str = "Deploy the stack again, with the parameters mended.";

pub(super) async fn look(patient: &Patient) -> Vec<Finding> {
    let client = Client::new(&patient.config);
    let (start, index) =
        tokio::join!(function(patient, &client, START_EXPORT), function(patient, &client, INDEX_EXPORT));
    vec![start, index]
}

/// The stream groups that start-export is told to watch.
pub(super) async fn stream_groups(patient: &Patient) -> Result<StreamGroups, String> {
    let client = Client::new(&patient.config);
    let (_, output) = START_EXPORT;
    let name = patient.stack.output(output).map_err(|failure| failure.to_string())?;
    let found = describe(&client, name).await.map_err(|error| error.to_string())?;
    configuration(&found).map(|config| config.stream_groups).map_err(|error| error.to_string())
}

async fn function(patient: &Patient, client: &Client, (check, output): (&'static str, &str)) -> Finding {
    let name = match patient.stack.output(output) {
        Ok(name) => name,
        Err(failure) => return Finding::bad(check, failure.to_string(), REDEPLOY),
    };
    let found = match describe(client, name).await {
        Ok(found) => found,
        Err(error) if error.fault == Fault::NotFound => {
            return Finding::bad(check, format!("there is no function {name}"), REDEPLOY);
        }
        Err(error) => return Finding::unknown(check, error),
    };
    let state = found.state().cloned().unwrap_or(State::Active);
    let update = found.last_update_status().cloned().unwrap_or(LastUpdateStatus::Successful);
    // Lambda sets a function that has not run for weeks aside: it is Inactive until it is invoked.
    if matches!(state, State::Failed | State::Pending) || update == LastUpdateStatus::Failed {
        let detail = format!("it is {state}, its last update {update}");
        return Finding::bad(check, detail, "Its page in Lambda's console says why it cannot run.");
    }
    match configuration(&found) {
        Err(error) => Finding::bad(check, error.to_string(), REDEPLOY),
        Ok(config) if config.bucket != patient.captures.bucket() => {
            Finding::bad(check, format!("it works on another bucket: {}", config.bucket), REDEPLOY)
        }
        Ok(_) => Finding::good(check, "its configuration makes sense"),
    }
}

async fn describe(client: &Client, name: &str) -> Result<GetFunctionConfigurationOutput, ServiceError> {
    let answer = client.get_function_configuration().function_name(name).send().await;
    answer.map_err(|error| ServiceError::new("GetFunctionConfiguration", &error))
}

/// What the function makes of its environment.
fn configuration(
    found: &GetFunctionConfigurationOutput,
) -> Result<Config, crash_capture::config::ConfigError> {
    let none = HashMap::new();
    let variables = found.environment().and_then(|environment| environment.variables()).unwrap_or(&none);
    let region = found.function_arn().and_then(|arn| arn.split(':').nth(3));
    let configured = Config::with_rules_from_lookup(|name| match name {
        "AWS_REGION" => region.map(ToOwned::to_owned),
        name => variables.get(name).cloned(),
    });
    configured.map(|(config, _)| config)
}
