//! `crash-capture doctor`: each of its checks, shown failing.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "support/cloud.rs"]
mod cloud;

use std::collections::BTreeSet;

use crash_capture_local::cloud::STREAM_GROUP;
use crash_capture_local::delivery::Message;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use cloud::{Cloud, SWEEP};

/// All that is looked at.
const CHECKS: [&str; 15] = [
    "bucket: public access",
    "bucket: encryption",
    "bucket: TLS only",
    "bucket: events",
    "bucket: retention",
    "start-export",
    "index-export",
    "schedule",
    "rules",
    "queue: failed invocations",
    "queue: undelivered events",
    "sweep",
    "open sessions",
    "overdue sessions",
    "stream groups",
];

/// What doctor finds wrong, with what it says of it. Its exit code says the same.
async fn wrong(cloud: &Cloud) -> Vec<(String, String)> {
    let (code, findings) = cloud.json(&["doctor"]).await;
    let names: Vec<_> = findings.iter().map(|finding| finding["check"].as_str().unwrap()).collect();
    assert_eq!(names, CHECKS);
    let is_wrong = |finding: &&Value| finding["health"] != "good";
    let wrong: Vec<_> = findings.iter().filter(is_wrong).collect();
    assert_eq!(code, Some(if wrong.is_empty() { 0 } else { 5 }), "{wrong:?}");
    for finding in &wrong {
        assert!(!finding["advice"].as_str().unwrap().is_empty(), "{finding}");
    }
    let text = |finding: &Value, field: &str| finding[field].as_str().unwrap().to_owned();
    wrong.into_iter().map(|finding| (text(finding, "check"), text(finding, "detail"))).collect()
}

/// Does something to a deployment.
type Break = fn(&Cloud);

/// What somebody may do by hand, which check it fails, and a part of what is said then.
const BREAKS: [(&str, &str, Break); 11] = [
    ("bucket: public access", "not blocked", |cloud| {
        cloud.s3.configure(&cloud.bucket, |bucket| bucket.blocks_public_access = false).unwrap();
    }),
    ("bucket: encryption", "the key is arn:aws:kms:us-west-2:1:key/x, the stack wants S3's own", |cloud| {
        let key = Some("arn:aws:kms:us-west-2:1:key/x".to_owned());
        cloud.s3.configure(&cloud.bucket, |bucket| bucket.kms_key = key).unwrap();
    }),
    ("bucket: TLS only", "does not refuse plain HTTP", |cloud| {
        cloud.s3.configure(&cloud.bucket, |bucket| bucket.policy = None).unwrap();
    }),
    ("bucket: events", "do not go to EventBridge", |cloud| {
        cloud.s3.configure(&cloud.bucket, |bucket| bucket.eventbridge = false).unwrap();
    }),
    ("bucket: retention", "nothing deletes exports/ with Verdict=crash after 180 days", |cloud| {
        let remove = |rule: &crash_capture_local::s3::lifecycle::LifecycleRule| rule.id != "expire-crashes";
        cloud.s3.configure(&cloud.bucket, |bucket| bucket.lifecycle.retain(remove)).unwrap();
    }),
    ("schedule", "StartExportFunctionSweep is disabled", |cloud| cloud.bus.disable(SWEEP)),
    ("rules", "IndexExportFunctionObjectCreated is disabled", |cloud| {
        cloud.bus.disable("IndexExportFunctionObjectCreated");
    }),
    ("queue: failed invocations", "1 messages", |cloud| dead_letter(cloud, "FailedInvocationsQueue")),
    ("queue: undelivered events", "1 messages", |cloud| dead_letter(cloud, "UndeliveredEventsQueue")),
    ("index-export", "there is no function", |cloud| cloud.lambda.delete("IndexExportFunction").unwrap()),
    ("start-export", "there is no function", |cloud| cloud.lambda.delete("StartExportFunction").unwrap()),
];

fn dead_letter(cloud: &Cloud, queue: &str) {
    let queue = cloud.stack.queues.iter().find(|it| it.logical_id == queue).unwrap();
    cloud.mailboxes.deliver(&queue.arn, Message::new("{}")).unwrap();
}

