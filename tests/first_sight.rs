//! `firstSeen`: true in exactly one session for each signature, whatever comes at once, twice, or lost.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use crash_capture_local::cloud::{APPLICATION, STREAM_GROUP};
use serde_json::{Value, json};

use support::exports::crashed;
use support::{Cloud, FAILED_INVOCATIONS, UNDELIVERED_EVENTS, event};

/// How many exports arrive at once.
const EXPORTS: usize = 1000;
/// How many signatures they have.
const SIGNATURES: usize = 7;

fn key(session: usize) -> String {
    format!("exports/{APPLICATION}/{STREAM_GROUP}/2026-11-23/session{session:04}.zip")
}

async fn put(cloud: &Cloud, session: usize) {
    let zip = crashed(session % SIGNATURES);
    cloud.s3.put(&cloud.bucket, &key(session), zip, "111122223333").await.unwrap();
}

/// Every record, by session.
async fn records(cloud: &Cloud) -> BTreeMap<String, Value> {
    let mut records = BTreeMap::new();
    for (key, content) in cloud.contents().await {
        if key.starts_with("index/") {
            let record: Value = serde_json::from_slice(&content).unwrap();
            records.insert(record["session"]["id"].as_str().unwrap().to_owned(), record);
        }
    }
    records
}

/// The sessions in which each signature was seen first, and those in which it was seen.
fn sights(records: &BTreeMap<String, Value>) -> BTreeMap<String, (Vec<&str>, usize)> {
    let mut sights = BTreeMap::<String, (Vec<&str>, usize)>::new();
    for (session, record) in records {
        let signature = &record["signature"];
        let (first, all) = sights.entry(signature["id"].as_str().unwrap().to_owned()).or_default();
        *all += 1;
        if signature["firstSeen"].as_bool().unwrap() {
            first.push(session);
        }
    }
    sights
}

#[tokio::test]
async fn the_second_session_with_a_signature_is_not_the_first_and_the_first_stays_it() {
    let cloud = Cloud::start().await;
    for session in [0, SIGNATURES, 1] {
        put(&cloud, session).await;
        cloud.bus.settled().await;
    }
    let first_seen = |records: &BTreeMap<String, Value>| -> Vec<_> {
        records.values().map(|record| record["signature"]["firstSeen"].as_bool().unwrap()).collect()
    };
    assert_eq!(first_seen(&records(&cloud).await), [true, true, false]);
    let before = cloud.contents().await;
    for session in [SIGNATURES, 0] {
        cloud.index_export(&json!({"bucket": cloud.bucket, "key": key(session)})).await;
    }
    assert_eq!(cloud.contents().await, before);
    let sights: Vec<_> = before.iter().filter(|(key, _)| key.starts_with("signatures/")).collect();
    assert_eq!(sights.len(), 2);
    let sight: Value = serde_json::from_slice(&sights[0].1).unwrap();
    let id = sight["signature"].as_str().unwrap();
    assert_eq!(sights[0].0, format!("signatures/{APPLICATION}/v1-{id}.json"));
    for field in ["title", "streamGroupId", "streamSessionId", "at"] {
        assert!(sight[field].is_string(), "{sight}");
    }
}

#[tokio::test]
async fn who_was_killed_between_signature_and_record_is_the_first_all_the_same() {
    let whole = Cloud::start().await;
    put(&whole, 0).await;
    whole.bus.settled().await;
    // Another cloud, in which the function died once the signature was noted; another session came before the retry.
    let cloud = Cloud::start().await;
    for (key, content) in whole.contents().await {
        if key.starts_with("signatures/") {
            cloud.s3.put(&cloud.bucket, &key, content, "111122223333").await.unwrap();
        }
    }
    for session in [SIGNATURES, 0] {
        put(&cloud, session).await;
        cloud.bus.settled().await;
    }
    let (before, after) = (records(&whole).await, records(&cloud).await);
    assert_eq!(after["session0000"]["signature"], before["session0000"]["signature"]);
    assert_eq!(after["session0000"]["signature"]["firstSeen"], true);
    assert_eq!(after["session0007"]["signature"]["firstSeen"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_exports_at_once_have_one_first_sight_and_one_mail_for_each_signature() {
    let cloud = Cloud::start().await;
    for session in 0..EXPORTS {
        put(&cloud, session).await;
        if session % 10 == 0 {
            let changes = [
                ("/detail/bucket/name", json!(cloud.bucket)),
                ("/detail/object/key", json!(key(session))),
                ("/detail/object/etag", json!(cloud.s3.object(&cloud.bucket, &key(session)).unwrap().etag)),
            ];
            cloud.events.put_raw(event("index-export/object-created.json", &changes));
        }
    }
    tokio::time::timeout(Duration::from_mins(8), cloud.bus.settled()).await.unwrap();
    for queue in [FAILED_INVOCATIONS, UNDELIVERED_EVENTS] {
        assert_eq!(cloud.dead_letters(queue), []);
    }
    let records = records(&cloud).await;
    assert_eq!(records.len(), EXPORTS);
    let sights = sights(&records);
    assert_eq!(sights.len(), SIGNATURES);
    assert_eq!(sights.values().map(|(_, all)| all).sum::<usize>(), EXPORTS);
    for (signature, (first, _)) in &sights {
        assert_eq!(first.len(), 1, "{signature} was seen first in {first:?}");
    }
    let mails = cloud.published("NewsTopic");
    for (signature, (first, _)) in &sights {
        let of_it = mails.iter().filter(|mail| mail.body.contains(signature.as_str())).collect::<Vec<_>>();
        let [mail] = of_it.as_slice() else { panic!("{signature}: {of_it:#?}") };
        assert!(mail.body.contains(first[0]), "{}", mail.body);
    }
    for record in records.values() {
        let tags = cloud.tags(record["export"]["key"].as_str().unwrap()).await;
        let signature = format!("v1-{}", record["signature"]["id"].as_str().unwrap());
        for (tag, value) in [("Verdict", record["verdict"].as_str().unwrap()), ("Signature", &signature)] {
            assert!(tags.contains(&(tag.to_owned(), value.to_owned())), "{tags:?}");
        }
    }
}
