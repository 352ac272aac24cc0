//! What happens where a role or a policy does not allow what is needed: nothing silently.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use crash_capture_local::cloud::{APPLICATION, STREAM_GROUP};
use crash_capture_local::executables::workspace;
use crash_capture_local::iam::Grant;
use crash_capture_local::streams::ExportStatus;
use crash_capture_local::template::{Stack, StackOptions, Template};
use serde_json::json;

use support::{Cloud, INDEX_EXPORT, START_EXPORT, session_event};

const UNDELIVERED_EVENTS: &str = "UndeliveredEventsQueue";

/// What the template grants, as the local cloud deploys it.
fn stack() -> Stack {
    let template = Template::read(&workspace().join("template.yaml")).unwrap();
    let parameters = [("StreamGroups".to_owned(), STREAM_GROUP.to_owned())].into();
    let options = StackOptions { name: "crash-capture".to_owned(), parameters, ..StackOptions::default() };
    template.resolve(&options).unwrap()
}

/// A cloud without the grants that are selected, of which there has to be one.
async fn cloud_without(selected: impl Fn(&Grant) -> bool) -> Cloud {
    let grants = stack().policies.into_iter().map(|attachment| attachment.statement.grant);
    let without: Vec<_> = grants.filter(selected).collect();
    assert!(!without.is_empty());
    Cloud::start_with(|options| options.without.extend(without)).await
}

fn is(grant: &Grant, policy: &str, statement: &str, action: &str) -> bool {
    (&*grant.policy, &*grant.statement, &*grant.action) == (policy, statement, action)
}

#[tokio::test]
async fn without_list_bucket_an_object_that_is_not_there_is_denied() {
    let cloud = cloud_without(|grant| is(grant, "IndexExportRole", "Bucket", "s3:ListBucket")).await;
    cloud.will_refuse("s3:ListBucket");
    let key = format!("exports/20261123-010203-{APPLICATION}-{STREAM_GROUP}-ABC123def4567.zip");
    cloud.s3.put(&cloud.bucket, &key, b"no zip".to_vec(), "111122223333").await.unwrap();
    let event = json!({"bucket": cloud.bucket, "key": key});
    let outcome = cloud.lambda.invoke(INDEX_EXPORT, &event).await.unwrap();
    let error = outcome.result.unwrap_err();
    assert_eq!(error.error_type(), "service");
    let expected = format!(
        "GetObject: AccessDenied: User: arn:aws:sts::111122223333:assumed-role/crash-capture-IndexExportRole-local/\
         crash-capture-IndexExportFunction-local is not authorized to perform: s3:ListBucket on resource: \
         arn:aws:s3:::{} because no identity-based policy allows the s3:ListBucket action",
        cloud.bucket
    );
    assert!(error.error_message().contains(&expected), "{}", error.error_message());
    cloud.bus.settled().await;
}

#[tokio::test]
async fn an_export_is_written_in_the_name_of_whoever_asked_for_it() {
    let cloud = cloud_without(|grant| is(grant, "StartExportRole", "Exports", "s3:PutObject")).await;
    cloud.will_refuse("s3:PutObject");
    let (armed, by_hand) = (cloud.play(&[]).await, cloud.play(&[]).await);
    let folder = format!("s3://{}/exports/by-hand/", cloud.bucket);
    cloud.streams.export(&by_hand, &folder, "AKIASOMEBODY00000000").unwrap();
    cloud.start_export(&session_event(&cloud, &armed)).await;
    for session in [&armed, &by_hand] {
        cloud.streams.terminate(session).unwrap();
    }
    let export = cloud.ended(&armed).await.export.unwrap();
    assert_eq!(export.status, ExportStatus::Failed);
    let reason = export.status_reason.unwrap();
    assert!(reason.contains("StartExportRole") && reason.contains("s3:PutObject"), "{reason}");
    cloud.sweep().await;
    let record = cloud.record(&armed).await.unwrap();
    assert_eq!((&record["state"], &record["reason"]["code"]), (&json!("failed"), &json!("export-failed")));
    assert!(record["reason"]["detail"].as_str().unwrap().ends_with(&reason), "{record}");
    let export = cloud.ended(&by_hand).await.export.unwrap();
    assert_eq!((export.status, export.status_reason), (ExportStatus::Succeeded, None));
}

#[tokio::test]
async fn a_rule_without_permission_leaves_a_dead_letter() {
    let cloud = cloud_without(|grant| grant.policy == "StartExportFunctionSweepPermission").await;
    cloud.will_refuse("lambda:InvokeFunction");
    cloud.sweep().await;
    assert!(cloud.lambda.invocations().is_empty());
    let letters = cloud.dead_letters(UNDELIVERED_EVENTS);
    let [letter] = letters.as_slice() else { panic!("{letters:?}") };
    assert_eq!(letter.json()["detail-type"], "Scheduled Event");
    assert_eq!(letter.attributes["ERROR_CODE"], "NO_PERMISSIONS");
    assert!(letter.attributes["ERROR_MESSAGE"].contains("events.amazonaws.com"), "{letter:?}");
    assert!(letter.attributes["RULE_ARN"].ends_with("StartExportFunctionSweep-local"), "{letter:?}");
}

