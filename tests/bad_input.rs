//! What is wrong is said, with what was expected; the event is tried again and at last kept; nothing else is written.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use crash_capture_local::executables;
use crash_capture_local::lambda::{self, Lambda};
use serde_json::{Value, json};

use support::{Cloud, FAILED_INVOCATIONS, INDEX_EXPORT, START_EXPORT, event};

/// The one dead letter that an event leaves behind, which fails at each of its three attempts.
async fn dead_letter(cloud: &Cloud, function: &str, event: &Value) -> Value {
    cloud.lambda.invoke_async(function, event.clone()).unwrap();
    cloud.bus.settled().await;
    let letters = cloud.dead_letters(FAILED_INVOCATIONS);
    let letter = letters.last().unwrap().json();
    assert_eq!(letter["requestContext"]["condition"], "RetriesExhausted");
    assert_eq!(letter["requestContext"]["approximateInvokeCount"], 3);
    assert_eq!(&letter["requestPayload"], event);
    letter["responsePayload"].clone()
}

fn assert_says(error: &Value, error_type: &str, parts: &[&str]) {
    assert_eq!(error["errorType"], error_type, "{error}");
    let message = error["errorMessage"].as_str().unwrap();
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in {message:?}");
    }
}

#[tokio::test]
async fn an_event_of_no_known_shape_fails_with_what_was_expected_and_is_kept() {
    let cloud = Cloud::start().await;
    let event = json!({"hello": "world"});
    let error = dead_letter(&cloud, START_EXPORT, &event).await;
    assert_says(&error, "unknown-event", &["hello", "expected a Scheduled Event", "streamSessionArn"]);
    let error = dead_letter(&cloud, INDEX_EXPORT, &event).await;
    assert_says(&error, "unknown-event", &["hello", "expected an Object Created"]);
    assert!(cloud.contents().await.is_empty());
    assert!(cloud.streams.call_log().is_empty());
}

#[tokio::test]
async fn an_arn_that_cannot_be_read_fails_with_what_was_expected() {
    let cloud = Cloud::start().await;
    let wrong = "arn:aws:gameliftstreams:us-west-2:111122223333:streamgroup/sg-1AB2C3De4";
    let event = event("start-export/session-event-arn.json", &[("/detail/streamSessionArn", wrong.into())]);
    let error = dead_letter(&cloud, START_EXPORT, &event).await;
    assert_says(
        &error,
        "unknown-event",
        &[wrong, "the ARN of a stream session, such as arn:aws:gameliftstreams:"],
    );
    assert!(cloud.contents().await.is_empty());
    assert!(cloud.streams.call_log().is_empty());
}

#[tokio::test]
async fn a_missing_variable_and_a_wrong_one_are_named_together() {
    let cloud = Cloud::start().await;
    let mut functions = cloud.stack.functions.clone();
    for function in &mut functions {
        function.environment.remove("CAPTURE_BUCKET");
        function.environment.insert("STREAM_GROUPS".to_owned(), "not a group".to_owned());
    }
    let executables = executables::available(&["start-export", "index-export"], false).unwrap();
    let options = lambda::Options::new(executables["start-export"].parent().unwrap());
    let lambda =
        Lambda::start(&cloud.account, functions, cloud.mailboxes.clone(), cloud.events.clone(), options);
    let lambda = lambda.await.unwrap();
    for (function, event) in [
        (START_EXPORT, event("start-export/scheduled-event.json", &[])),
        (INDEX_EXPORT, event("index-export/object-created.json", &[])),
    ] {
        lambda.invoke_async(function, event).unwrap();
        lambda.idle().await;
        let letter = cloud.dead_letters(FAILED_INVOCATIONS).last().unwrap().json();
        let parts = ["CAPTURE_BUCKET is not set", "\"not a group\" is not a stream group"];
        assert_says(&letter["responsePayload"], "configuration", &parts);
    }
    lambda.shut_down().await;
}

#[tokio::test]
async fn a_session_that_gamelift_streams_does_not_know_is_answered_as_such() {
    let cloud = Cloud::start().await;
    let answer = cloud.start_export(&event("start-export/direct-invocation.json", &[])).await;
    assert_eq!(answer["counts"], json!({"not-found": 1}));
    assert!(cloud.contents().await.is_empty());
}
