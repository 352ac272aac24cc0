//! The tags of exports: ours beside others', and those of the record that won.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crash_capture_local::cloud::{APPLICATION, STREAM_GROUP};
use crash_capture_local::faults::Fault;
use crash_capture_local::s3::lifecycle::expiry;
use serde_json::{Value, json};

use support::clients::s3_client;
use support::exports::crashed;
use support::{Cloud, QUIT, event, long_since, session_event};

const KEY: &str = "exports/a-9ZY8X7Wv6/sg-1AB2C3De4/2026-11-23/ABC123def4567.zip";
const OTHERS: [&str; 10] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];

/// A crash whose export somebody else has put this many tags on: its record, and the tags.
async fn captured(cloud: &Cloud, others: usize) -> (Value, Vec<(String, String)>) {
    let tags: Vec<_> = OTHERS.iter().take(others).map(|key| (*key, "theirs")).collect();
    cloud.put_tagged(KEY, crashed(0), &tags).await;
    cloud.bus.settled().await;
    let record = format!("index/v1/dt=2026-11-23/{APPLICATION}/{STREAM_GROUP}/ABC123def4567.json");
    (cloud.read_json(&record).await, cloud.tags(KEY).await)
}

fn problem(record: &Value) -> Option<&str> {
    let problems = record["problems"].as_array().unwrap();
    problems.iter().find(|problem| problem["code"] == "tags-full")?["detail"].as_str()
}

#[tokio::test]
async fn others_tags_stay_ours_give_way_and_the_record_says_so() {
    let cloud = Cloud::start().await;
    // Of a session that nobody knows: Verdict, Application, StreamGroup, StreamSession, Signature.
    for (others, without_room) in [
        (5, None),
        (6, Some("Signature")),
        (8, Some("StreamGroup, StreamSession, Signature")),
        (9, Some("Application, StreamGroup, StreamSession, Signature")),
        (10, Some("Verdict, Application, StreamGroup, StreamSession, Signature")),
    ] {
        let (record, tags) = captured(&cloud, others).await;
        let expected =
            without_room.map(|names| format!("the export has others' tags: there is no room for {names}"));
        assert_eq!(problem(&record), expected.as_deref(), "{others} tags of others");
        let theirs = tags.iter().filter(|(_, value)| value == "theirs").count();
        assert_eq!((theirs, tags.len()), (others, 10), "{tags:?}");
        // The lifecycle rules go by a tag that may not be there.
        let object = cloud.s3.object(&cloud.bucket, KEY).unwrap();
        let rules = &cloud.stack.buckets[0].lifecycle;
        let (day, _) = expiry(rules, KEY, &object.tags, object.last_modified).unwrap();
        assert_eq!(record["export"]["expiresOn"], json!(day.to_string()), "{others} tags of others");
    }
}

#[tokio::test]
async fn the_version_that_was_read_is_tagged() {
    let cloud = Cloud::start().await;
    cloud.s3.put(&cloud.bucket, KEY, crashed(0), "111122223333").await.unwrap();
    cloud.bus.settled().await;
    let uses = |action: &str| -> u64 {
        let ledger = cloud.iam.ledger();
        let of_it = ledger.grants.iter().filter(|(grant, _)| grant.action == action);
        of_it.flat_map(|(_, users)| users.values()).sum()
    };
    assert_eq!(uses("s3:PutObjectVersionTagging"), 0);
    let tags = cloud.tags(KEY).await;
    let client = s3_client(&cloud.client_environment());
    client.delete_object_tagging().bucket(&cloud.bucket).key(KEY).send().await.unwrap();
    let changes = [
        ("/detail/bucket/name", json!(cloud.bucket)),
        ("/detail/object", json!({"key": KEY, "version-id": "null"})),
    ];
    let answer = cloud.index_export(&event("index-export/object-created.json", &changes)).await;
    assert_eq!(answer["export"]["versionId"], "null");
    // The action of a request that names a version.
    assert_eq!(uses("s3:PutObjectVersionTagging"), 1);
    assert_eq!(cloud.tags(KEY).await, tags);
}

#[tokio::test]
async fn tags_follow_the_record_that_won_whoever_tags_last() {
    let cloud = Cloud::start().await;
    let session = cloud.play_as(long_since(&QUIT)).await;
    cloud.start_export(&session_event(&cloud, &session)).await;
    // The first to tag is slow.
    let is_first = Arc::new(AtomicBool::new(true));
    let first = Arc::clone(&is_first);
    cloud.s3.inject(move |request| {
        // Nothing else is put to the key of an export over HTTP.
        let is_export = request.key.as_deref().is_some_and(|key| key.starts_with("exports/"));
        let is_tagging = is_export && request.operation == "REST.PUT.OBJECT";
        (is_tagging && first.swap(false, Ordering::Relaxed)).then_some(Fault::Late(Duration::from_secs(3)))
    });
    cloud.now(&session);
    cloud.streams.settled(&session).await.unwrap();
    let export = format!("exports/{APPLICATION}/{STREAM_GROUP}/");
    let has_record = async || cloud.record(&session).await.is_some();
    while !has_record().await {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let key = cloud.s3.list(&cloud.bucket, &export).await.unwrap().remove(0);
    // Meanwhile an alarm is heard of, and the export is indexed again.
    let mut marker = cloud.marker(&session).await.unwrap();
    marker["alarms"] = json!([{"name": "gamelift-streams-frames", "at": "2026-11-23T10:00:00Z"}]);
    cloud.put_json(&support::marker_key(&session), &marker).await;
    let answer = cloud.index_export(&json!({"bucket": cloud.bucket, "key": key})).await;
    assert_eq!(answer["verdict"], "suspect");
    cloud.bus.settled().await;
    assert!(!is_first.load(Ordering::Relaxed));
    assert_eq!(cloud.record(&session).await.unwrap()["verdict"], "suspect");
    assert!(cloud.tags(&key).await.contains(&("Verdict".to_owned(), "suspect".to_owned())));
}
