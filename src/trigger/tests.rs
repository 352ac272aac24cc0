use std::path::Path;

use serde_json::json;

use super::*;

fn scope_of(event: &Value) -> Result<Scope, Error> {
    Trigger::parse(event, Timestamp::UNIX_EPOCH).map(|trigger| trigger.scope)
}

#[test]
fn what_is_no_event_is_refused_with_what_was_expected() {
    for event in [
        json!(null),
        json!(7),
        json!([]),
        json!({"hello": "world"}),
        json!({"detail-type": "Scheduled Event"}),
        json!({"detail-type": "Scheduled Event", "source": "my.source", "detail": {}}),
        json!({"detail-type": "Stream Session State Change", "source": "aws.gameliftstreams", "detail": {}}),
        json!({"detail-type": "EC2 Instance State-change Notification", "source": "aws.ec2", "detail": {}}),
        json!({"detail-type": "CloudWatch Alarm State Change", "source": "aws.cloudwatch", "detail": {}}),
        json!({"detail-type": "AWS API Call via CloudTrail", "source": "aws.ec2", "detail": {"eventSource": "ec2.amazonaws.com"}}),
    ] {
        let error = scope_of(&event).unwrap_err();
        assert_eq!(error.code(), "unknown-event", "{event}");
        assert!(!error.retry_helps());
    }
    let error = scope_of(&json!({"hello": "world"})).unwrap_err().to_string();
    assert!(error.contains("hello") && error.contains("expected a Scheduled Event"), "{error}");
}

#[test]
fn a_session_that_cannot_be_read_is_refused_with_what_was_expected() {
    let error = scope_of(&json!({"streamSessionArn": "arn:aws:s3:::bucket"})).unwrap_err().to_string();
    assert!(
        error.contains("arn:aws:s3:::bucket") && error.contains("the ARN of a stream session"),
        "{error}"
    );
    let error = scope_of(&json!({"streamSessionId": "abc"})).unwrap_err().to_string();
    assert!(error.contains("streamGroupId is missing"), "{error}");
    let error =
        scope_of(&json!({"streamSessionId": "../x", "streamGroupId": "sg-1"})).unwrap_err().to_string();
    assert!(error.contains("streamSessionId") && error.contains("an identifier"), "{error}");
}

/// Each file in `events/start-export/` is one that start-export knows.
#[test]
fn every_event_of_the_collection_is_understood() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("events/start-export");
    let mut count = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let event: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        if path.ends_with("alarm-direct-action.json") || path.ends_with("alarm-contributor.json") {
            continue;
        }
        scope_of(&event).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        count += 1;
    }
    assert!(count > 5, "{count}");
}
