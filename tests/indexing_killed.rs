//! `index-export` is killed (SIGKILL) at each of its requests in turn, and Lambda invokes it again: in the end it is all the same.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crash_capture_local::cloud::{APPLICATION, STREAM_GROUP};
use crash_capture_local::faults::Fault;
use crash_capture_local::streams::{ExportStatus, Status, StatusReason};
use jiff::Timestamp;
use serde_json::{Value, json};

use support::exports::crashed;
use support::{Cloud, INDEX_EXPORT, export_on_paper, marker_key, session_on_paper};

const KEY: &str = "exports/a-9ZY8X7Wv6/sg-1AB2C3De4/2026-11-23/killed.zip";
const TOPIC: &str = "NewsTopic";

/// A session that was armed and has ended; its export is about to arrive. Somebody else's tags leave room for four of ours.
async fn set_up(cloud: &Cloud) {
    cloud.bus.settled().await;
    cloud.lambda.kill(INDEX_EXPORT).unwrap();
    for key in cloud.s3.list(&cloud.bucket, "").await.unwrap() {
        cloud.s3.delete(&cloud.bucket, &key).unwrap();
    }
    let mut session = session_on_paper(STREAM_GROUP, "killed");
    session.created_at = "2026-11-23T10:00:00Z".parse().unwrap();
    session.last_updated_at = "2026-11-23T11:00:00Z".parse().unwrap();
    session.status = Status::Terminated;
    session.status_reason = Some(StatusReason::ApplicationExit);
    session.export = Some(export_on_paper(ExportStatus::Succeeded, &format!("s3://{}/{KEY}", cloud.bucket)));
    let marker = json!({
        "schema": 1,
        "session": {
            "id": session.id.id, "streamGroupId": STREAM_GROUP, "applicationId": APPLICATION,
            "createdAt": session.created_at, "status": "ACTIVE",
        },
        "armedAt": session.created_at,
        "trigger": {"kind": "sweep", "at": session.created_at},
        "alarms": [{"name": "gamelift-streams-frames", "at": session.last_updated_at}],
    });
    cloud.put_json(&marker_key(&session.id), &marker).await;
    cloud.write_down([session]);
    cloud.bus.settled().await;
}

/// A script that kills the function at its nth request, which is then neither performed nor answered.
fn kill_at(cloud: &Cloud, nth: usize) -> Arc<AtomicUsize> {
    let requests = Arc::new(AtomicUsize::new(0));
    let access_key_id = cloud.lambda.function(INDEX_EXPORT).unwrap().credentials.access_key_id.clone();
    let strike = {
        let (lambda, requests) = (cloud.lambda.clone(), Arc::clone(&requests));
        move || {
            let is_it = requests.fetch_add(1, Ordering::Relaxed) == nth;
            if is_it {
                lambda.kill(INDEX_EXPORT).unwrap();
            }
            is_it
        }
    };
    let of_s3 = strike.clone();
    cloud.s3.inject(move |request| {
        let is_ours = request.access_key_id.as_ref() == Some(&access_key_id);
        (is_ours && of_s3()).then_some(Fault::Never)
    });
    cloud.streams.inject(move |_| strike().then_some(Fault::Never));
    requests
}

/// The bucket, and the export's tags, without times and request ids.
async fn state(cloud: &Cloud) -> BTreeMap<String, Value> {
    let mut objects = BTreeMap::new();
    for (key, content) in cloud.contents().await {
        let mut value = serde_json::from_slice(&content).unwrap_or_else(|_| json!(content.len()));
        without_times(&mut value);
        objects.insert(key, value);
    }
    let tags: BTreeMap<_, _> = cloud.tags(KEY).await.into_iter().collect();
    objects.insert("the export's tags".to_owned(), json!(tags));
    objects
}

fn without_times(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.remove("indexedBy");
            fields.values_mut().for_each(without_times);
        }
        Value::Array(items) => items.iter_mut().for_each(without_times),
        Value::String(text) if text.parse::<Timestamp>().is_ok() => "a time".clone_into(text),
        _ => {}
    }
}

/// The export arrives, and whatever that sets off is over.
async fn arrive(cloud: &Cloud) -> usize {
    let mails = cloud.published(TOPIC).len();
    cloud.put_tagged(KEY, crashed(0), &["a", "b", "c", "d", "e", "f"].map(|key| (key, "theirs"))).await;
    cloud.bus.settled().await;
    cloud.published(TOPIC).len() - mails
}

#[tokio::test]
async fn an_indexer_that_is_killed_anywhere_and_runs_again_leaves_the_same_bytes_and_one_mail() {
    let cloud = Cloud::start().await;
    set_up(&cloud).await;
    assert_eq!(arrive(&cloud).await, 1);
    let expected = state(&cloud).await;
    let record = expected.iter().find(|(key, _)| key.starts_with("index/")).unwrap().1;
    assert_eq!(record["signature"]["firstSeen"], true, "{record}");
    assert_eq!(record["problems"][1]["code"], "tags-full", "{record}");
    for nth in 0.. {
        set_up(&cloud).await;
        let requests = kill_at(&cloud, nth);
        let attempts = cloud.lambda.invocations().len();
        let mails = arrive(&cloud).await;
        assert_eq!(state(&cloud).await, expected, "killed at request {nth}");
        assert_eq!(mails, 1, "killed at request {nth}");
        if cloud.lambda.invocations().len() == attempts + 1 {
            assert!(requests.load(Ordering::Relaxed) <= nth);
            assert!(nth > 8, "{nth} requests are too few: is the function killed at all?");
            break;
        }
    }
}
