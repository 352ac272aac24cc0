//! `firstSeen`: true in exactly one session for each signature, whatever comes at once, twice, or lost.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use crash_capture_local::cloud::{APPLICATION, STREAM_GROUP};
use crash_capture_local::eventbridge::Lost;
use crash_capture_local::streams::{ExportStatus, SessionId, Status, StatusReason};
use jiff::Timestamp;
use serde_json::{Value, json};

use support::exports::crashed;
use support::{
    Cloud, FAILED_INVOCATIONS, UNDELIVERED_EVENTS, event, export_on_paper, marker_key, session_on_paper,
};

/// How many exports arrive at once.
const EXPORTS: usize = 1000;
/// How many signatures they have.
const SIGNATURES: usize = 7;

fn id(session: usize) -> String {
    format!("session{session:04}")
}

fn key(session: usize) -> String {
    format!("exports/{APPLICATION}/{STREAM_GROUP}/2026-11-23/{}.zip", id(session))
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

/// Sessions that were armed, and have ended.
async fn write_down(cloud: &Cloud) {
    let at: Timestamp = "2026-11-23T10:00:00Z".parse().unwrap();
    for number in 0..EXPORTS {
        let mut session = session_on_paper(STREAM_GROUP, &id(number));
        (session.created_at, session.last_updated_at) = (at, at + Duration::from_mins(10));
        session.status = Status::Terminated;
        session.status_reason = Some(StatusReason::ApplicationExit);
        let uri = format!("s3://{}/{}", cloud.bucket, key(number));
        session.export = Some(export_on_paper(ExportStatus::Succeeded, &uri));
        let marker = json!({
            "schema": 1, "outputUri": uri, "armedAt": at, "trigger": {"kind": "sweep", "at": at},
            "session": {
                "id": id(number), "streamGroupId": STREAM_GROUP, "applicationId": APPLICATION, "createdAt": at,
                "status": "ACTIVE",
            },
        });
        cloud.put_json(&marker_key(&session.id), &marker).await;
        cloud.write_down([session]);
    }
}

/// Sweeps until each session has a record, without the pauses. Says how many had none before.
async fn sweep_until_recorded(cloud: &Cloud) -> usize {
    let mut were_missing = None;
    loop {
        let records = records(cloud).await;
        let missing: Vec<_> = (0..EXPORTS).filter(|number| !records.contains_key(&id(*number))).collect();
        let first = *were_missing.get_or_insert(missing.len());
        if missing.is_empty() {
            return first;
        }
        for number in missing {
            let session = SessionId { stream_group_id: STREAM_GROUP.to_owned(), id: id(number) };
            if cloud.marker(&session).await.unwrap()["settling"].is_object() {
                cloud.let_pause_pass(&session).await;
            }
        }
        cloud.sweep().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_exports_at_once_some_events_lost_and_some_twice_have_one_first_sight_and_one_mail_each() {
    let cloud = Cloud::start_with(|options| {
        options.disorder.lost = Some(Lost { source: "aws.s3", every: 20 });
        options.parameters.insert("ApiCallsPerSecond".to_owned(), "1000".to_owned());
    })
    .await;
    write_down(&cloud).await;
    for number in 0..EXPORTS {
        put(&cloud, number).await;
        if number % 10 == 0 {
            let changes = [
                ("/detail/bucket/name", json!(cloud.bucket)),
                ("/detail/object/key", json!(key(number))),
                ("/detail/object/etag", json!(cloud.s3.object(&cloud.bucket, &key(number)).unwrap().etag)),
            ];
            cloud.events.put_raw(event("index-export/object-created.json", &changes));
        }
    }
    tokio::time::timeout(Duration::from_mins(8), cloud.bus.settled()).await.unwrap();
    let lost = tokio::time::timeout(Duration::from_mins(4), sweep_until_recorded(&cloud)).await.unwrap();
    assert!(lost > EXPORTS / 40, "{lost} events were lost");
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
    assert_eq!(mails.len(), SIGNATURES, "{mails:#?}");
    for (signature, (first, _)) in &sights {
        let mail = mails.iter().find(|mail| mail.body.contains(signature.as_str())).unwrap();
        assert!(mail.body.contains(first[0]), "{}", mail.body);
    }
    let news = cloud.bus.log().into_iter().map(|routed| routed.event);
    assert_eq!(news.filter(|event| event["detail"]["responsePayload"]["announce"] == true).count(), EXPORTS);
    for (session, record) in &records {
        let tags = cloud.tags(record["export"]["key"].as_str().unwrap()).await;
        let expected = [
            ("Application", APPLICATION),
            ("EndReason", "applicationExit"),
            ("Signature", &format!("v1-{}", record["signature"]["id"].as_str().unwrap())),
            ("StreamGroup", STREAM_GROUP),
            ("StreamSession", session),
            ("Trigger", "sweep"),
            ("Verdict", "crash"),
        ];
        assert_eq!(tags, expected.map(|(key, value)| (key.to_owned(), value.to_owned())), "{session}");
    }
}