#[tokio::test]
async fn whatever_somebody_does_to_a_healthy_deployment_is_found_with_what_to_do() {
    let cloud = Cloud::start(&[]).await;
    cloud.sweep().await;
    assert_eq!(wrong(&cloud).await, []);
    let (code, told, _) = cloud.run(&["doctor"]).await;
    assert_eq!((code, told.matches("\nok").count()), (Some(0), CHECKS.len()), "{told}");
    let mut broken = BTreeSet::new();
    for (check, detail, break_it) in BREAKS {
        break_it(&cloud);
        broken.insert(check.to_owned());
        let mut wrong = wrong(&cloud).await;
        assert!(wrong.iter().any(|(it, told)| it == check && told.contains(detail)), "{check}: {wrong:?}");
        // Whom to watch only start-export knows.
        wrong.retain(|(it, _)| it != "stream groups");
        assert_eq!(wrong.into_iter().map(|(check, _)| check).collect::<BTreeSet<_>>(), broken);
    }
}

#[tokio::test]
async fn sessions_that_are_denied_and_sessions_that_are_overdue_are_named() {
    let cloud = Cloud::start(&[]).await;
    cloud.sweep().await;
    let marker = |id: &str, more: Value| {
        let mut marker = json!({"schema": 1, "session": {"id": id, "streamGroupId": STREAM_GROUP,
            "createdAt": Timestamp::now() - 2.hours()}, "trigger": {"kind": "sweep", "at": Timestamp::now()}});
        marker.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        marker
    };
    let settling = json!({"endedAt": Timestamp::now() - 1.hour(), "found": "PENDING", "looks": 3,
        "nextLook": Timestamp::now()});
    for marker in [
        marker("armed", json!({"armedAt": Timestamp::now()})),
        marker("denied", json!({"denied": "AccessDenied: no"})),
        marker("late", json!({"armedAt": Timestamp::now(), "settling": settling})),
    ] {
        let id = marker["session"]["id"].as_str().unwrap();
        cloud.put_json(&format!("open/{STREAM_GROUP}/{id}.json"), &marker).await;
    }
    let wrong = wrong(&cloud).await;
    let [(open, denied), (overdue, late)] = wrong.as_slice() else { panic!("{wrong:?}") };
    assert_eq!((open.as_str(), overdue.as_str()), ("open sessions", "overdue sessions"));
    assert_eq!(*denied, format!("{STREAM_GROUP}/denied: AccessDenied: no"));
    assert!(late.starts_with(&format!("{STREAM_GROUP}/late ended at ")), "{late}");
}

#[tokio::test]
async fn a_stream_group_that_is_not_there_and_a_sweep_that_does_not_come_are_found() {
    let cloud = Cloud::start(&[("StreamGroups", "sg-1AB2C3De4,sg-gone")]).await;
    let expected =
        [("sweep", "has not ended well for a day, or never"), ("stream groups", "there is no sg-gone")];
    assert_eq!(wrong(&cloud).await, expected.map(|(check, detail)| (check.to_owned(), detail.to_owned())));
}

#[tokio::test]
async fn parameters_that_make_no_sense_are_found_by_what_the_functions_make_of_them() {
    let elsewhere = "arn:aws:gameliftstreams:eu-central-1:111122223333:streamgroup/sg-1";
    let cloud = Cloud::start(&[("StreamGroups", elsewhere), ("CrashPattern", "boom(")]).await;
    let wrong = wrong(&cloud).await;
    for (check, detail) in [("start-export", "is of another Region"), ("index-export", "CRASH_PATTERN")] {
        assert!(wrong.iter().any(|(it, told)| it == check && told.contains(detail)), "{wrong:?}");
    }
}

#[tokio::test]
async fn without_a_stack_there_is_nothing_to_look_at() {
    let cloud = Cloud::start(&[]).await;
    let (code, stdout, stderr) = cloud.run(&["doctor", "--stack", "another"]).await;
    assert_eq!((code, stdout.as_str()), (Some(3), ""));
    assert!(stderr.contains("there is no stack another"), "{stderr}");
}