#[tokio::test]
async fn a_queue_without_the_rule_in_its_policy_keeps_nothing_of_it() {
    let cloud = cloud_without(|grant| {
        grant.policy == "UndeliveredEventsQueuePolicy" && grant.condition.contains("Sweep")
    })
    .await;
    cloud.will_refuse("sqs:SendMessage");
    cloud.lambda.delete(START_EXPORT).unwrap();
    cloud.sweep().await;
    assert!(cloud.dead_letters(UNDELIVERED_EVENTS).is_empty());
    cloud.events.put_raw(support::event("start-export/session-event-arn.json", &[]));
    cloud.bus.settled().await;
    let letters = cloud.dead_letters(UNDELIVERED_EVENTS);
    let codes: Vec<_> = letters.iter().map(|letter| letter.attributes["ERROR_CODE"].as_str()).collect();
    assert_eq!(codes, ["NO_RESOURCE"]);
}

#[tokio::test]
async fn a_destination_that_the_role_does_not_reach_gets_nothing() {
    let cloud =
        cloud_without(|grant| grant.policy == "StartExportRole" && grant.statement == "FailedInvocations")
            .await;
    cloud.will_refuse("sqs:SendMessage");
    cloud.lambda.invoke_async(START_EXPORT, json!({"hello": "world"})).unwrap();
    cloud.lambda.invoke_async(INDEX_EXPORT, json!({"hello": "world"})).unwrap();
    cloud.bus.settled().await;
    let letters = cloud.dead_letters(support::FAILED_INVOCATIONS);
    let from: Vec<_> =
        letters.iter().map(|letter| letter.json()["requestContext"]["functionArn"].clone()).collect();
    assert!(from.len() == 1 && from[0].as_str().unwrap().contains(INDEX_EXPORT), "{from:?}");
}

#[tokio::test]
async fn a_function_that_may_not_log_runs_and_nothing_is_kept() {
    for action in ["logs:CreateLogStream", "logs:PutLogEvents"] {
        let cloud = cloud_without(|grant| is(grant, "StartExportRole", "Logs", action)).await;
        cloud.will_refuse(action);
        let answer = cloud.start_export(&support::event("start-export/scheduled-event.json", &[])).await;
        assert_eq!(answer["trigger"], "sweep");
        assert!(cloud.lambda.logs(START_EXPORT).is_empty());
    }
}

#[tokio::test]
async fn one_stream_group_can_be_denied_to_a_function() {
    let cloud = Cloud::start().await;
    let group = cloud.account.arn("gameliftstreams", &format!("streamgroup/{STREAM_GROUP}"));
    let action = "gameliftstreams:ExportStreamSessionFiles";
    cloud.deny(START_EXPORT, action, &group).unwrap();
    cloud.will_refuse(action);
    let session = cloud.play(&[]).await;
    let outcome = cloud.lambda.invoke(START_EXPORT, &session_event(&cloud, &session)).await.unwrap();
    let error = outcome.result.unwrap_err();
    let expected = format!("{action} on resource: {group} with an explicit deny in an identity-based policy");
    assert!(error.error_message().contains(&expected), "{}", error.error_message());
    assert!(cloud.streams.session(&session).unwrap().export.is_none());
    let refused = cloud.streams.call_log().into_iter().filter_map(|call| call.error_code);
    assert!(refused.into_iter().all(|code| code == "AccessDeniedException"));
}

#[tokio::test]
async fn plain_http_is_refused_to_everybody_by_the_buckets_policy() {
    let cloud = Cloud::start_with(|options| options.plain_http = true).await;
    cloud.will_refuse("s3:PutObject");
    let session = cloud.play(&[]).await;
    let outcome = cloud.lambda.invoke(START_EXPORT, &session_event(&cloud, &session)).await.unwrap();
    let error = outcome.result.unwrap_err();
    let text = "with an explicit deny in a resource-based policy";
    assert!(error.error_message().contains(text), "{}", error.error_message());
}

#[tokio::test]
#[should_panic(expected = "nothing grants these calls")]
async fn a_call_that_is_refused_unexpectedly_fails_the_test() {
    let cloud = cloud_without(|grant| is(grant, "StartExportRole", "Bucket", "s3:ListBucket")).await;
    cloud.sweep().await;
}

#[tokio::test]
#[should_panic(expected = "were to be refused, and were not")]
async fn a_refusal_that_was_announced_and_does_not_come_fails_the_test() {
    let cloud = Cloud::start().await;
    cloud.will_refuse("s3:ListBucket");
    cloud.sweep().await;
}
