//! Rules, the schedule, and what could not be delivered.

use aws_sdk_eventbridge::Client as EventBridge;
use aws_sdk_eventbridge::types::RuleState;
use aws_sdk_sqs::Client as Sqs;
use aws_sdk_sqs::types::QueueAttributeName;
use crash_capture::service::{Fault, ServiceError};
use futures_util::future::join_all;

use crate::deployment::Resource;

use super::{Finding, Patient};

/// The rule that is the schedule, by its logical id.
const SWEEP: &str = "StartExportFunctionSweep";

/// The rule that is switched on by a parameter of the same words.
const EVERY_OTHER_CRASH: &str = "EveryOtherCrash";

const ENABLE: &str =
    "Somebody disabled or deleted it by hand. Enable it in EventBridge's console, or deploy the stack again.";

pub(super) async fn look(patient: &Patient) -> Vec<Finding> {
    let (rules, failed, undelivered) = tokio::join!(
        rules(patient),
        queue(
            patient,
            "queue: failed invocations",
            "FailedInvocationsQueueUrl",
            "Each message holds an event and the error. Mend the cause, invoke the function with each requestPayload, and \
             purge the queue: docs/operations.md."
        ),
        queue(
            patient,
            "queue: undelivered events",
            "UndeliveredEventsQueueUrl",
            "The attributes ERROR_CODE and RULE_ARN say what EventBridge could not call. Mend the cause, and put the events \
             on the bus again: docs/operations.md."
        ),
    );
    rules.into_iter().chain([failed, undelivered]).collect()
}

async fn rules(patient: &Patient) -> Vec<Finding> {
    let client = EventBridge::new(&patient.config);
    let resources = match patient.stack.resources(&patient.config, "AWS::Events::Rule").await {
        Ok(resources) => resources,
        Err(failure) => return vec![Finding::unknown("rules", failure)],
    };
    let every_crash = patient.stack.parameter("EveryCrash") == "ENABLED";
    let (schedule, rules): (Vec<_>, Vec<_>) =
        resources.into_iter().partition(|rule| rule.logical_id == SWEEP);
    let wanted = rules.iter().filter(|rule| rule.logical_id != EVERY_OTHER_CRASH || every_crash);
    let wanted: Vec<_> = wanted.collect();
    let good = format!("{} are enabled", wanted.len());
    let (schedule, rules) = tokio::join!(
        finding(&client, "schedule", "the sweep is enabled".to_owned(), schedule.iter().collect()),
        finding(&client, "rules", good, wanted)
    );
    vec![schedule, rules]
}

async fn finding(client: &EventBridge, check: &'static str, good: String, rules: Vec<&Resource>) -> Finding {
    let states = join_all(rules.iter().map(async |rule| wrong(client, rule).await)).await;
    match states.into_iter().collect::<Result<Vec<_>, _>>() {
        Err(error) => Finding::unknown(check, error),
        Ok(_) if rules.is_empty() => Finding::bad(check, "the stack has none", ENABLE),
        Ok(wrong) => Finding::of_list(check, good, &wrong.into_iter().flatten().collect::<Vec<_>>(), ENABLE),
    }
}

/// What is wrong with a rule.
async fn wrong(client: &EventBridge, rule: &Resource) -> Result<Option<String>, ServiceError> {
    let answer = client.describe_rule().name(&rule.physical_id).send().await;
    match answer.map_err(|error| ServiceError::new("DescribeRule", &error)) {
        Ok(answer) if answer.state() == Some(&RuleState::Disabled) => {
            Ok(Some(format!("{} is disabled", rule.logical_id)))
        }
        Ok(_) => Ok(None),
        // EventBridge answers 400.
        Err(error) if error.code == "ResourceNotFoundException" || error.fault == Fault::NotFound => {
            Ok(Some(format!("{} is gone", rule.logical_id)))
        }
        Err(error) => Err(error),
    }
}

async fn queue(patient: &Patient, check: &'static str, output: &str, advice: &'static str) -> Finding {
    let url = match patient.stack.output(output) {
        Ok(url) => url,
        Err(failure) => return Finding::unknown(check, failure),
    };
    let names = [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
    ];
    let request = Sqs::new(&patient.config).get_queue_attributes().queue_url(url);
    let answer = request.set_attribute_names(Some(names.to_vec())).send().await;
    let attributes = match answer.map_err(|error| ServiceError::new("GetQueueAttributes", &error)) {
        Ok(answer) => answer.attributes.unwrap_or_default(),
        Err(error) => return Finding::unknown(check, error),
    };
    let count = |name| attributes.get(name).and_then(|count| count.parse::<u64>().ok()).unwrap_or(0);
    match names.iter().map(count).sum::<u64>() {
        0 => Finding::good(check, "empty"),
        count => Finding::bad(check, format!("{count} messages"), advice),
    }
}
